"""Pages of a list: what is asked for, what a page holds, and where the next one begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from carrierflow.domain.canonical import digest, stamp
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Incident
from carrierflow.domain.lifecycle.definition import DELIVERY_FINAL
from carrierflow.domain.limits import is_storable
from carrierflow.domain.model import Machine, Status
from carrierflow.errors import InvalidInput


__all__ = [
    "MOST_LISTED",
    "FulfillmentQuestion",
    "IncidentQuestion",
    "ListedFulfillments",
    "ListedIncidents",
    "check_limit",
    "cursor_at",
    "place_of",
]

MOST_LISTED = 1_000
"""The longest page."""

LARGEST = 2**63 - 1
"""The largest number of a row."""

UNFINISHED = tuple(
    status
    for status in Status
    if status.machine is Machine.DELIVERY and status not in DELIVERY_FINAL
)
"""The delivery statuses that a parcel does not stay at."""

_MARK = 8
"""Digits by which a cursor knows its question again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FulfillmentQuestion:
    """Which fulfillments are asked for; what is left out asks nothing."""

    shop: str | None = None
    status: Status | None = None
    cod_status: Status | None = None
    since_before: datetime | None = None
    """Only what has stood in its delivery status since then, or longer."""
    frozen: bool | None = None
    unpublished: bool | None = None
    order_id: str | None = None
    tracking_number: str | None = None

    def __post_init__(self) -> None:
        _check_machine(self.status, Machine.DELIVERY)
        _check_machine(self.cod_status, Machine.COD)

    @property
    def stands_at(self) -> tuple[Status, ...]:
        """Where the parcels must stand; empty for anywhere.

        Where only a moment is asked for, at what is not final: there everything stands for ever.
        """
        if self.status is not None:
            return (self.status,)
        return () if self.since_before is None else UNFINISHED


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFulfillments:
    """Some fulfillments, and the cursor that the page after them goes on from."""

    fulfillments: tuple[Fulfillment, ...]
    next: str | None
    """None where there are no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentQuestion:
    """Which incidents are asked for; what is left out asks nothing."""

    shop: str | None = None
    state: str | None = None
    kind: str | None = None
    opened_before: datetime | None = None
    """Only what was opened then, or earlier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedIncidents:
    """Some incidents, and the cursor that the page after them goes on from."""

    incidents: tuple[Incident, ...]
    next: str | None
    """None where there are no more."""


def _check_machine(status: Status | None, machine: Machine) -> None:
    if status is not None and status.machine is not machine:
        raise InvalidInput(f"{status} is no status of the {machine} machine.")


def check_limit(limit: int) -> None:
    """Raise `InvalidInput` where a page would be empty, or too long."""
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidInput(f"A page has 1 to {MOST_LISTED} lines, not {limit}.")


def cursor_at(
    question: FulfillmentQuestion | IncidentQuestion, place: Sequence[str | int | datetime]
) -> str:
    """Return the cursor of a place in the list that a question is answered by."""
    told = [stamp(each) if isinstance(each, datetime) else each for each in place]
    text = json.dumps([_mark(question), *told], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(
    question: FulfillmentQuestion | IncidentQuestion, cursor: str, kinds: Sequence[type]
) -> list[Any]:
    """Return the place that a cursor stands for: one value of each of some types.

    Raises:
        InvalidInput: if it is no cursor, or one of another question.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark, *told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if mark == _mark(question):
            return [_value(each, kind) for each, kind in zip(told, kinds, strict=True)]
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidInput(
            "This is no cursor; hand over what stood in `next`, or nothing for the first page."
        ) from None
    raise InvalidInput(
        "This cursor goes on with another list; ask for what it was given for, or begin without."
    )


def _value(told: Any, kind: type) -> Any:
    """Return one value of a place; raises `ValueError` where a database could not hold it."""
    if kind is datetime:
        return datetime.fromisoformat(told).astimezone(UTC)
    if type(told) is not kind or not _can_be_held(told):
        raise ValueError(told)
    return told


def _can_be_held(told: Any) -> bool:
    return is_storable(told) if isinstance(told, str) else 0 <= told <= LARGEST


def _mark(question: FulfillmentQuestion | IncidentQuestion) -> str:
    """Tell questions apart; a moment may move on from page to page, as `now` does."""
    asked = {
        name: value is not None if name in {"since_before", "opened_before"} else value
        for name, value in asdict(question).items()
    }
    return digest(json.dumps(asked, sort_keys=True))[:_MARK]
