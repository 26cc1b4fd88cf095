"""What was agreed about a parcel: the amount to collect, its waybill, whose parcel it is.

Number 0 is what the parcel was opened with; each further number is a revision, by whom and why.
The parcel's own row says what holds now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from carrierflow.domain.fulfillment import Change


__all__ = ["UPGRADE", "opening_rows"]

UPGRADE = "upgrade"
"""The source of terms that were written by an upgrade: what held then, of a parcel of before."""


def opening_rows(
    changes: Collection[Change], carrier_codes: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield, as rows of `terms`, what parcels are opened with whose history begins here.

    `carrier_codes` are by the shops' codes. A row is as old as its parcel's first entry, and is
    told by the same.
    """
    for change in changes:
        before = change.before
        if not change.entries:
            continue
        first = change.entries[0]
        yield {
            "fulfillment": before.id,
            "number": 0,
            "tracking_number": before.tracking_number,
            "cod_amount": before.cod_amount,
            "carrier_code": carrier_codes[before.ref.shop],
            "source": str(first.source),
            "actor": first.actor,
            "reason": first.reason,
            "recorded_at": first.recorded_at,
        }
