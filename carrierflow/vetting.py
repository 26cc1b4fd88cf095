"""What an event or an opening must be before any database is asked about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from carrierflow.errors import BadTime, InvalidInput
from carrierflow.model import Event, Opening
from carrierflow.parcel import Parcel


__all__ = [
    "check_event",
    "check_opening",
    "check_same",
    "check_time",
    "faults_of",
    "opening_problem",
]

FUTURE = timedelta(days=1)
"""How far a scanner's clock may be ahead of ours before we refuse its time."""

LONGEST = {"shop": 64, "fulfillment_id": 64, "key": 128, "actor": 128, "reason": 255}
NAMES = {"shop", "fulfillment_id", "key"}
"""Texts by which something is found again; not every database tells outer blanks apart."""

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

MOST_CASH = 10**15


def opening_problem(opening: Opening) -> str | None:
    """Say what is wrong with an opening; None if nothing is."""
    if (opening.cod_amount or 0) < 0:
        return "The amount to collect cannot be negative; give whole đồng."
    if (opening.cod_amount or 0) > MOST_CASH:
        return "The amount to collect is beyond belief; give whole đồng."
    ref = opening.ref
    if not all(_is_name(text, 64) for text in (ref.shop, ref.order_id, ref.fulfillment_id)):
        return "An order id and a fulfillment id have 1 to 64 characters and no outer blanks."
    if opening.tracking_number is not None and not _is_text(opening.tracking_number, 128):
        return "The tracking number must have 1 to 128 characters."
    return None


def check_opening(opening: Opening) -> None:
    """Raise `InvalidInput` where an opening cannot be written."""
    problem = opening_problem(opening)
    if problem:
        raise InvalidInput(problem)


def check_same(parcel: Parcel, opening: Opening) -> None:
    """Raise `InvalidInput` where an opening is not the one that a parcel was opened with."""
    if parcel.ref.order_id != opening.ref.order_id:
        raise InvalidInput(
            f"Fulfillment {parcel.ref.fulfillment_id} belongs to order {parcel.ref.order_id}, "
            f"not to {opening.ref.order_id}."
        )
    if opening.cod_amount not in {None, parcel.cod_amount}:
        raise InvalidInput(
            f"Fulfillment {parcel.ref.fulfillment_id} was opened with {parcel.cod_amount} đồng "
            f"to collect, not {opening.cod_amount}."
        )


def check_time(moment: datetime, now: datetime) -> None:
    """Raise `BadTime` where a moment cannot be placed."""
    if moment.tzinfo is None:
        raise BadTime(moment.isoformat(), why="has no time zone")
    if moment - now > FUTURE:
        raise BadTime(moment.isoformat(), why="lies more than a day ahead")


def faults_of(events: Sequence[Event]) -> dict[int, InvalidInput]:
    """Return the error of each event that no database may be asked about, by its place."""
    found = {}
    for number, event in enumerate(events):
        try:
            check_event(event)
        except InvalidInput as error:
            found[number] = error
    return found


def check_event(event: Event) -> None:
    """Raise `InvalidInput` where no database may be asked about an event."""
    for name, longest in LONGEST.items():
        text = getattr(event, name)
        if text is None:
            continue
        if name in NAMES and not _is_name(text, longest):
            raise InvalidInput(
                f"The {name} must have 1 to {longest} characters and no outer blanks."
            )
        if not _is_text(text, longest):
            raise InvalidInput(f"The {name} must have 1 to {longest} characters.")
    opening = event.opening
    if opening is not None:
        check_opening(opening)
        if (opening.ref.shop, opening.ref.fulfillment_id) != (event.shop, event.fulfillment_id):
            raise InvalidInput("An event opens the fulfillment that it is about, and no other.")


def _is_name(text: str, longest: int) -> bool:
    return _is_text(text, longest) and text == text.strip()


def _is_text(text: str, longest: int) -> bool:
    """Tell whether each of the databases can hold a text: no NUL, no half of a character.

    Neither of the two is printable, and a text that is printable throughout is soon seen.
    """
    storable = text.isprintable() or not UNSTORABLE.search(text)
    return storable and len(text) <= longest and bool(text.strip())
