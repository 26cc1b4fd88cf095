"""The entries at some places of the log, each with its proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from carrierflow.audit.note import SignedNote
from carrierflow.audit.proof import Proof
from carrierflow.audit.sampling import Sampled
from carrierflow.audit.tree import inclusion_proof
from carrierflow.domain.canonical import canonical_entry
from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import HistoryBroken
from carrierflow.storage.binding import sliced
from carrierflow.storage.log import Log, is_placed
from carrierflow.storage.rows import entry_from
from carrierflow.storage.tables import definitions, fulfillments, history, log, shops


__all__ = ["entries_at"]

CHUNK = 500


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
        .join_from(log, history, is_placed())
        .join(definitions, definitions.c.number == history.c.definition)
        .join(fulfillments, f.id == history.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(log.c.position.in_(places))
    )


def _sampled(row: Any, tree: Log, size: int, note: SignedNote) -> Sampled:
    ref = FulfillmentRef(shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id)
    entry = entry_from(row, row.definition_id)
    path = inclusion_proof(tree.subtree, row.position, size)
    proof = Proof(
        entry=canonical_entry(ref, entry), index=row.position, path=tuple(path), checkpoint=note
    )
    return Sampled(position=row.position, ref=ref, entry=entry, proof=proof)
