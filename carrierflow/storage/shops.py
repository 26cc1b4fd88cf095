"""Shops in the database: connections, leases with fences, and what each run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from carrierflow.domain.shop import Coverage, Shop, ShopState
from carrierflow.errors import InvalidInput, ShopHeld, UnknownShop
from carrierflow.storage.clock import DatabaseClock
from carrierflow.storage.tables import fulfillments, incidents, runs, shops


__all__ = [
    "Leases",
    "add_shop",
    "all_shops",
    "begin_run",
    "change_shop",
    "coverage",
    "end_run",
    "find_shop",
    "revoke_shop",
    "shop_codes",
    "shop_number",
]

READ_SHOP = select(shops).where(shops.c.code == bindparam("code"))
READ_NUMBER = select(shops.c.id).where(shops.c.code == bindparam("code"))

FORGOTTEN: Mapping[str, Any] = MappingProxyType(
    {
        "state": ShopState.REVOKED,
        "token": b"",
        "refresh_token": None,
        "token_expires_at": None,
        "refreshing_until": None,
        "scopes": None,
        "carrier_service_id": None,
        "subscribed_at": None,
        "subscription_checked_at": None,
        "lease_owner": None,
        "lease_until": None,
    }
)
"""What a revoked shop's row no longer says."""


def shop_number(connection: Connection, code: str) -> int:
    """Return the row number of a shop.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    number = connection.execute(READ_NUMBER, {"code": code}).scalar()
    if number is None:
        raise UnknownShop(code)
    return int(number)


def shop_codes(connection: Connection) -> dict[int, str]:
    """Return the code of every shop by its row number."""
    return {row.id: row.code for row in connection.execute(select(shops.c.id, shops.c.code))}


def find_shop(connection: Connection, code: str) -> Shop:
    """Return a shop by its code.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    row = connection.execute(READ_SHOP, {"code": code}).one_or_none()
    if row is None:
        raise UnknownShop(code)
    return _shop_from(row)


def all_shops(connection: Connection) -> list[Shop]:
    """Return every shop, those first that have waited longest for a run."""
    query = select(shops).order_by(
        shops.c.next_due.is_(None).desc(), shops.c.next_due, shops.c.code
    )
    return [_shop_from(row) for row in connection.execute(query)]


def add_shop(connection: Connection, values: Mapping[str, Any]) -> None:
    """Connect a shop.

    Raises:
        InvalidInput: if its code is taken.
    """
    query = select(shops.c.id).where(shops.c.code == values["code"])
    if connection.execute(query).scalar() is not None:
        raise InvalidInput(f"There is a shop {values['code']!r} already.")
    fresh = {"fence": 0, "rate_until_us": 0, "paused_until_us": 0, "state": ShopState.ACTIVE}
    connection.execute(insert(shops), fresh | dict(values))


def change_shop(connection: Connection, code: str, **values: Any) -> Shop:
    """Change some columns of a shop and return it.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    connection.execute(update(shops).where(shops.c.code == code).values(**values))
    return find_shop(connection, code)


def revoke_shop(connection: Connection, code: str, *, now: datetime) -> Shop:
    """Forget what a shop let us do there, and take it from a run that holds it.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    connection.execute(
        update(shops)
        .where(shops.c.code == code, shops.c.state != ShopState.REVOKED)
        .values(**FORGOTTEN, revoked_at=now, fence=shops.c.fence + 1)
    )
    return find_shop(connection, code)


def coverage(connection: Connection, shop: Shop, *, since: datetime) -> Coverage:
    """Return how well the open fulfillments of a shop are known."""
    f = fulfillments.c
    mine = select(
        func.count(),
        _count(f.verified_at >= since),
        func.min(f.verified_at),
        _count(f.verified_at.is_(None)),
        _count(f.unpublished > 0),
        _count(f.frozen.is_not(None)),
    ).where(f.shop == shop.id, f.open)
    found = connection.execute(mine).one()
    waiting = select(func.count()).where(incidents.c.shop == shop.id, incidents.c.state == "open")
    return Coverage(
        shop=shop.code,
        open=found[0],
        verified=found[1],
        oldest_verified_at=found[2],
        never_verified=found[3],
        unpublished=found[4],
        frozen=found[5],
        incidents=connection.execute(waiting).scalar_one(),
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows of a condition; MariaDB has no FILTER."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


class Leases:
    """Who may work on a shop: one run at a time, for so long, with a number that only grows."""

    def __init__(self, clock: DatabaseClock) -> None:
        self._clock = clock

    def claim(self, connection: Connection, shop: Shop, owner: str, span: timedelta) -> int:
        """Take a shop and return the fence.

        Raises:
            ShopHeld: if another run holds it.
        """
        now = self._clock.now(connection)
        free = or_(shops.c.lease_until.is_(None), shops.c.lease_until <= now)
        taken = connection.execute(
            update(shops)
            .where(shops.c.id == shop.id, free)
            .values(lease_owner=owner, lease_until=now + span, fence=shops.c.fence + 1)
        )
        if not taken.rowcount:
            raise ShopHeld(shop.code)
        query = select(shops.c.fence).where(shops.c.id == shop.id)
        return int(connection.execute(query).scalar_one())

    def renew(self, connection: Connection, shop: Shop, fence: int, span: timedelta) -> bool:
        """Hold on to a shop for longer; False if another run took it meanwhile."""
        until = self._clock.now(connection) + span
        kept = connection.execute(
            update(shops).where(self._held(shop, fence)).values(lease_until=until)
        )
        return bool(kept.rowcount)

    def release(self, connection: Connection, shop: Shop, fence: int) -> None:
        """Let a shop go, if it is still ours, and put it at the end of the queue."""
        now = self._clock.now(connection)
        connection.execute(
            update(shops)
            .where(self._held(shop, fence))
            .values(lease_owner=None, lease_until=None, next_due=now)
        )

    def holds(self, connection: Connection, shop: Shop, fence: int) -> bool:
        """Tell whether no other run has taken the shop since."""
        query = select(shops.c.id).where(self._held(shop, fence))
        return connection.execute(query).scalar() is not None

    @staticmethod
    def _held(shop: Shop, fence: int) -> Any:
        return and_(shops.c.id == shop.id, shops.c.fence == fence)


def begin_run(connection: Connection, run: str, shop: Shop, *, kind: str, now: datetime) -> None:
    """Write that a run began."""
    row = {"id": run, "kind": kind, "shop": shop.id, "started_at": now}
    connection.execute(insert(runs), row)


def end_run(
    connection: Connection, run: str, *, reason: str, counters: Mapping[str, int], now: datetime
) -> None:
    """Write how a run ended."""
    values = {"ended_at": now, "end_reason": reason, "counters": json.dumps(dict(counters))}
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def _shop_from(row: Row[Any]) -> Shop:
    return Shop(
        id=row.id,
        code=row.code,
        platform=row.platform,
        base_url=row.base_url,
        carrier_code=row.carrier_code,
        state=ShopState(row.state),
        added_at=row.added_at,
        sealed_token=row.token,
        org_id=row.org_id,
        swept_to=row.swept_to,
        sealed_refresh_token=row.refresh_token,
        token_expires_at=row.token_expires_at,
        scopes=tuple((row.scopes or "").split()),
        carrier_service_id=row.carrier_service_id,
        subscribed_at=row.subscribed_at,
        revoked_at=row.revoked_at,
    )
