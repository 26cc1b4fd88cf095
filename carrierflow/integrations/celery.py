"""Shops looked after by Celery's workers: `install` declares the tasks on a host's application.

A task that is lost, redelivered or doubled does no harm: what is due stands in the database.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import celery as package
from celery import Celery, signals
from celery.schedules import crontab

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.errors import InvalidInput
from carrierflow.integrations.engine_tasks import (
    DUTIES,
    HOLD,
    NIGHTLY,
    SLOTS,
    TICK,
    EngineTasks,
    check_queue,
)
from carrierflow.reconcile import QUANTUM_REQUESTS, QUANTUM_SECONDS
from carrierflow.scheduling import Job


__all__ = ["beat_schedule", "install"]

log = logging.getLogger(__name__)

QUEUE = "carrierflow"

OLDEST = (5, 5)
"""The first version that our tests pass with."""

SOFT, HARD = 300, 330
"""Seconds after its share at which a task is told to end, and at which its process is killed.

What is under way at the end of a share may rightly wait that long: each of four tries of one read
a minute for its turn, and for its answer.
"""

FRESH = 5 * TICK
"""Seconds after which a dispatch is not worth doing: another one was sent since."""


def install(
    celery: Celery,
    carrierflow: Carrierflow | Callable[[], Carrierflow],
    *,
    slots: int = SLOTS,
    queue: str = QUEUE,
    hold: timedelta = HOLD,
    seconds: float = QUANTUM_SECONDS,
    requests: int = QUANTUM_REQUESTS,
) -> None:
    """Declare carrierflow's tasks on a Celery application.

    Shops come by `queue`, and what beat sends by the same name with `-duties` behind it: workers
    take from both. Nothing else of the application is changed; a worker whose options do not fit
    says so when it starts.

    Args:
        celery: the host's application.
        carrierflow: what the tasks work with, or what builds it in each process that needs it.
        slots: how many tasks all workers together do at once.
        queue: what the queue of shops is called.
        hold: how long a shop is on its way to a worker before it is given out again.
        seconds: how long one task looks after its shop.
        requests: how many requests it makes at most.

    Raises:
        InvalidInput: if that is no such application, there are no slots or more than 5,000, the
            hold or the share is nothing, or no queue can be called so.
    """
    if not isinstance(celery, Celery):  # not by its type: it may be a proxy
        raise InvalidInput("What tasks are declared on is a Celery application.")
    check_queue(queue)
    tasks = EngineTasks(carrierflow, slots=slots, hold=hold, seconds=seconds, requests=requests)
    stopping = threading.Event()
    late = {"acks_late": True, "reject_on_worker_lost": True}
    duty = {"ignore_result": True, "max_retries": 0, "shared": False}

    @celery.task(
        name="carrierflow.reconcile_shop",
        soft_time_limit=seconds + SOFT,
        time_limit=seconds + HARD,
        **late,
        **duty,
    )
    def reconcile_shop(shop: str) -> None:
        tasks.reconcile_shop(shop, stop=stopping.is_set)

    def send(shops: Sequence[str]) -> None:
        with celery.producer_or_acquire() as producer:
            for shop in shops:
                reconcile_shop.apply_async((shop,), queue=queue, producer=producer)

    @celery.task(name="carrierflow.dispatch", expires=FRESH, **duty)
    def dispatch() -> None:
        tasks.dispatch(send, stop=stopping.is_set)

    def declare(job: Job) -> None:
        @celery.task(name=f"carrierflow.{job.name}", **duty)
        def do() -> None:
            tasks.run(job, stop=stopping.is_set)

    for job in DUTIES:
        declare(job)
    _listen(celery, stopping)


def beat_schedule(*, queue: str = QUEUE) -> dict[str, dict[str, Any]]:
    """Return when each task is sent, as Celery's `beat_schedule` has it.

    `queue` is the one that `install` was given. One beat is enough; a second one does no harm.
    What was not taken before it is sent again expires. What is done nightly goes by the
    application's time zone, which is UTC unless it was set.

    Raises:
        InvalidInput: if no queue can be called so.
    """
    check_queue(queue)
    often: dict[str, float] = {"dispatch": TICK}
    often |= {job.name: job.every.total_seconds() for job in DUTIES}
    return {
        f"carrierflow.{name}": {
            "task": f"carrierflow.{name}",
            "schedule": crontab.from_string(NIGHTLY[name]) if name in NIGHTLY else every,
            "options": {"queue": f"{queue}-duties", "expires": max(every, FRESH)},
        }
        for name, every in often.items()
    }


def _listen(celery: Celery, stopping: threading.Event) -> None:
    def ready(instance: Any, **_: Any) -> None:
        if instance.app is celery:
            for sentence in _unfit(celery, instance.prefetch_multiplier):
                log.warning("carrierflow.engine_unfit", extra={"reason": sentence})
                warnings.warn(sentence, stacklevel=2)

    def ending(**_: Any) -> None:
        stopping.set()

    signals.celeryd_after_setup.connect(ready, weak=False)
    signals.worker_shutting_down.connect(ending, weak=False)


def _unfit(celery: Celery, prefetch: int) -> Iterator[str]:
    """Say what of a worker does not fit."""
    if prefetch != 1:
        yield (
            f"worker_prefetch_multiplier is {prefetch}: a worker keeps shops waiting behind those "
            "that it looks after, while another worker is idle. Set it to 1."
        )
    transport = celery.connection_for_read().transport_cls
    if "redis" in str(transport).lower() or "sentinel" in str(transport).lower():
        yield (
            "The broker is Redis: it hands a task to a second worker once its visibility timeout "
            "is over, even while the first one works on it, and gives back what a killed worker "
            "had no sooner. No shop is harmed by that, but use RabbitMQ."
        )
    found = tuple(int(part) for part in package.__version__.split(".")[:2])
    if found < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield f"Celery is {package.__version__}; carrierflow is tested with {oldest} and newer."
