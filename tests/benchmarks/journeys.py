"""The events that every contestant records: the same parcels, the same days, the same order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status


__all__ = [
    "CASH",
    "MORNING",
    "ROWS_PER_JOURNEY",
    "SHOP",
    "at_picking",
    "journeys",
    "openings",
    "scans",
]

SHOP = "alpha"
MORNING = datetime(2026, 3, 1, 1, tzinfo=UTC)
CASH = 250_000

WALK = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)
ROWS_PER_JOURNEY = 6
"""Two by which a parcel is opened, three scans, and the cash that a delivery brings."""


def journeys(first, count):
    """Return whole journeys of new parcels, sorted by parcel, as a carrier's own export is."""
    return [event for number in range(first, first + count) for event in _walk(number, WALK)]


def at_picking(first, count):
    """Return what brings new parcels to where the next scan finds them."""
    return [event for number in range(first, first + count) for event in _walk(number, WALK[:1])]


def scans(first, count):
    """Return the next scan of known parcels, one each, as a courier's shift brings them."""
    return [_event(number, 1, Status.DELIVERING) for number in range(first, first + count)]


def openings(first, count):
    """Return what begins new parcels before anything happens to them, as an order that comes in."""
    return [_opening(number) for number in range(first, first + count)]


def _opening(number):
    ref = FulfillmentRef(shop=SHOP, order_id=f"{10**9 + number}", fulfillment_id=_id(number))
    return Opening(ref=ref, cod_amount=CASH)


def _walk(number, statuses):
    opening = _opening(number)
    return [_event(number, hour, status, opening) for hour, status in enumerate(statuses)]


def _event(number, hour, status, opening=None):
    return Event(
        shop=SHOP,
        fulfillment_id=_id(number),
        status=status,
        occurred_at=MORNING + timedelta(hours=hour, milliseconds=number),
        key=f"scan-{number}-{hour}",
        actor="hub 7",
        opening=opening,
    )


def _id(number):
    return f"{2 * 10**9 + number}"
