"""Reading on from a place: everything that was committed, once and in the order of the log."""

from __future__ import annotations

from dataclasses import dataclass

from carrierflow.audit.log.sequencer import Sequencer
from carrierflow.domain.feed_entry import FeedEntry
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import InvalidInput
from carrierflow.storage import SqlStore
from carrierflow.storage.feed_entries import last_position, read_feed
from carrierflow.storage.shops import find_shop


__all__ = ["Feed", "FeedPage"]

BEGINNING = -1
"""The place before the first."""

MOST = 10_000
"""Entries of one page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """Some of what happened, in order; without entries there is nothing new."""

    entries: tuple[FeedEntry, ...]
    next: int | None
    """From where to read on: hand it over as `after`. None while the log is empty."""


@guarded_methods
class Feed:
    """What happened, for whoever reads on from where they were."""

    def __init__(self, store: SqlStore, sequencer: Sequencer) -> None:
        self._store = store
        self._sequencer = sequencer

    def page(
        self,
        *,
        after: int | None = None,
        shop: str | None = None,
        limit: int = 1000,
        upto: int | None = None,
    ) -> FeedPage:
        """Return the entries behind a place, up to `limit` of them; fewer are all that there are.

        What is committed and has no place yet is given one first, as far as it is needed. `upto`
        is the last place that is looked at.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if the limit is not from 1 to 10000, or the log does not reach to `after`.
        """
        if not 1 <= limit <= MOST:
            raise InvalidInput(f"A page has 1 to {MOST} entries.")
        page = self._read(after, shop, limit, upto)
        if len(page.entries) == limit or (upto is not None and page.next == upto):
            return page
        self._sequencer.place_if_free()
        rest = self._read(page.next, shop, limit - len(page.entries), upto)
        return FeedPage(entries=page.entries + rest.entries, next=rest.next)

    def _read(self, after: int | None, shop: str | None, limit: int, upto: int | None) -> FeedPage:
        begin = BEGINNING if after is None else after
        with self._store.reading() as connection:
            if shop is not None:
                find_shop(connection, shop)
            last = last_position(connection)
            end = BEGINNING if last is None else last
            if end < begin:
                raise InvalidInput(
                    f"The log ends before place {begin}, so what comes after it was never read "
                    "here: this is another database, or an earlier copy of it."
                )
            if upto is not None:
                end = max(begin, min(end, upto))
            found = read_feed(connection, after=begin, upto=end, shop=shop, limit=limit)
        if len(found) == limit and found[-1].position is not None:
            end = found[-1].position
        return FeedPage(entries=tuple(found), next=None if end == BEGINNING else end)
