"""Bodies of Sapo's as its order API document prints them, and the question that they answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from carrierflow.platforms.http.replies import PlatformReply, parse_document
from carrierflow.platforms.sapo.order_bodies import SapoLook, read_sapo_order


PAYLOADS = Path(__file__).parents[3] / "payloads" / "sapo"
ASKED = datetime(2018, 7, 10, 1, 30, tzinfo=UTC)
SEEN = datetime(2018, 7, 10, 1, 31, tzinfo=UTC)
LOOK = SapoLook(shop="s1", asked_at=ASKED, seen_at=SEEN, source="order")


def printed(name):
    """Return a printed body, byte by byte; the persons in it are invented."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def body_of(name):
    """Return the document of a printed body."""
    return parse_document(printed(name))


def parcel(**changes):
    """Return the printed fulfillment with cash, received and paid, with changes."""
    return body_of("fulfillment_receive")["fulfillment"] | changes


def order_with(*rows, **changes):
    """Return the printed order with other fulfillments, and with changes."""
    order = body_of("order_read")["order"] | {"fulfillments": list(rows)}
    return {"order": order | {"id": 15414945} | changes}


def read(**changes):
    """Read an order whose one fulfillment is the printed one with changes."""
    return read_sapo_order(order_with(parcel(**changes)), LOOK)


def seen(**changes):
    """Return what is read of the printed fulfillment with changes."""
    (found,) = read(**changes).fulfillments
    return found


def reply(body, *, status=200, **headers):
    """Return a reply of so many bytes."""
    return PlatformReply(
        status=status, headers=headers, body=body, flaw=None, asked_at=ASKED, seen_at=SEEN
    )
