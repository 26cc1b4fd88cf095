"""Installs under way, and what a shop's row learns of tokens and webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from carrierflow.carrier_service.registration import Install
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.shop import Shop
from carrierflow.storage.administration import administer
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.shops import add_shop, change_shop, find_shop, hold_shop
from carrierflow.storage.tables import installs, shops


__all__ = [
    "add_install",
    "check_subscription",
    "claim_refresh",
    "connect_shop",
    "end_refresh",
    "known_shop",
    "shop_of_org",
    "swap_tokens",
    "take_install",
]


INSTALLED = ("org_id", "state")
"""What an install may change of a shop that is there, beside its tokens."""


def add_install(connection: Connection, digest: str, install: Install, *, now: datetime) -> None:
    """Keep an install that began; those that ran out are swept away."""
    connection.execute(delete(installs).where(installs.c.expires_at <= now))
    connection.execute(insert(installs), {"state_digest": digest, **asdict(install)})


def take_install(connection: Connection, digest: str, *, now: datetime) -> Install | None:
    """Return an install under way, once; None if it is unknown, used up or has run out."""
    row = connection.execute(select(installs).where(installs.c.state_digest == digest)).first()
    taken = connection.execute(delete(installs).where(installs.c.state_digest == digest)).rowcount
    if row is None or not taken or row.expires_at <= now:
        return None
    return Install(
        shop=row.shop,
        base_url=row.base_url,
        carrier_code=row.carrier_code,
        invited=row.invited,
        org_id=row.org_id,
        expires_at=row.expires_at,
    )


def known_shop(connection: Connection, code: str) -> Shop | None:
    """Return a shop by its code; None if there is none."""
    found = connection.execute(select(shops.c.id).where(shops.c.code == code)).scalar()
    return None if found is None else find_shop(connection, code)


def shop_of_org(connection: Connection, org_id: str, *, platform: str) -> str | None:
    """Return the code of the shop that bears an id of the platform's own."""
    theirs = shops.c.platform == platform, shops.c.org_id == org_id
    query = select(shops.c.code).where(*theirs).order_by(shops.c.id).limit(1)
    return connection.execute(query).scalar()


def connect_shop(
    connection: Connection, code: str, values: Mapping[str, Any], *, added: Mapping[str, Any]
) -> Shop:
    """Write what an install brought; `added` is what a shop that is new here needs besides."""
    if known_shop(connection, code) is None:
        add_shop(connection, {"code": code, **added, **values})
    else:
        hold_shop(connection, code)
        kind, told = AdministrationKind.TOKEN_ROTATED, {name: values[name] for name in INSTALLED}
        administer(connection, kind, now=added["added_at"], shop=code, details=told)
    return change_shop(connection, code, **values)


def claim_refresh(
    connection: Connection, shop: Shop, span: timedelta, *, clock: DatabaseClock
) -> datetime | None:
    """Take the right to renew a token; return until when, or None if another process has it."""
    now = clock.now(connection)
    free = or_(shops.c.refreshing_until.is_(None), shops.c.refreshing_until <= now)
    taken = connection.execute(
        update(shops).where(_unchanged(shop), free).values(refreshing_until=now + span)
    )
    return now + span if taken.rowcount else None


def end_refresh(connection: Connection, shop: Shop, claim: datetime) -> bool:
    """Let others try to renew the token that this one could not; False if others do already."""
    mine = shops.c.refreshing_until == claim
    ended = connection.execute(
        update(shops).where(_unchanged(shop), mine).values(refreshing_until=None)
    )
    return bool(ended.rowcount)


def swap_tokens(connection: Connection, shop: Shop, values: Mapping[str, Any]) -> bool:
    """Put new tokens in the place of those that were read; False if those are gone."""
    swapped = connection.execute(
        update(shops).where(_unchanged(shop)).values(**values, refreshing_until=None)
    )
    return bool(swapped.rowcount)


def check_subscription(
    connection: Connection, shop: Shop, *, now: datetime, before: datetime
) -> bool:
    """Note that a shop's webhooks are looked at now; False if they were since `before`."""
    checked = shops.c.subscription_checked_at
    due = or_(checked.is_(None), checked <= before)
    taken = connection.execute(
        update(shops).where(shops.c.id == shop.id, due).values(subscription_checked_at=now)
    )
    return bool(taken.rowcount)


def _unchanged(shop: Shop) -> Any:
    """Every sealing gives other bytes, so equal bytes are the same token."""
    return (shops.c.id == shop.id) & (shops.c.token == shop.encrypted_token)
