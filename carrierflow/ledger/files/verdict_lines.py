"""What became of the rows of a file: one line for each, and how many of each kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from carrierflow.domain.model import Event, Recorded
from carrierflow.errors import InvalidInput


__all__ = ["VerdictCounts", "verdict_line"]

_REJECTED = "rejected"


def verdict_line(
    row_number: int, event: Event | None, answer: Recorded | InvalidInput
) -> dict[str, object]:
    """Return the line of a verdicts file that says what became of one row.

    A rejected row has no status, and as its reason the kind of error in snake case; what names
    its parcel is null where the row could not be read. A row that named its parcel by the
    tracking number has both, once that is known to be one.
    """
    known = answer.ref.fulfillment_id if isinstance(answer, Recorded) else None
    line: dict[str, object] = {
        "row": row_number,
        "shop": event and event.shop,
        "fulfillment_id": known or (event and event.fulfillment_id),
        "tracking_number": event and event.tracking_number,
    }
    if isinstance(answer, InvalidInput):
        return line | {
            "verdict": _REJECTED,
            "reason": re.sub(r"(?<!^)(?=[A-Z])", "_", type(answer).__name__).lower(),
            "sentence": str(answer),
            "carrier_status": None,
            "cod_status": None,
        }
    return line | {
        "verdict": str(answer.verdict),
        "reason": str(answer.reason),
        "sentence": answer.sentence,
        "carrier_status": str(answer.carrier_status),
        "cod_status": str(answer.cod_status),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictCounts:
    """How many rows of a file got which verdict; the five kinds always sum up to the rows."""

    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    refused: int = 0
    rejected: int = 0
    rows: int = 0

    def add(self, answer: Recorded | InvalidInput) -> VerdictCounts:
        """Return these counts with one more row."""
        kind = _REJECTED if isinstance(answer, InvalidInput) else str(answer.verdict)
        return replace(self, **{kind: getattr(self, kind) + 1, "rows": self.rows + 1})
