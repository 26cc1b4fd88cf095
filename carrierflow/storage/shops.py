"""Shops in the database: connections, leases with fences, and what each run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.decision import OPEN
from carrierflow.domain.shop import Coverage, Shop, ShopState
from carrierflow.errors import InvalidInput, UnknownShop
from carrierflow.storage.administration import administer
from carrierflow.storage.direct import fetch_all
from carrierflow.storage.tables import fulfillments, incidents, shops


__all__ = [
    "add_shop",
    "all_shops",
    "change_shop",
    "coverage",
    "coverages",
    "find_shop",
    "hold_shop",
    "options_text",
    "require_new",
    "revoke_shop",
    "shop_carrier",
    "shop_codes",
    "shop_from",
    "shop_number",
]

READ_SHOP = select(shops).where(shops.c.code == bindparam("code"))
READ_NUMBER = select(shops.c.id, shops.c.carrier_code).where(shops.c.code == bindparam("code"))

TOLD_OF_SHOP = ("platform", "base_url", "org_id", "carrier_code", "options")
"""What is written down of a shop that is added."""

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
        "lease_process": None,
        "lease_since": None,
        "unanswered": 0,
        "retry_at": None,
        "queued_until": None,
        "runs_died": 0,
    }
)
"""What a revoked shop's row no longer says."""


def shop_number(connection: Connection, code: str) -> int:
    """Return the row number of a shop.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    return shop_carrier(connection, code)[0]


def shop_carrier(connection: Connection, code: str) -> tuple[int, str]:
    """Return the row number of a shop, and under which name its parcels are this carrier's.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    rows = fetch_all(connection, READ_NUMBER, {"code": code})
    if not rows:
        raise UnknownShop(code)
    return rows[0].id, rows[0].carrier_code


def shop_codes(connection: Connection) -> dict[int, str]:
    """Return the code of every shop by its row number."""
    return {row.id: row.code for row in connection.execute(select(shops.c.id, shops.c.code))}


def find_shop(connection: Connection, code: str) -> Shop:
    """Return a shop by its code.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    return _found(connection, READ_SHOP, code)


def _found(connection: Connection, query: Select[Any], code: str) -> Shop:
    row = connection.execute(query, {"code": code}).one_or_none()
    if row is None:
        raise UnknownShop(code)
    return shop_from(row)


def hold_shop(connection: Connection, code: str) -> Shop:
    """Return a shop, and keep others from it till the end of the transaction.

    What changes a shop begins with this, so that acts on it are written down in the order in
    which they take effect.

    Raises:
        UnknownShop: if no such shop is connected.
    """
    return _found(connection, READ_SHOP.with_for_update(), code)


def options_text(options: Mapping[str, str]) -> str | None:
    """Write what is chosen for a shop as its row keeps it."""
    return json.dumps(dict(sorted(options.items()))) if options else None


def all_shops(connection: Connection) -> list[Shop]:
    """Return every shop, those first that have waited longest for a run.

    Those whose host did not answer come after all others, the longest silent last.
    """
    query = select(shops).order_by(shops.c.unanswered, shops.c.next_due, shops.c.code)
    return [shop_from(row) for row in connection.execute(query)]


def require_new(connection: Connection, code: str) -> None:
    """Refuse the code of a shop that there is; raises `InvalidInput`."""
    query = select(shops.c.id).where(shops.c.code == code)
    if connection.execute(query).scalar() is not None:
        raise InvalidInput(f"There is a shop {code!r} already.")


def add_shop(connection: Connection, values: Mapping[str, Any]) -> None:
    """Connect a shop.

    Raises:
        InvalidInput: if its code is taken.
    """
    require_new(connection, values["code"])
    fresh = {
        "fence": 0,
        "rate_until_us": 0,
        "paused_until_us": 0,
        "state": ShopState.ACTIVE,
        "unanswered": 0,
        "next_due": values["added_at"],
    }
    connection.execute(insert(shops), fresh | dict(values))
    administer(
        connection,
        AdministrationKind.SHOP_ADDED,
        now=values["added_at"],
        shop=values["code"],
        details={name: values.get(name) for name in TOLD_OF_SHOP},
    )


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
    done = connection.execute(
        update(shops)
        .where(shops.c.code == code, shops.c.state != ShopState.REVOKED)
        .values(**FORGOTTEN, revoked_at=now, fence=shops.c.fence + 1)
    )
    if done.rowcount:
        administer(connection, AdministrationKind.SHOP_REVOKED, now=now, shop=code)
    return find_shop(connection, code)


def coverage(connection: Connection, shop: Shop, *, since: datetime) -> Coverage:
    """Return how well the open fulfillments of a shop are known."""
    (found,) = coverages(connection, since=since, codes=[shop.code])
    return found


def coverages(
    connection: Connection, *, since: datetime, codes: Collection[str] = ()
) -> list[Coverage]:
    """Return that of some shops, or of all if none is named, by their codes.

    Two questions, however many shops there are. That about parcels is answered by an index of
    those that are open, however many are closed.
    """
    s, i = shops.c, incidents.c
    waiting = select(i.shop, func.count().label("incidents")).where(i.state == OPEN)
    told = waiting.group_by(i.shop).subquery()
    known = (
        select(s.id, s.code, s.state, s.unanswered, s.retry_at, told.c.incidents)
        .join_from(shops, told, told.c.shop == s.id, isouter=True)
        .order_by(s.code)
    )
    if codes:
        known = known.where(s.code.in_(codes))
    figures = _figures(connection, since, codes)
    rows = connection.execute(known).all()  # at once: row by row takes twice as long
    return [
        Coverage(
            shop=code,
            state=ShopState(state),
            incidents=incident_count or 0,
            unanswered=unanswered,
            retry_at=retry_at,
            **figures.get(number, NOTHING_OPEN),
        )
        for number, code, state, unanswered, retry_at, incident_count in rows
    ]


NOTHING_OPEN: Mapping[str, Any] = MappingProxyType(
    {
        "open": 0,
        "verified": 0,
        "oldest_verified_at": None,
        "never_verified": 0,
        "unpublished": 0,
        "frozen": 0,
        "late": 0,
    }
)


def _figures(
    connection: Connection, since: datetime, codes: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return what is counted of open fulfillments, by the shops' own ids."""
    f = fulfillments.c
    query = (
        select(
            f.shop,
            func.count(),
            _count(f.verified_at >= since),
            func.min(f.verified_at),
            _count(f.verified_at.is_(None)),
            _count(f.unpublished > 0),
            _count(f.frozen.is_not(None)),
            _count(func.coalesce(f.verified_at, f.opened_at) < since),
        )
        .where(f.open)
        .group_by(f.shop)
    )
    if codes:
        query = query.where(f.shop.in_(select(shops.c.id).where(shops.c.code.in_(codes))))
    return {
        shop: dict(zip(NOTHING_OPEN, counted, strict=True))
        for shop, *counted in connection.execute(query).all()
    }


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows of a condition; MariaDB has no FILTER, and its sums are decimals."""
    return func.count(case((condition, 1)))


def shop_from(row: Row[Any]) -> Shop:
    """Return a shop as its row has it."""
    return Shop(
        id=row.id,
        code=row.code,
        platform=row.platform,
        base_url=row.base_url,
        carrier_code=row.carrier_code,
        state=ShopState(row.state),
        added_at=row.added_at,
        encrypted_token=row.token,
        org_id=row.org_id,
        swept_to=row.swept_to,
        encrypted_refresh_token=row.refresh_token,
        token_expires_at=row.token_expires_at,
        scopes=tuple((row.scopes or "").split()),
        carrier_service_id=row.carrier_service_id,
        subscribed_at=row.subscribed_at,
        revoked_at=row.revoked_at,
        options=json.loads(row.options or "{}"),
        unanswered=row.unanswered,
        retry_at=row.retry_at,
    )
