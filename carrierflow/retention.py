"""Erasing what names people, once its time is over or when somebody asks; history never."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from carrierflow.domain.clock import Clock
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import ConfigurationError
from carrierflow.settings import Settings
from carrierflow.storage import Connection, SqlStore, reading, retention


__all__ = ["Erased", "Retention"]

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

    def __init__(self, store: SqlStore, settings: Settings, *, clock: Clock) -> None:
        self._store = store
        self._days = settings.retention_days
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
            return _each(lambda kind: retention.count_past(connection, kind, before=before))

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

        def work(connection: Connection) -> Erased:
            parcel = reading.find_parcel(connection, shop, fulfillment_id)
            return _each(lambda kind: retention.erase_of_parcel(connection, kind, parcel))

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
        while some := self._store.transact(
            lambda c: retention.erase_past(c, kind, before=before, most=AT_ONCE)
        ):
            count += some
        return count


def _each(count: Callable[[str], int]) -> Erased:
    return Erased(**{kind: count(kind) for kind in retention.KINDS})


def _told(erased: Erased) -> Erased:
    log.info("carrierflow.erased", extra=asdict(erased))
    return erased
