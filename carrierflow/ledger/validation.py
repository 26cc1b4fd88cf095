"""What an event or an opening must be before any database is asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from carrierflow.domain import limits
from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.limits import fits, is_name
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Source
from carrierflow.domain.typecheck import check_fields, check_text
from carrierflow.errors import BadTime, InvalidInput


__all__ = ["check_event", "check_opening", "check_order", "check_time", "validation_errors"]

LONGEST = {
    "shop": limits.ID,
    "fulfillment_id": limits.ID,
    "tracking_number": limits.TRACKING_NUMBER,
    "key": limits.KEY,
    "actor": limits.ACTOR,
    "reason": limits.REASON,
    "note": limits.NOTE,
}
NAMES = {"shop", "fulfillment_id", "tracking_number", "key"}
"""Texts by which something is found again."""


def _opening_problem(opening: Opening) -> str | None:
    """Say what is wrong with an opening; None if nothing is."""
    if (opening.cod_amount or 0) < 0:
        return "The amount to collect cannot be negative; give whole đồng."
    if (opening.cod_amount or 0) > limits.MOST_CASH:
        return "The amount to collect is beyond belief; give whole đồng."
    ref = opening.ref
    if not all(is_name(text, limits.ID) for text in (ref.shop, ref.order_id, ref.fulfillment_id)):
        return f"Order and fulfillment ids have 1 to {limits.ID} characters and no outer blanks."
    tracking_number = opening.tracking_number
    if tracking_number is not None and not fits(tracking_number, limits.TRACKING_NUMBER):
        return f"The tracking number must have 1 to {limits.TRACKING_NUMBER} characters."
    return None


def check_opening(opening: Opening) -> None:
    """Raise `InvalidInput` where an opening cannot be written, its time aside."""
    check_fields(opening, Opening)
    check_fields(opening.ref, FulfillmentRef)
    problem = _opening_problem(opening)
    if problem:
        raise InvalidInput(problem)


def check_order(parcel: Fulfillment, ref: FulfillmentRef) -> None:
    """Raise `InvalidInput` where a parcel belongs to another order than is said."""
    if parcel.ref.order_id != ref.order_id:
        raise InvalidInput(
            f"Fulfillment {parcel.ref.fulfillment_id} belongs to order {parcel.ref.order_id}, "
            f"not to {ref.order_id}."
        )


def check_time(moment: datetime | None, *, now: datetime, earliest: datetime) -> None:
    """Raise `BadTime` where a moment cannot be placed; none at all stands for the present."""
    if moment is None:
        return
    if moment.utcoffset() is None:
        raise BadTime(moment.isoformat(), why="has no time zone")
    if moment - now > AHEAD:
        raise BadTime(moment.isoformat(), why="lies more than a day ahead")
    if moment < earliest:
        raise BadTime(moment.isoformat(), why=f"lies before {earliest:%Y-%m-%d}, the earliest")


def validation_errors(
    events: Sequence[Event], *, now: datetime, earliest: datetime
) -> dict[int, InvalidInput]:
    """Return the error of each event that no database may be asked about, by its place."""
    found = {}
    sound = None
    for number, event in enumerate(events):
        try:
            check_event(event, now=now, earliest=earliest, sound=sound)
        except InvalidInput as error:
            found[number] = error
        else:
            sound = event.opening
    return found


def check_event(
    event: Event, *, now: datetime, earliest: datetime, sound: Opening | None = None
) -> None:
    """Raise `InvalidInput` where no database may be asked about an event.

    `sound` is an opening that was looked at; many events in a row bring the same. A platform's
    dates were looked at by whoever read them, by a floor that is no setting.
    """
    check_fields(event, Event)
    if (event.fulfillment_id is None) == (event.tracking_number is None):
        raise InvalidInput("An event names a fulfillment_id or a tracking_number: one of the two.")
    floor = EARLIEST if event.source is Source.PLATFORM else earliest
    check_time(event.occurred_at, now=now, earliest=floor)
    for name, longest in LONGEST.items():
        text = getattr(event, name)
        if text is not None and (text.strip() or name != "note"):
            check_text(name, text, longest, names=name in NAMES)
    opening = event.opening
    if opening is not None:
        if opening is not sound:
            check_opening(opening)
        check_time(opening.at, now=now, earliest=floor)
        if (opening.ref.shop, opening.ref.fulfillment_id) != (event.shop, event.fulfillment_id):
            raise InvalidInput("An event opens the fulfillment that it is about, and no other.")
