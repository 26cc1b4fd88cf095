"""One fulfillment of a reply made odd: what other programs' rows were seen to look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.odd_replies import NEVER, changed, reworded, with_value, without


if TYPE_CHECKING:
    import random
    from collections.abc import Callable


__all__ = ["damaged", "misdated", "spoken"]

_DATED = ("updated_at", "ready_to_pick_date", "delivering_date", "delivered_date")

_DAMAGES: tuple[Callable[[dict[str, Any]], Any], ...] = (
    without("carrier_status_code"),
    without("carrier_cod_status_code"),
    without("updated_at"),
    with_value("updated_at", None),
    with_value("updated_at", "yesterday"),
    with_value("order_id", {}),
    with_value("carrier_status_code", ["delivered"]),
    lambda _row: None,
    lambda _row: "a fulfillment",
)


def damaged(body: bytes, chance: random.Random, *, only: int | None = None) -> bytes:
    """Return a reply with one of its fulfillments damaged; one without any stays as it is.

    `only` is the id of the one that it is to be, if not any.
    """
    return changed(body, chance, chance.choice(_DAMAGES), only=only)


def misdated(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one date of one of its fulfillments set to the year one."""
    return changed(body, chance, with_value(chance.choice(_DATED), NEVER))


def spoken(body: bytes, word: str) -> bytes:
    """Return a reply that shows a word for every delivery status."""
    return reworded(body, carrier_status_code=word)
