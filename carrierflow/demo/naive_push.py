"""How carriers usually tell a shop: each scan is pushed once, as it comes, and errors are dropped.

This is what carrierflow replaces. It is here so that the shop drifts as shops do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from carrierflow.demo.scenario import Scan
from carrierflow.demo.stage import TourStage
from carrierflow.sandbox.faults import FaultKind, FaultMix
from carrierflow.sandbox.tour_side import NaiveCall


__all__ = ["NaivePush", "call_for", "push"]

BAD_DAY = FaultMix(
    rates={
        FaultKind.LOST_REQUEST: 0.12,
        FaultKind.ERROR_500_BEFORE: 0.10,
        FaultKind.LOST_REPLY: 0.06,
        FaultKind.ERROR_502_AFTER: 0.04,
        FaultKind.LATE_APPLY: 0.03,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NaivePush:
    """What the pushing script saw of its own work."""

    sent: int = 0
    failed: int = 0
    """No answer, or one that says that the platform is in trouble."""
    refused: int = 0

    def __add__(self, other: NaivePush) -> NaivePush:
        """Return the sums."""
        return NaivePush(
            sent=self.sent + other.sent,
            failed=self.failed + other.failed,
            refused=self.refused + other.refused,
        )


def call_for(stage: TourStage, scan: Scan) -> NaiveCall | None:
    """Return the request that tells a scan; None where the platform cannot be told it."""
    return stage.side.naive_call(scan.parcel, scan.status)


def push(stage: TourStage, scans: Iterable[Scan], *, seed: int) -> NaivePush:
    """Tell the shop some scans, on a bad day of the network."""
    server = stage.side.server
    with stage.side.lock:
        server.faults.plan(mix=BAD_DAY, seed=seed)
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    pushed = NaivePush()
    try:
        for call in filter(None, (call_for(stage, scan) for scan in scans)):
            stage.clock.advance(stage.side.pause)
            pushed = _count(pushed, _send(connection, call))
    finally:
        connection.close()
        with stage.side.lock:
            server.faults.plan()
    return pushed


def _send(connection: HTTPConnection, call: NaiveCall) -> int | None:
    try:
        connection.request(call.method, call.path, body=call.body, headers=dict(call.headers))
        reply = connection.getresponse()
        reply.read()
    except (OSError, HTTPException):
        connection.close()
        return None
    return reply.status


def _count(pushed: NaivePush, status: int | None) -> NaivePush:
    pushed = replace(pushed, sent=pushed.sent + 1)
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return replace(pushed, failed=pushed.failed + 1)
    if status >= HTTPStatus.BAD_REQUEST:
        return replace(pushed, refused=pushed.refused + 1)
    return pushed
