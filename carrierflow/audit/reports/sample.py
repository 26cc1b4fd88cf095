"""A sample that nobody chose: its places in the log follow from a seed and from the log's root.

The k-th draw is SHA-256 of the line `SEED ROOT k`, read as a number, modulo the size; a place
that was drawn already, or holds another entry than a parcel's step, is passed over, and the next
k draws. Whoever names the seed after the checkpoint was handed over knows that no entry was kept
out of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.entry_kinds import TRANSITION
from carrierflow.audit.log.proof import Proof
from carrierflow.audit.log.sql import Log
from carrierflow.audit.log.tree import inclusion_proof
from carrierflow.audit.sampling.draws import drawn
from carrierflow.domain.canonical import canonical_entry
from carrierflow.domain.model import FulfillmentRef, HistoryEntry
from carrierflow.errors import HistoryBroken
from carrierflow.storage.binding import sliced
from carrierflow.storage.rows import entry_from, ref_from
from carrierflow.storage.tables import definitions, fulfillments, history, log, shops


__all__ = ["Sample", "Sampled", "entries_at", "steps_drawn"]


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


CHUNK = 500


def steps_drawn(connection: Connection, seed: str, checkpoint: Checkpoint, most: int) -> list[int]:
    """Draw so many different places at which steps stand, or all of them.

    A place that the log has lost counts as drawn: that its entry is gone is to be said.
    """
    found: list[int] = []
    waiting = drawn(seed, checkpoint.root.hex(), checkpoint.size)
    while len(found) < most and (some := list(islice(waiting, CHUNK))):
        query = select(log.c.position).where(log.c.position.in_(some))
        others = set(connection.execute(query.where(log.c.kind != TRANSITION.name)).scalars())
        found += [place for place in some if place not in others]
    return found[:most]


def entries_at(
    connection: Connection, places: Sequence[int], note: SignedNote
) -> Iterator[Sampled]:
    """Yield the entries at some places, in the order of the places asked for.

    Raises:
        HistoryBroken: if one of them is not there any more.
    """
    tree, size = Log(connection), note.checkpoint.size
    for some in sliced(connection, places, at_once=CHUNK):
        rows = {row.position: row for row in connection.execute(_query(some))}
        lost = sorted(set(some) - set(rows))
        if lost:
            raise HistoryBroken(f"The entry at place {lost[0]} of the log is gone.")
        for position in some:
            yield _sampled(rows[position], tree, size, note)


def _query(places: Sequence[int]) -> Any:
    f = fulfillments.c
    return (
        select(
            history,
            definitions.c.id.label("definition_id"),
            shops.c.code,
            f.order_id,
            f.fulfillment_id,
            log.c.position,
        )
        .join_from(log, history, TRANSITION.is_placed())
        .join(definitions, definitions.c.number == history.c.definition)
        .join(fulfillments, f.id == history.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(log.c.position.in_(places))
    )


def _sampled(row: Any, tree: Log, size: int, note: SignedNote) -> Sampled:
    ref = ref_from(row)
    entry = entry_from(row, row.definition_id)
    path = inclusion_proof(tree.subtree, row.position, size)
    proof = Proof(
        entry=canonical_entry(ref, entry), index=row.position, path=tuple(path), checkpoint=note
    )
    return Sampled(position=row.position, ref=ref, entry=entry, proof=proof)
