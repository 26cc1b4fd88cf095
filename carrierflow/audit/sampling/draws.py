"""Draws that nobody chose: they follow from the root that was sealed and from a seed.

The k-th number is SHA-256 of the line `SEED ROOT k`, read as a number; the root is written in hex.
Whoever names the seed after the checkpoint was handed over knows that nothing was kept out, and
whoever has both draws the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice

from carrierflow.audit.sampling.population import SampleUnit, Stratum, stratum_of


__all__ = ["by_amount", "drawn", "number_of", "proportional", "random_units"]


def number_of(*words: object) -> int:
    """Return the number that a line of words stands for."""
    line = " ".join(map(str, words)).encode()
    return int.from_bytes(hashlib.sha256(line).digest())


def drawn(seed: str, root: str, size: int, *within: str) -> Iterator[int]:
    """Yield the places of a list in the order in which they are drawn, each once."""
    known: set[int] = set()
    for k in count(1) if size else ():
        place = number_of(seed, root, *within, k) % size
        if place not in known:
            known.add(place)
            yield place
            if len(known) == size:
                return


def random_units(
    units: Sequence[SampleUnit], size: int, *, seed: str, root: str, within: Sequence[str] = ()
) -> list[SampleUnit]:
    """Draw so many parcels, each as likely as any other."""
    return [units[place] for place in islice(drawn(seed, root, len(units), *within), size)]


def proportional(
    units: Sequence[SampleUnit], by: Stratum, size: int
) -> Mapping[str, tuple[list[SampleUnit], int]]:
    """Divide parcels into strata, and a sample among them in proportion, by largest remainder.

    None goes without one.
    """
    strata: dict[str, list[SampleUnit]] = defaultdict(list)
    for unit in units:
        strata[stratum_of(unit, by)].append(unit)
    shares = {name: size * len(some) / len(units) for name, some in sorted(strata.items())}
    sizes = {name: max(1, int(share)) for name, share in shares.items()}
    rest = max(0, size - sum(sizes.values()))
    for name in sorted(shares, key=lambda name: (int(shares[name]) - shares[name], name))[:rest]:
        sizes[name] += 1
    return {name: (strata[name], min(sizes[name], len(strata[name]))) for name in shares}


def by_amount(
    units: Sequence[SampleUnit], interval: int, *, seed: str, root: str
) -> Iterator[tuple[SampleUnit, int]]:
    """Draw each đồng as likely as any other; yield the parcels that one of them lies in.

    From a first đồng, which the seed decides, every one at the interval is drawn. So a parcel of
    the interval or more is always among them; the number beside it says how often it was hit.
    """
    following, passed = number_of(seed, root, 1) % interval, 0
    for unit in units:
        passed += unit.amount
        if following < passed:
            hits = (passed - 1 - following) // interval + 1
            following += hits * interval
            yield unit, hits
