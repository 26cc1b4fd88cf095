"""What an export holds, in figures: entries, parcels and cash of each shop.

They are computed from the lines alone, when an export is written and when it is verified, so that
they say what is there and not what a database says.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


__all__ = ["Totals"]

TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
SHOP, ORDER, PARCEL = b'"shop":', b'"order_id":', b'"fulfillment_id":'
AMOUNT = re.compile(rb'"cod_amount":"([0-9]+)"')
CASH = re.compile(rb'"machine":"cod".*"to":"([a-z]+)"')
TERMS = (b'"kind":"opening"', b'"kind":"revision"')
KIND = b'"kind":"'
UNKNOWN = "unknown"
"""The status of cash of which no step is there, and the amount of parcels without terms."""

Parcel = tuple[bytes, bytes, bytes]


@dataclass(slots=True)
class _Shop:
    entries: int = 0
    parcels: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        cash = {
            status: {"fulfillments": count, "amount": str(self.amounts[status])}
            for status, count in sorted(self.counts.items())
        }
        return {"entries": self.entries, "fulfillments": self.parcels, "cod": cash}


class Totals:
    """Takes in lines; all those of one parcel must come before the parcels are counted."""

    def __init__(self) -> None:
        self._shops: dict[bytes, _Shop] = {}
        self._parcels: dict[Parcel, tuple[bytes, bytes]] = {}

    def add(self, line: bytes) -> None:
        """Take in a line."""
        shop = _text(line, SHOP)
        if shop is None:
            return
        self._shops.setdefault(shop, _Shop()).entries += 1
        is_terms = any(mark in line for mark in TERMS)
        if KIND in line and not is_terms:
            return
        order, parcel = _text(line, ORDER), _text(line, PARCEL)
        if order is None or parcel is None:
            return
        key = (shop, order, parcel)
        amount, status = self._parcels.get(key, (b"", b""))
        found = (AMOUNT if is_terms else CASH).search(line)
        if found is not None:
            amount, status = (found[1], status) if is_terms else (amount, found[1])
        self._parcels[key] = amount, status

    def counting(self, numbered: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """Take in numbered lines as they pass."""
        for number, line in numbered:
            self.add(line)
            yield number, line

    def count_parcels(self) -> None:
        """Count the parcels that came by, and forget them."""
        for (shop, _, _), (amount, status) in self._parcels.items():
            here, word = self._shops[shop], status.decode() or UNKNOWN
            here.parcels += 1
            here.counts[word] += 1
            here.amounts[word] += int(amount or b"0")
        self._parcels.clear()

    def document(self) -> dict[str, Any]:
        """Return the figures of each shop, as the manifest says them."""
        self.count_parcels()
        named = {str(json.loads(shop)): found for shop, found in self._shops.items()}
        return {shop: named[shop].document() for shop in sorted(named)}


def _text(line: bytes, key: bytes) -> bytes | None:
    start = line.find(key)
    found = TEXT.match(line, start + len(key)) if start >= 0 else None
    return None if found is None else found[0]
