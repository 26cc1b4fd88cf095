"""Replies made odd: rows that cannot be read, dates that were never, words that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.odd_replies import NEVER, changed, reworded, with_value, without


if TYPE_CHECKING:
    import random
    from collections.abc import Callable


__all__ = ["with_odd_date", "with_odd_row", "with_word"]

_DATED = ("packed_on", "shipped_on", "received_on", "cancel_date", "modified_on")

_DAMAGES: tuple[Callable[[dict[str, Any]], Any], ...] = (
    without("status"),
    without("id"),
    without("modified_on"),
    with_value("modified_on", "yesterday"),
    with_value("status", ["received"]),
    with_value("status", None),
    with_value("id", {}),
    with_value("shipment", "by bicycle"),
    lambda _row: None,
    lambda _row: "a fulfillment",
)


def with_odd_row(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one of its fulfillments damaged; one without any stays as it is."""
    return changed(body, chance, chance.choice(_DAMAGES))


def with_odd_date(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one date of one of its fulfillments set to the year one."""
    return changed(body, chance, with_value(chance.choice(_DATED), NEVER))


def with_word(body: bytes, word: str) -> bytes:
    """Return a reply that shows a word as the status of every fulfillment, in both fields."""
    return reworded(body, status=word, composite_fulfillment_status=word)
