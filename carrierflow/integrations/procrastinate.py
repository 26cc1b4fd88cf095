"""Shops looked after by Procrastinate's workers: `install` adds the tasks to a host's application.

A job that is lost, stalled or doubled does no harm: what is due stands in the shops' rows.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import Any

from procrastinate import App, Blueprint, JobContext
from procrastinate.exceptions import ConnectorException

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.errors import InvalidInput
from carrierflow.integrations.engine_tasks import (
    DUTIES,
    HOLD,
    NIGHTLY,
    SLOTS,
    EngineTasks,
    check_queue,
)
from carrierflow.reconcile import QUANTUM_REQUESTS, QUANTUM_SECONDS
from carrierflow.scheduling import Job


__all__ = ["install"]

NAMESPACE = "carrierflow"

WHEN = {
    "dispatch": "* * * * * */2",
    "rescue_stalled": "* * * * * */5",
    "deliver_changes": "* * * * * */15",
    "seal": "*/5 * * * *",
    "notify_incidents": "*/5 * * * *",
    "report_coverage": "7 * * * *",
    **NIGHTLY,
}
"""When each is done, in UTC, as cron has it; the sixth column are seconds."""

FIRST = 10
"""The priority of all that is no shop: a dispatch does not wait behind the shops it sent."""

STALLED = 20.0
"""Seconds without a word from a worker, which gives one every ten, until its jobs are put back.

A killed worker's runs are known by their leases; of a job that it fetched and had not begun nobody
else knows before the shop's hold is over. A job of one that was only slow is done twice, and the
second time its shop is held.
"""

SENT = 30.0
"""Seconds within which shops are sent, or are given back."""


def install(
    procrastinate: App,
    carrierflow: Carrierflow | Callable[[], Carrierflow],
    *,
    slots: int = SLOTS,
    queue: str = "carrierflow",
    hold: timedelta = HOLD,
    seconds: float = QUANTUM_SECONDS,
    requests: int = QUANTUM_REQUESTS,
) -> None:
    """Add carrierflow's tasks to a Procrastinate application, all of them under `carrierflow:`.

    Args:
        procrastinate: the host's application.
        carrierflow: what the tasks work with, or what builds it in each process that needs it.
        slots: how many tasks all workers together do at once.
        queue: what the queue of all tasks is called.
        hold: how long a shop is on its way to a worker before it is given out again.
        seconds: how long one task looks after its shop.
        requests: how many requests it makes at most.

    Raises:
        InvalidInput: if that is no such application, there are no slots or more than 5,000, the
            hold or the share is nothing, or no queue can be called so.
    """
    if not isinstance(procrastinate, App):  # not by its type: it may be a proxy
        raise InvalidInput("What tasks are added to is a Procrastinate application.")
    check_queue(queue)
    tasks = EngineTasks(carrierflow, slots=slots, hold=hold, seconds=seconds, requests=requests)
    procrastinate.add_tasks_from(_blueprint(tasks, Threads(slots), queue), namespace=NAMESPACE)


class Threads:
    """Threads of our own, for Procrastinate's are as many as asyncio thinks: six on two cores."""

    def __init__(self, most: int) -> None:
        self._most = most

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._most, thread_name_prefix="carrierflow")

    async def do(self, work: Callable[..., None], *given: Any) -> None:
        """Do some work in a thread; it is told to stop when its job is aborted."""
        stop = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._pool, lambda: work(*given, stop=stop.is_set))
        except asyncio.CancelledError:
            stop.set()
            raise


def _blueprint(tasks: EngineTasks, threads: Threads, queue: str) -> Blueprint:
    blueprint = Blueprint()
    duty: dict[str, Any] = {"queue": queue, "priority": FIRST}

    @blueprint.task(name="reconcile_shop", queue=queue)
    async def reconcile_shop(shop: str) -> None:
        await threads.do(tasks.reconcile_shop, shop)

    @blueprint.periodic(cron=WHEN["dispatch"])
    @blueprint.task(name="dispatch", queueing_lock="carrierflow.dispatch", **duty)
    async def dispatch(timestamp: int) -> None:  # noqa: ARG001 - as Procrastinate calls it
        loop = asyncio.get_running_loop()

        def send(shops: Sequence[str]) -> None:
            jobs: list[Any] = [{"shop": shop} for shop in shops]
            sending = reconcile_shop.batch_defer_async(*jobs)
            asyncio.run_coroutine_threadsafe(sending, loop).result(SENT)

        await threads.do(tasks.dispatch, send)

    @blueprint.periodic(cron=WHEN["rescue_stalled"])
    @blueprint.task(
        name="rescue_stalled",
        queueing_lock="carrierflow.rescue_stalled",
        pass_context=True,
        **duty,
    )
    async def rescue_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
        jobs = context.app.job_manager
        for job in await jobs.get_stalled_jobs(queue=queue, seconds_since_heartbeat=STALLED):
            with suppress(ConnectorException):  # another of its kind waits, or it was put back
                await jobs.retry_job(job)

    def declare(job: Job) -> None:
        @blueprint.periodic(cron=WHEN[job.name])
        @blueprint.task(name=job.name, queueing_lock=f"carrierflow.{job.name}", **duty)
        async def do(timestamp: int) -> None:  # noqa: ARG001 - as above
            await threads.do(tasks.run, job)

    for job in DUTIES:
        declare(job)
    return blueprint
