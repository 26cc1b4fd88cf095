"""A sample that nobody chose: its places in the log follow from a seed and from the log's size.

The k-th draw is SHA-256 of the line `SEED SIZE k`, read as a number, modulo the size; a place
that was drawn already is drawn again with the next k. Whoever names the seed after the
checkpoint was handed over knows that no entry was kept out of the sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from carrierflow.audit.note import SignedNote
from carrierflow.audit.proof import Proof
from carrierflow.domain.model import FulfillmentRef, HistoryEntry


__all__ = ["Sample", "Sampled", "places"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """One entry of the sample, with the proof that it stands where it was drawn."""

    position: int
    ref: FulfillmentRef
    entry: HistoryEntry
    proof: Proof


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A sample of the sealed history; the same seed and checkpoint give the same one."""

    seed: str
    checkpoint: SignedNote
    entries: tuple[Sampled, ...]
    """In the order in which they were drawn."""


def places(seed: str, size: int, most: int) -> list[int]:
    """Draw so many different places of a log, or all of them where it has no more."""
    return list(islice(_drawn(seed, size), min(most, size)))


def _drawn(seed: str, size: int) -> Iterator[int]:
    known: set[int] = set()
    for number in count(1):
        line = f"{seed} {size} {number}".encode()
        place = int.from_bytes(hashlib.sha256(line).digest()) % size
        if place not in known:
            known.add(place)
            yield place
