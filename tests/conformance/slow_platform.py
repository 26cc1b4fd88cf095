"""A platform that is nowhere: reading a shop takes a while, and each process notes when.

It shows one parcel of a shop where there is one, `readytopick` until it is told otherwise. What
each process does stands in a file of its own, a line for each moment, by a clock that all
processes of a machine share.
"""

# ruff: noqa: ARG002 - the port's signatures

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from carrierflow import (
    FulfillmentRef,
    Observation,
    PlatformProfile,
    PlatformWrite,
    Projection,
    RemoteOrder,
    RemoteWord,
    RequestSketch,
    Status,
)
from carrierflow.domain.hearing import Hearing


__all__ = ["NAME", "NOTES", "WORK", "profile"]

NAME = "slow"
NOTES, WORK = "CONFORMANCE_NOTES", "CONFORMANCE_WORK"
"""The variables that name the folder of the notes, and the seconds that reading takes."""

FIRST, SECOND = Status.READYTOPICK, Status.PICKING
COD = dict.fromkeys(
    (Status.CODPENDING, Status.CODPAID, Status.CODRECEIPT, Status.CODNOTRECEIPT), Status.NONE
)
PROJECTION = Projection(
    looks_as={status: FIRST for status in Status if status not in {SECOND, *COD, Status.NONE}}
    | COD
    | {SECOND: SECOND},
    writes=(PlatformWrite(name="picking", to=SECOND, after=frozenset({FIRST}), one_way=True),),
)


class Requests:
    """Counts what is asked."""

    def __init__(self):
        self.get = self.put = self.throttled = self.alone = 0
        self.hearing = Hearing()


class SlowPlatform:
    """One shop, as the port `carrierflow.Platform` has it."""

    projection = PROJECTION
    one_by_one = False

    def __init__(self, link, folder, work):
        self._shop, self._folder, self._work = link.shop.code, Path(folder), work
        self.requests = Requests()

    def orders_changed(self, since, *, page=1):
        self._note("begin")
        self._ask()
        time.sleep(self._work)
        self._note("end")
        return ()

    def orders(self, order_ids):
        self._ask()
        return tuple(self._shown(order_id) for order_id in order_ids)

    def order(self, order_id):
        return self._shown(order_id)

    def fulfillment(self, ref):
        return self._shown(ref.order_id).fulfillments[0]

    def write(self, ref, write, *, not_later_than):
        self.requests.put += 1
        self._note("write")
        self._written(ref.order_id).touch()
        return self._shown(ref.order_id).fulfillments[0]

    def room(self, seconds):
        return 1_000_000

    def wait_for_room(self):
        """Let everything leave."""

    def is_ours(self, observation):
        return True

    def sketch(self, ref, write):
        return RequestSketch(method="PUT", url=f"slow:{ref.order_id}")

    def close(self):
        """Hold nothing."""

    def _ask(self):
        self.requests.get += 1
        with self.requests.hearing.question():
            pass

    def _written(self, order_id):
        return self._folder / f"written-{self._shop}-{order_id}"

    def _shown(self, order_id):
        status = SECOND if self._written(order_id).exists() else FIRST
        now = datetime.now(UTC)
        seen = Observation(
            ref=FulfillmentRef(shop=self._shop, order_id=order_id, fulfillment_id=order_id),
            asked_at=now,
            seen_at=now,
            carrier=RemoteWord(raw=str(status), status=status),
            cod=RemoteWord(raw="", status=Status.NONE),
            updated_at=now,
            updated_at_raw=now.isoformat(),
        )
        return RemoteOrder(
            order_id=order_id, updated_at=now, cancelled=False, fulfillments=(seen,), unreadable=()
        )

    def _note(self, what):
        line = [what, self._shop, time.monotonic(), threading.get_ident()]
        _file(self._folder).write(json.dumps(line) + "\n")


_files = {}


def _file(folder):
    pid = os.getpid()
    if pid not in _files:
        _files[pid] = (folder / f"{pid}.notes").open("a", buffering=1, encoding="utf-8")
    return _files[pid]


def profile():
    """Return the platform as the environment wants it."""
    folder, work = os.environ[NOTES], float(os.environ[WORK])
    return PlatformProfile(
        name=NAME,
        title="Slow",
        base_url="http://127.0.0.1",
        connect=lambda link: SlowPlatform(link, folder, work),
        projection=PROJECTION,
        defaults={
            "remote_ahead": "hold",
            "merchant_edit": "hold",
            "verify_within_hours": "24",
            "rate_bucket": "1000",
            "rate_leak": "1000",
        },
    )
