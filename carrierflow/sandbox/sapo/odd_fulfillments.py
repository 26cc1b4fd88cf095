"""Replies made odd: rows that cannot be read, dates that were never, words that nobody knows."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.jsontext import encode


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping


__all__ = ["with_odd_date", "with_odd_row", "with_word", "without_fulfillments"]

_NEVER = "0001-01-01T00:00:00Z"
_DATED = ("packed_on", "shipped_on", "received_on", "cancel_date", "modified_on")


def _without(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def _with(name: str, value: Any) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: {**row, name: value}


_DAMAGES: tuple[Callable[[Mapping[str, Any]], Any], ...] = (
    _without("status"),
    _without("id"),
    _without("modified_on"),
    _with("modified_on", "yesterday"),
    _with("status", ["received"]),
    _with("status", None),
    _with("id", {}),
    _with("shipment", "by bicycle"),
    lambda _row: None,
    lambda _row: "a fulfillment",
)


def with_odd_row(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one of its fulfillments damaged; one without any stays as it is."""
    return _changed(body, chance, chance.choice(_DAMAGES))


def with_odd_date(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one date of one of its fulfillments set to the year one."""
    return _changed(body, chance, _with(chance.choice(_DATED), _NEVER))


def with_word(body: bytes, word: str) -> bytes:
    """Return a reply that shows a word as the status of every fulfillment, in both fields."""
    document = _read(body)
    for rows in _lists_of(document):
        for row in rows:
            row.update(status=word, composite_fulfillment_status=word)
    return encode(document)


def without_fulfillments(body: bytes) -> bytes:
    """Return a reply with the fulfillments taken out of every order in it."""
    document = _read(body)
    for order in [*document.get("orders", ()), document.get("order", {})]:
        if "fulfillments" in order:
            order["fulfillments"] = []
    return encode(document)


def _changed(
    body: bytes, chance: random.Random, change: Callable[[Mapping[str, Any]], Any]
) -> bytes:
    document = _read(body)
    places = [(rows, at) for rows in _lists_of(document) for at in range(len(rows))]
    if not places:
        return body
    rows, at = chance.choice(places)
    rows[at] = change(rows[at])
    if "fulfillment" in document:
        document["fulfillment"] = rows[at]
    return encode(document)


def _read(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _lists_of(document: Any) -> Iterator[list[Any]]:
    """Yield every list of fulfillments; a reply about one counts as a list of one."""
    if "fulfillment" in document:
        yield [document["fulfillment"]]
    if "fulfillments" in document:
        yield document["fulfillments"]
    orders = [*document.get("orders", ()), document.get("order", {})]
    yield from (order["fulfillments"] for order in orders if order.get("fulfillments"))
