"""The parcels that a checkpoint covers, as the log had them then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select

from carrierflow.audit.log.entry_kinds import OPENING, REVISION, TRANSITION, EntryKind
from carrierflow.audit.reports.as_of import STATUSES, WIDTH, code_of
from carrierflow.audit.sampling.population import SampleUnit
from carrierflow.domain.model import Machine, Status
from carrierflow.errors import HistoryBroken
from carrierflow.storage.rows import ref_from
from carrierflow.storage.tables import checkpoints, fulfillments, history, log, shops, terms


__all__ = ["root_at", "units_at"]

STREAM = 2_000


def root_at(connection: Connection, size: int) -> str:
    """Return the root that was sealed at a size, in hex.

    Raises:
        HistoryBroken: if there is no checkpoint of that size.
    """
    query = select(checkpoints.c.root).where(checkpoints.c.size == size)
    root = connection.execute(query).scalar()
    if root is None:
        raise HistoryBroken(f"There is no checkpoint at {size} entries.")
    return str(root)


def units_at(connection: Connection, size: int, *, shop: int | None = None) -> Iterator[SampleUnit]:
    """Yield the parcels that were opened at one of the first places, in the order of the log.

    What came later, be it a revision or a step, is not seen.
    """
    revised = _revised(connection, size, shop)
    stands = _stands(connection, size, shop)
    query = _terms(OPENING, size, shop)
    result = connection.execution_options(yield_per=STREAM).execute(query.order_by(log.c.position))
    for row in result:
        waybill, amount = revised.get(row.fulfillment, (row.tracking_number, row.cod_amount))
        yield SampleUnit(
            ref=ref_from(row),
            tracking_number=waybill,
            amount=amount,
            delivery=stands.get((row.fulfillment, Machine.DELIVERY)),
            cash=stands.get((row.fulfillment, Machine.COD)),
            position=row.position,
        )


def _terms(kind: EntryKind, size: int, shop: int | None) -> Select[Any]:
    f, t = fulfillments.c, terms.c
    query = (
        select(
            log.c.position,
            t.fulfillment,
            t.number,
            t.tracking_number,
            t.cod_amount,
            shops.c.code,
            f.order_id,
            f.fulfillment_id,
        )
        .join_from(log, terms, kind.is_placed())
        .join(fulfillments, f.id == t.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(log.c.kind == kind.name, log.c.position < size)
    )
    return query if shop is None else query.where(f.shop == shop)


def _revised(
    connection: Connection, size: int, shop: int | None
) -> dict[int, tuple[str | None, int]]:
    """Return the last terms of the parcels whose terms were changed."""
    query = _terms(REVISION, size, shop).order_by(terms.c.fulfillment, terms.c.number)
    return {
        row.fulfillment: (row.tracking_number, row.cod_amount) for row in connection.execute(query)
    }


def _stands(
    connection: Connection, size: int, shop: int | None
) -> dict[tuple[int, Machine], Status]:
    h = history.c
    codes = {status: code_of(status) for status in Status}
    step = h.seq * WIDTH + case(codes, value=h.to_status, else_=len(STATUSES))
    query = (
        select(h.fulfillment, h.machine, func.max(step).label("last"))
        .join_from(log, history, TRANSITION.is_placed())
        .where(and_(log.c.kind == TRANSITION.name, log.c.position < size))
        .group_by(h.fulfillment, h.machine)
    )
    if shop is not None:
        query = query.join(fulfillments, fulfillments.c.id == h.fulfillment).where(
            fulfillments.c.shop == shop
        )
    return {
        (row.fulfillment, Machine(row.machine)): STATUSES[row.last % WIDTH]
        for row in connection.execute(query)
        if row.last % WIDTH < len(STATUSES)
    }
