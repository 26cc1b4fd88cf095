"""Replies made odd, for platforms whose replies hold orders and these their fulfillments."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.jsontext import encode


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator


__all__ = ["NEVER", "bared", "changed", "reworded", "with_value", "without"]

NEVER = "0001-01-01T00:00:00Z"
"""A date that no program takes for one."""


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    """Return the change that takes a field out."""
    return lambda row: {key: value for key, value in row.items() if key != name}


def with_value(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    """Return the change that sets a field."""
    return lambda row: {**row, name: value}


def changed(
    body: bytes,
    chance: random.Random,
    change: Callable[[dict[str, Any]], Any],
    *,
    only: int | None = None,
) -> bytes:
    """Return a reply with one of its fulfillments changed; one without any stays as it is.

    `only` is the id of the one that it is to be, if not any.
    """
    document = _read(body)
    places = [
        (rows, place)
        for rows in _lists_of(document)
        for place, row in enumerate(rows)
        if only is None or (isinstance(row, dict) and row.get("id") == only)
    ]
    if not places:
        return body
    rows, place = chance.choice(places)
    rows[place] = change(rows[place])
    if "fulfillment" in document:
        document["fulfillment"] = rows[place]
    return encode(document)


def bared(body: bytes) -> bytes:
    """Return a reply with the fulfillments taken out of every order in it."""
    document = _read(body)
    for order in [*document.get("orders", ()), document.get("order", {})]:
        if "fulfillments" in order:
            order["fulfillments"] = []
    return encode(document)


def reworded(body: bytes, **words: str) -> bytes:
    """Return a reply that shows these words in every fulfillment."""
    document = _read(body)
    for rows in _lists_of(document):
        for row in rows:
            row.update(words)
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
