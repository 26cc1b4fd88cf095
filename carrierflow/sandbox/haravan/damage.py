"""One fulfillment of a reply made odd: what other programs' rows were seen to look like."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.jsontext import encode


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator


__all__ = ["bared", "damaged", "misdated", "spoken"]

_NEVER = "0001-01-01T00:00:00Z"
_DATED = ("updated_at", "ready_to_pick_date", "delivering_date", "delivered_date")


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def _with(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {**row, name: value}


_DAMAGES: tuple[Callable[[dict[str, Any]], Any], ...] = (
    _without("carrier_status_code"),
    _without("carrier_cod_status_code"),
    _without("updated_at"),
    _with("updated_at", None),
    _with("updated_at", "yesterday"),
    _with("order_id", {}),
    _with("carrier_status_code", ["delivered"]),
    lambda _row: None,
    lambda _row: "a fulfillment",
)


def damaged(body: bytes, chance: random.Random, *, only: int | None = None) -> bytes:
    """Return a reply with one of its fulfillments damaged; one without any stays as it is.

    `only` is the id of the one that it is to be, if not any.
    """
    return _changed(body, chance, chance.choice(_DAMAGES), only=only)


def misdated(body: bytes, chance: random.Random) -> bytes:
    """Return a reply with one date of one of its fulfillments set to the year one."""
    return _changed(body, chance, _with(chance.choice(_DATED), _NEVER))


def bared(body: bytes) -> bytes:
    """Return a reply with the fulfillments taken out of every order in it."""
    document = _read(body)
    for order in [*document.get("orders", ()), document.get("order", {})]:
        if "fulfillments" in order:
            order["fulfillments"] = []
    return encode(document)


def spoken(body: bytes, word: str) -> bytes:
    """Return a reply that shows a word for every delivery status."""
    document = _read(body)
    for rows in _lists_of(document):
        for row in rows:
            row["carrier_status_code"] = word
    return encode(document)


def _changed(
    body: bytes,
    chance: random.Random,
    change: Callable[[dict[str, Any]], Any],
    *,
    only: int | None = None,
) -> bytes:
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
