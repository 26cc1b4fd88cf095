"""Reading parts of the log, in its order, for exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.sql import is_placed, raw_entry
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import definitions, fulfillments, history, log, shops


__all__ = ["count_unsealed", "definition_texts", "scoped_rows"]

ROWS_AT_ONCE = 2_000


def scoped_rows(
    connection: Connection, scope: Scope, *, size: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """Stream the entries of a scope among the first so many places of the log.

    Each is the columns of its canonical text, then the hash, the definition's number, the shop,
    the order, the fulfillment, the place and the leaf.
    """
    h, f = history.c, fulfillments.c
    names = (h.hash, h.definition, shops.c.code, f.order_id, f.fulfillment_id)
    conditions = [log.c.position < size]
    if scope.shop is not None:
        conditions.append(shops.c.code == scope.shop)
    if scope.fulfillment_id is not None:
        conditions.append(f.fulfillment_id == scope.fulfillment_id)
    if scope.since is not None:
        conditions.append(h.recorded_at >= scope.since)
    if scope.until is not None:
        conditions.append(h.recorded_at <= scope.until)
    query = (
        select(*raw_entry(connection), *names, log.c.position, log.c.leaf)
        .join_from(log, history, is_placed())
        .join(fulfillments, f.id == h.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(*conditions)
        .order_by(log.c.position)
    )
    yield from streamed(connection, query, at_once=ROWS_AT_ONCE)


def definition_texts(connection: Connection) -> list[str]:
    """Return the canonical texts of all definitions."""
    query = select(definitions.c.canonical).order_by(definitions.c.number)
    return list(connection.execute(query).scalars())


def count_unsealed(connection: Connection, *, size: int) -> int:
    """Count the entries that the first so many places of the log do not hold."""
    count = connection.execute(select(func.count()).select_from(history)).scalar_one()
    return max(0, count - size)
