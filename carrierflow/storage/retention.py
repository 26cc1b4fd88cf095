"""What names people, and when its time is over: notes, bodies of webhooks, names of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Update,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.shop import ShopState
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import files, fulfillments, notes, shops, webhooks


__all__ = ["KINDS", "count_past", "erase_of_parcel", "erase_past"]


def _past_notes(before: datetime) -> Select[tuple[str]]:
    """Notes of parcels that ended before, or whose shop was uninstalled before."""
    f = fulfillments.c
    ended = and_(not_(f.open), f.settled_at <= before)
    uninstalled = and_(shops.c.state == ShopState.REVOKED, shops.c.revoked_at <= before)
    return (
        select(notes.c.digest)
        .join(fulfillments, f.id == notes.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(notes.c.recorded_at <= before, or_(ended, uninstalled))
    )


def _past_webhooks(before: datetime) -> Select[tuple[str]]:
    """Bodies that arrived before, about no order that is still under way."""
    w = webhooks.c
    return select(w.digest).where(
        w.received_at <= before, w.sealed.is_not(None), not_(_under_way())
    )


def _under_way() -> ColumnElement[bool]:
    f, s, w = fulfillments.c, shops.c, webhooks.c
    same = and_(f.shop == s.id, s.org_id == w.org_id, f.order_id == w.order_id)
    return exists().where(same, f.open, s.state != ShopState.REVOKED)


def _past_files(before: datetime) -> Select[tuple[str]]:
    """Files recorded before; their rows are history, their names need not be."""
    return select(files.c.digest).where(files.c.recorded_at <= before)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of what is erased."""

    past: Callable[[datetime], Select[tuple[str]]]
    """Names those whose time is over, by digest."""
    key: ColumnElement[str]
    erase: Delete | Update


KINDS: Mapping[str, Kind] = {
    "notes": Kind(past=_past_notes, key=notes.c.digest, erase=delete(notes)),
    "webhooks": Kind(
        past=_past_webhooks, key=webhooks.c.digest, erase=update(webhooks).values(sealed=None)
    ),
    "files": Kind(past=_past_files, key=files.c.digest, erase=delete(files)),
}
"""The digest of a webhook stays: the same delivery is known again, without what it said."""


def count_past(connection: Connection, kind: str, *, before: datetime) -> int:
    """Count what of one kind is past its time."""
    past = KINDS[kind].past(before).subquery()
    return int(connection.execute(select(func.count()).select_from(past)).scalar_one())


def erase_past(connection: Connection, kind: str, *, before: datetime, most: int) -> int:
    """Erase some of one kind that is past its time; return how many."""
    this = KINDS[kind]
    digests = connection.execute(this.past(before).limit(most)).scalars().all()
    return sum(
        connection.execute(this.erase.where(this.key.in_(some))).rowcount
        for some in sliced(connection, digests)
    )


def erase_of_parcel(connection: Connection, kind: str, parcel: Parcel) -> int:
    """Erase all of one kind that is about one parcel, however old; return how many."""
    org = select(shops.c.org_id).where(shops.c.id == parcel.shop_id).scalar_subquery()
    mine = {
        "notes": notes.c.fulfillment == parcel.id,
        "webhooks": and_(
            webhooks.c.order_id == parcel.ref.order_id,
            webhooks.c.org_id == org,
            webhooks.c.sealed.is_not(None),
        ),
    }
    if kind not in mine:
        return 0
    return int(connection.execute(KINDS[kind].erase.where(mine[kind])).rowcount)
