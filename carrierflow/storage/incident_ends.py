"""How incidents close by themselves: a run has shown that their cause is gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from carrierflow.domain.decision import OPEN, RESOLVED, DecisionKind
from carrierflow.domain.incident import REFUSES_WRITES
from carrierflow.domain.shop import Shop
from carrierflow.storage.binding import sliced
from carrierflow.storage.decisions import OURSELVES, write_decisions
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import fulfillments, incidents


__all__ = ["GONE", "WHOLE_SHOP", "SqlIncidentEnds", "close_denials", "close_of"]

WHOLE_SHOP = "*"
"""The subject of an incident that concerns no single fulfillment."""

GONE = "gone"
"""What became of an incident that closed by itself."""

NOT_MET = "A later run did not meet it any more."


class SqlIncidentEnds:
    """What closes by itself; each call is a transaction of its own."""

    _store: SqlStore

    def close_shop_incidents(self, shop: Shop, kind: str, *, now: datetime) -> None:
        """Close the shop's own incidents of one kind: their cause is gone."""
        own = _shops_own(shop.id, kind)
        self._store.transact(lambda c: _close_where(c, own, now))

    def close_denials(self, shop: Shop, *, written: bool, now: datetime) -> None:
        """Close what says that the shop's token is not accepted: something was read with it.

        Where writes were not accepted, only one that was proves it wrong.
        """
        self._store.transact(lambda c: close_denials(c, shop.id, written=written, now=now))

    def close_known(self, shop: Shop, *, now: datetime) -> None:
        """Close what says of parcels that the ledger lacks them, where it has them by now."""

        def work(connection: Connection) -> None:
            lacked = _open_causes(connection, shop.id, "unknown_here")
            ids = {cause["fulfillment_id"] for _, cause in lacked}
            known = _known(connection, shop.id, ids) if ids else set()
            over = [number for number, cause in lacked if cause["fulfillment_id"] in known]
            _close(connection, over, now)

        self._store.transact(work)

    def unread_orders(self, shop: Shop) -> set[str]:
        """Return the orders with rows that could not be read when they were last looked at.

        One whose own id cannot be read is the empty one.
        """
        with self._store.reading() as connection:
            return {cause["order_id"] or "" for _, cause in _unread(connection, shop.id)}

    def close_order_incidents(
        self, shop: Shop, order_ids: Collection[str], *, now: datetime
    ) -> None:
        """Close what could not be read of some orders: every row of them can be read again."""

        def work(connection: Connection) -> None:
            unread = _unread(connection, shop.id)
            over = [number for number, cause in unread if (cause["order_id"] or "") in order_ids]
            _close(connection, over, now)

        self._store.transact(work)

    def parcels_with(self, shop: Shop, kinds: Collection[str]) -> dict[str, set[int]]:
        """Return the fulfillments, by their own ids, that have open incidents of some kinds."""
        i = incidents.c
        query = select(i.kind, i.fulfillment).where(
            i.shop == shop.id, i.kind.in_(kinds), i.state == OPEN, i.fulfillment.is_not(None)
        )
        found: dict[str, set[int]] = {kind: set() for kind in kinds}
        with self._store.reading() as connection:
            for kind, number in connection.execute(query):
                found[kind].add(number)
        return found

    def close_parcel_incidents(
        self, shop: Shop, kind: str, parcel_ids: Collection[int], *, now: datetime
    ) -> None:
        """Close the incidents of one kind that some fulfillments have: their cause is gone."""

        def work(connection: Connection) -> None:
            for number in parcel_ids:  # seldom more than one
                close_of(connection, shop.id, number, [kind], now)

        self._store.transact(work)


def close_of(
    connection: Connection, shop_id: int, parcel_id: int, kinds: Collection[str], now: datetime
) -> None:
    """Close the incidents of some kinds that one fulfillment has."""
    i = incidents.c
    mine = (i.shop == shop_id, i.state == OPEN, i.kind.in_(kinds), i.fulfillment == parcel_id)
    _close_where(connection, mine, now)


def close_denials(connection: Connection, shop_id: int, *, written: bool, now: datetime) -> None:
    """Close what says that a shop's token is not accepted, as far as that is shown to be over."""
    denied = _open_causes(connection, shop_id, "access_denied")
    over = [number for number, cause in denied if written or not cause.get(REFUSES_WRITES)]
    _close(connection, over, now)


def _close(connection: Connection, numbers: Iterable[int], now: datetime) -> None:
    i = incidents.c
    for some in sliced(connection, list(numbers)):
        _close_where(connection, (i.id.in_(some), i.state == OPEN), now)


def _close_where(
    connection: Connection, which: Sequence[ColumnElement[bool]], now: datetime
) -> None:
    """Close the open ones of some incidents; what another one closes meanwhile is closed once."""
    query = select(incidents.c.id).where(*which).order_by(incidents.c.id).with_for_update()
    numbers = connection.execute(query).scalars().all()
    for some in sliced(connection, numbers):
        over = update(incidents).where(incidents.c.id.in_(some)).values(**_over(now))
        connection.execute(over)
    write_decisions(connection, numbers, DecisionKind.CLOSED, now=now, reason=NOT_MET)


def _over(now: datetime) -> dict[str, Any]:
    return {
        "state": RESOLVED,
        "resolved_at": now,
        "action": GONE,
        "resolved_by": OURSELVES,
        "resolved_reason": NOT_MET,
    }


def _unread(connection: Connection, shop_id: int) -> list[tuple[int, dict[str, Any]]]:
    return _open_causes(connection, shop_id, "unreadable")


def _open_causes(
    connection: Connection, shop_id: int, kind: str
) -> list[tuple[int, dict[str, Any]]]:
    query = select(incidents.c.id, incidents.c.evidence).where(*_shops_own(shop_id, kind))
    return [(row.id, json.loads(row.evidence)) for row in connection.execute(query)]


def _shops_own(shop_id: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    i = incidents.c
    return i.shop == shop_id, i.subject == WHOLE_SHOP, i.kind == kind, i.state == OPEN


def _known(connection: Connection, shop_id: int, ids: Collection[str]) -> set[str]:
    f = fulfillments.c
    return {
        found
        for some in sliced(connection, ids)
        for found in connection.execute(
            select(f.fulfillment_id).where(f.shop == shop_id, f.fulfillment_id.in_(some))
        ).scalars()
    }
