"""What was agreed about each parcel of an export: its opening, and every revision after it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from carrierflow.audit.verify.replay import Findings
from carrierflow.domain.canonical import quoted


__all__ = ["AgreedChains", "Parcel"]

Parcel = tuple[str, ...]
"""Shop, order and fulfillment, each as it stands in a canonical text."""

Agreed = tuple[Any, ...]

NAMES = ("shop", "order_id", "fulfillment_id")
AGREED = ("cod_amount", "tracking_number", "carrier_code")


class AgreedChains:
    """The terms of some parcels, by their numbers; all of a parcel's lines must come."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._terms: dict[Parcel, dict[int, Agreed]] = defaultdict(dict)

    def add(self, line: bytes) -> bool:
        """Take in what a line says was agreed; False where it says nothing of the kind."""
        try:
            said = json.loads(line)
            parcel = tuple(quoted(said[name]) for name in NAMES)
            number, agreed = int(said["number"]), tuple(said[name] for name in AGREED)
            by = said["actor"], said["reason"]
        except (ValueError, KeyError, TypeError):
            return False
        self._terms[parcel][number] = agreed
        if number and not all(by):
            self._wrong(parcel, f"revision {number} does not say who and why")
        return True

    def finish(self, parcels: Iterable[Parcel]) -> None:
        """Look at what is asked of whole parcels, of those that have steps."""
        for parcel in parcels:
            for what in _astray(self._terms.get(parcel, {})):
                self._wrong(parcel, what)

    def _wrong(self, parcel: Parcel, what: str) -> None:
        self._findings.add("/".join(json.loads(name) for name in parcel), what)


def _astray(terms: dict[int, Agreed]) -> Iterator[str]:
    """Say what is wrong with the terms of one parcel."""
    if not terms:
        yield "nothing says what was agreed about it"
    elif len(terms) != max(terms) + 1:
        yield "a revision of what was agreed about it is missing"
    for number in sorted(terms):
        if number and terms.get(number - 1) == terms[number]:
            yield f"revision {number} says what was agreed already"
