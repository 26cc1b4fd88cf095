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
from carrierflow.demo.stage import SHOP, TourStage, ref_of
from carrierflow.platforms.haravan.spelling import put_path
from carrierflow.sandbox.haravan import FaultKind, FaultMix


__all__ = ["NaivePush", "push"]

BAD_DAY = FaultMix(
    rates={
        FaultKind.LOST_REQUEST: 0.12,
        FaultKind.ERROR_500_BEFORE: 0.10,
        FaultKind.LOST_REPLY: 0.06,
        FaultKind.ERROR_502_AFTER: 0.04,
        FaultKind.LATE_APPLY: 0.03,
    }
)
PAUSE = 0.25
"""Seconds between two pushes: within the platform's four requests a second."""


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


def push(stage: TourStage, scans: Iterable[Scan], *, seed: int) -> NaivePush:
    """Tell the shop some scans, on a bad day of the network."""
    with stage.server.lock:
        stage.server.faults.plan(mix=BAD_DAY, seed=seed)
        token = stage.server.world.shop(SHOP).token
    connection = HTTPConnection(urlsplit(stage.server.url).netloc, timeout=10)
    pushed = NaivePush()
    try:
        for scan in scans:
            stage.clock.advance(PAUSE)
            pushed = _count(pushed, _put(connection, scan, token))
    finally:
        connection.close()
        with stage.server.lock:
            stage.server.faults.plan()
    return pushed


def _put(connection: HTTPConnection, scan: Scan, token: str) -> int | None:
    path = "/com" + put_path(ref_of(scan.parcel), scan.status)
    try:
        connection.request("PUT", path, headers={"Authorization": f"Bearer {token}"})
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
