"""What the tasks of an engine do, whichever it is: the engine rings, and the database is the queue.

An engine's own module says how its tasks are declared and sent, and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from carrierflow.app import duties
from carrierflow.app.carrierflow import MOST_DUE, Carrierflow
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.typecheck import check_text, guarded
from carrierflow.domain.waiting import Stop
from carrierflow.errors import CarrierflowError, InvalidInput, TryLater, UnknownShop
from carrierflow.reconcile import QUANTUM_REQUESTS, QUANTUM_SECONDS, check_quantum
from carrierflow.scheduling import Job, run_job


__all__ = ["DUTIES", "HOLD", "NIGHTLY", "SLOTS", "TICK", "EngineTasks", "Send", "check_queue"]

log = logging.getLogger(__name__)

Send = Callable[[Sequence[str]], object]
"""Brings a task for each of some shops to the engine."""

SLOTS = 16
MOST_SLOTS = MOST_DUE // 2
"""Twice as many shops are brought at once."""

LONGEST_QUEUE = 200
"""In characters; RabbitMQ takes 255 bytes, with what is put behind it."""

HOLD = timedelta(minutes=2)
"""How long a shop may be on its way: twice the slots wait for two quanta at most."""

TICK = 2.0
"""Seconds between two dispatches."""

LASTS = 1.5 * TICK
"""Seconds that one goes on while more is due: until the next one has begun."""

LOOK = 0.03
"""Seconds between two looks how many shops are on their way."""

DUTIES = (
    Job(name="seal", every=timedelta(minutes=5), run=duties.seal_history),
    Job(name="deliver_changes", every=timedelta(seconds=15), run=duties.deliver_changes),
    Job(name="notify_incidents", every=timedelta(minutes=5), run=duties.notify_incidents),
    Job(name="report_coverage", every=timedelta(hours=1), run=duties.report_coverage),
    Job(name="audit_pass", every=timedelta(days=1), run=duties.audit_pass),
    Job(name="erase_old", every=timedelta(days=1), run=duties.erase_old),
)
"""What is done beside the runs of shops; none of it is lost if one time of it is."""


NIGHTLY = {"audit_pass": "23 19 * * *", "erase_old": "41 20 * * *"}
"""When what is done daily is done, as cron has it, in UTC: at night in Vietnam."""


class EngineTasks:
    """The tasks of one carrier; its application is built by the first of each process.

    Args:
        carrierflow: the application, or what builds it.
        slots: how many shops all workers together look after at once.
        hold: how long a shop is on its way to a worker before it is given out again.
        seconds: how long one task looks after its shop.
        requests: how many requests it makes at most.

    Raises:
        InvalidInput: if there are no slots or more than 5,000, or the hold or the share is nothing.
    """

    @guarded
    def __init__(
        self,
        carrierflow: Carrierflow | Callable[[], Carrierflow],
        *,
        slots: int = SLOTS,
        hold: timedelta = HOLD,
        seconds: float = QUANTUM_SECONDS,
        requests: int = QUANTUM_REQUESTS,
    ) -> None:
        if not 1 <= slots <= MOST_SLOTS or hold <= timedelta(0):
            raise InvalidInput(
                f"An engine has from 1 to {MOST_SLOTS:,} slots, and holds a shop for some time."
            )
        check_quantum(seconds, requests)
        self.seconds = seconds
        self._given = carrierflow
        self._built: Carrierflow | None = None
        self._lock = ProcessLock()
        self._dispatches = False
        self._until = 0.0
        self._slots = slots
        self._hold = hold
        self._requests = requests

    @property
    def app(self) -> Carrierflow:
        """The application of this process."""
        with self._lock:
            if self._built is None:
                self._built = self._build()
            return self._built

    def _build(self) -> Carrierflow:
        given = self._given
        built: object = given if isinstance(given, Carrierflow) else given()
        if isinstance(built, Carrierflow):
            return built
        raise InvalidInput(f"What builds the application built a {type(built).__name__}.")

    def dispatch(self, send: Send, *, stop: Stop) -> None:
        """Keep workers busy for a while: bring them due shops, twice as many as there are slots.

        It ends as soon as no more are due. One goes on at a time in a process, and longer for each
        further one; those elsewhere do no harm, for each gets other shops. Shops that could not be
        sent are given back.
        """
        with self._lock:
            others, self._dispatches = self._dispatches, True
            self._until = time.monotonic() + LASTS
        if others:
            return
        try:
            self._top_up(send, stop)
        except TryLater as error:
            log.warning("carrierflow.queue_unavailable", extra={"reason": str(error)})
        finally:
            self._dispatches = False

    def _top_up(self, send: Send, stop: Stop) -> None:
        while not stop():
            room = 2 * self._slots - self.app.outstanding()
            if room >= self._slots:
                shops = self.app.due(room, hold=self._hold)
                self._bring(shops, send)
                if len(shops) < room:
                    return
            if time.monotonic() >= self._until:
                return
            time.sleep(LOOK)

    def _bring(self, shops: Sequence[str], send: Send) -> None:
        if not shops:
            return
        try:
            send(shops)
        except BaseException:
            with suppress(CarrierflowError):  # else they are offered when their claims run out
                self.app.give_back(shops)
            raise

    def reconcile_shop(self, shop: str, *, stop: Stop) -> None:
        """Look after one shop for its share of time; whatever is wrong, it is offered again."""
        try:
            report = self.app.reconcile_shop(
                shop, seconds=self.seconds, requests=self._requests, stop=stop
            )
        except (TryLater, UnknownShop) as error:
            log.warning("carrierflow.shop_missed", extra={"shop": shop, "reason": str(error)})
            return
        if report.failed:
            reason = report.sentence or str(report.end_reason)
            log.warning("carrierflow.shop_missed", extra={"shop": shop, "reason": reason})

    def run(self, duty: Job, *, stop: Stop) -> None:
        """Do a duty once; what it raises is logged."""
        run_job(duty, self.app.stopped_by(stop))


@guarded
def check_queue(queue: str) -> None:
    """Raise `InvalidInput` where no queue can be called so."""
    check_text("queue", queue, LONGEST_QUEUE, names=True)
