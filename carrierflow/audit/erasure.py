"""Erasing what names people, once its time is over or when somebody asks; history never."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

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

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.canonical import stamp
from carrierflow.domain.clock import Clock
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.shop import ShopState
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import ConfigurationError
from carrierflow.storage import SqlStore, queries
from carrierflow.storage.administration import administer
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import files, fulfillments, notes, shops, webhooks


__all__ = ["KINDS", "Erased", "Retention", "count_past", "erase_of_parcel", "erase_past"]

log = logging.getLogger(__name__)

AT_ONCE = 500
"""How much is erased in one transaction, so that nobody waits for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What was erased, or would be."""

    notes: int = 0
    webhooks: int = 0
    """Bodies of webhooks; that they came, and what for, stays known."""
    files: int = 0
    """Names of files that were recorded."""


@guarded_methods
class Retention:
    """Erases notes, bodies of webhooks and names of files; the history verifies all the same."""

    def __init__(self, store: SqlStore, *, days: float | None, clock: Clock) -> None:
        self._store = store
        self._days = days
        self._clock = clock

    @property
    def keeps_for(self) -> timedelta | None:
        """How long is kept what names people; None is for ever."""
        return None if self._days is None else timedelta(days=self._days)

    def past(self, older_than: timedelta | None = None) -> Erased:
        """Say what `erase_past` would erase.

        Raises:
            ConfigurationError: as `erase_past`.
        """
        before = self._before(older_than)
        with self._store.reading() as connection:
            return _each(lambda kind: count_past(connection, kind, before=before))

    def erase_past(self, older_than: timedelta | None = None) -> Erased:
        """Erase what is older than that, by default than `retention_days`.

        Notes go when their parcel has been closed for so long, or its shop uninstalled; bodies
        of webhooks when no parcel of their order is open any more.

        Raises:
            ConfigurationError: if neither says how old.
        """
        before = self._before(older_than)
        return _told(_each(lambda kind: self._erase_kind(kind, before)))

    def erase_parcel(self, shop: str, fulfillment_id: str) -> Erased:
        """Erase at once what names people about one parcel, however old.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        return self._erase_of(shop, fulfillment_id, KINDS)

    def erase_notes(self, shop: str, fulfillment_id: str) -> Erased:
        """Erase at once the notes about one parcel, and nothing else.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        return self._erase_of(shop, fulfillment_id, {"notes"})

    def _erase_of(self, shop: str, fulfillment_id: str, kinds: Collection[str]) -> Erased:
        now = self._clock()

        def work(connection: Connection) -> Erased:
            parcel = queries.find_parcel(connection, shop, fulfillment_id)
            erased = Erased(**{kind: erase_of_parcel(connection, kind, parcel) for kind in kinds})
            counts = {kind: str(count) for kind, count in asdict(erased).items() if count}
            about = {"shop": shop, "subject": fulfillment_id}
            administer(connection, AdministrationKind.ERASED, now=now, details=counts, **about)
            return erased

        return _told(self._store.transact(work))

    def _before(self, older_than: timedelta | None) -> datetime:
        span = older_than if older_than is not None else self.keeps_for
        if span is None:
            raise ConfigurationError(
                "Nothing says how long to keep what names people; set "
                "CARRIERFLOW_RETENTION_DAYS, or say how old it must be."
            )
        return self._clock() - span

    def _erase_kind(self, kind: str, before: datetime) -> int:
        """Erase all of one kind, a few at a time."""
        count = 0
        while some := self._store.transact(lambda c: self._erase_some(c, kind, before)):
            count += some
        return count

    def _erase_some(self, connection: Connection, kind: str, before: datetime) -> int:
        """Erase some of one kind, and write down that it was done, never what."""
        count = erase_past(connection, kind, before=before, most=AT_ONCE)
        if count:
            details = {kind: str(count), "before": stamp(before)}
            administer(connection, AdministrationKind.ERASED, now=self._clock(), details=details)
        return count


def _each(count: Callable[[str], int]) -> Erased:
    return Erased(**{kind: count(kind) for kind in KINDS})


def _told(erased: Erased) -> Erased:
    log.info("carrierflow.erased", extra=asdict(erased))
    return erased


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


def erase_of_parcel(connection: Connection, kind: str, parcel: Fulfillment) -> int:
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
