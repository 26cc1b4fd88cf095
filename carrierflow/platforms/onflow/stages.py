"""Onflow's stages of a B2C shipment and our statuses: two tables, and how they are weighed.

Two numbers are printed in Onflow's Open API documents (open-api.onflow.vn): 300 on the detail of
a shipment that was handed over, 500 in the reply to a cancel. All others, that of a new shipment
too, stand on pages that nobody here has read. So the times decide, each of which says that
something happened; the number alone decides only where a shipment shows no times. Labels are
translated and are never looked at. The numbers of Onflow's older API mean other things.
"""

from __future__ import annotations

from collections.abc import Mapping

from carrierflow.domain.limits import WORD, cut
from carrierflow.domain.model import RemoteWord, Status


__all__ = ["STAGE_NUMBERS", "STAGE_TIMES", "stage"]

STAGE_NUMBERS: Mapping[int, Status] = {
    300: Status.DELIVERING,
    500: Status.CANCEL,
}
"""What `status_info.value` may say: handed over to the courier; cancelled after packing."""

STAGE_TIMES: Mapping[str, Status] = {
    "cancelled_time": Status.CANCEL,
    "handover_time": Status.DELIVERING,
    "packed_time": Status.READYTOPICK,
    "picked_time": Status.READYTOPICK,
}
"""What has happened by each time, the furthest first; Onflow picks goods from its own shelf."""


def stage(number: int, passed: Mapping[str, bool]) -> RemoteWord:
    """Return a stage's number with the status that it has, or with none where that is not clear.

    It is not where the number contradicts the times, nor where both are silent. `passed` says of
    each time that the shipment shows whether it has come. Where all four are shown and none has
    come, the shipment is new.
    """
    known, told = STAGE_NUMBERS.get(number), _told(passed)
    agree = known is None or told is None or known is told
    return RemoteWord(raw=cut(str(number), WORD), status=(told or known) if agree else None)


def _told(passed: Mapping[str, bool]) -> Status | None:
    for name, status in STAGE_TIMES.items():
        if passed.get(name):
            return status
    return Status.PENDING if passed.keys() == STAGE_TIMES.keys() else None
