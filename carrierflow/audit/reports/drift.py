"""Where the two sides drifted apart: when it was found, whether it healed, and how soon."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
)

from carrierflow.audit.reports.bounds import bounded
from carrierflow.audit.reports.calendar import day_of
from carrierflow.domain.model import FulfillmentRef, Source
from carrierflow.domain.publication import Outcome, PublicationState
from carrierflow.storage.rows import ref_from
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    history,
    incidents,
    outcomes,
    publications,
    shops,
)


__all__ = ["Drift", "DriftDay", "DriftKind", "Episode", "episodes"]

ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """Once that the two sides were not, or may not have been, in agreement."""

    kind: str
    """The kind of an incident; `unanswered`, `not_sent` or `other_status` for a PUT that did not
    do its work; `adopted` for a step of the platform's that the ledger took over."""
    shop: str
    ref: FulfillmentRef | None
    """None where a whole shop was concerned."""
    found_at: datetime
    healed_at: datetime | None
    frozen: bool
    """Whether the parcel waits for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftKind:
    """All episodes of one kind."""

    kind: str
    found: int
    healed: int
    open: int
    frozen: int
    """Of the open ones, those whose parcel waits for a person."""
    p50_seconds: int | None
    """Half of the healed ones took no longer than this."""
    p95_seconds: int | None
    longest_seconds: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftDay:
    """One day in Vietnam."""

    day: str
    found: int
    healed: int
    open: int
    """Episodes that were open when the day ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """All drift that was found in a time."""

    since: datetime | None
    until: datetime | None
    found: int
    healed: int
    open: int
    frozen: int
    kinds: tuple[DriftKind, ...]
    days: tuple[DriftDay, ...]
    """Each day on which something was found or healed."""
    episodes: tuple[Episode, ...] | None = None
    """Each of them, where they were asked for, oldest first."""

    @classmethod
    def of(
        cls,
        episodes: Iterable[Episode],
        *,
        since: datetime | None,
        until: datetime | None,
        named: bool,
    ) -> Drift:
        """Sort and count what was found."""
        found = sorted(episodes, key=lambda each: each.found_at)
        kinds: dict[str, list[Episode]] = defaultdict(list)
        for episode in found:
            kinds[episode.kind].append(episode)
        rows = tuple(_kind(name, kinds[name]) for name in sorted(kinds))
        return cls(
            since=since,
            until=until,
            found=len(found),
            healed=sum(row.healed for row in rows),
            open=sum(row.open for row in rows),
            frozen=sum(row.frozen for row in rows),
            kinds=rows,
            days=tuple(_days(found)),
            episodes=tuple(found) if named else None,
        )


def _kind(name: str, episodes: Sequence[Episode]) -> DriftKind:
    spans = sorted(
        max(0, (each.healed_at - each.found_at) // ONE_SECOND)
        for each in episodes
        if each.healed_at is not None
    )
    return DriftKind(
        kind=name,
        found=len(episodes),
        healed=len(spans),
        open=len(episodes) - len(spans),
        frozen=sum(each.frozen and each.healed_at is None for each in episodes),
        p50_seconds=_nearest(spans, 0.5),
        p95_seconds=_nearest(spans, 0.95),
        longest_seconds=spans[-1] if spans else None,
    )


def _nearest(ordered: Sequence[int], share: float) -> int | None:
    """Return the percentile of the nearest rank."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _days(episodes: Iterable[Episode]) -> Iterator[DriftDay]:
    found: Counter[str] = Counter()
    healed: Counter[str] = Counter()
    for each in episodes:
        found[day_of(each.found_at)] += 1
        if each.healed_at is not None:
            healed[day_of(max(each.found_at, each.healed_at))] += 1
    left = 0
    for day in sorted({*found, *healed}):
        left += found[day] - healed[day]
        yield DriftDay(day=day, found=found[day], healed=healed[day], open=left)


STREAM = 2_000

FAILED = {
    Outcome.UNKNOWN: "unanswered",
    Outcome.NOT_SENT: "not_sent",
    Outcome.OTHER_STATUS: "other_status",
}
"""Outcomes that open no incident of their own; one that is on record nowhere is unanswered."""

SHOWN = (PublicationState.CONFIRMED, PublicationState.SUBSUMED)

ADOPTED = "platform:%"
"""The keys of steps that runs took over from the platform."""


def episodes(
    connection: Connection,
    now: datetime,
    *,
    shop: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Iterator[Episode]:
    """Yield everything that was found in a time, whether it healed in it or later."""
    for query in (_incidents(), _failures(now), _adoptions()):
        found = query.subquery("found")
        c = found.c
        asked = bounded(select(found), shop, since, until, of=c.shop, at=c.found_at)
        for row in connection.execute(asked.execution_options(yield_per=STREAM)):
            yield _episode(row)


def _incidents() -> Select[Any]:
    i, f = incidents.c, fulfillments.c
    is_open = i.resolved_at.is_(None)
    return (
        select(
            i.kind.label("kind"),
            *_who(i.shop),
            i.opened_at.label("found_at"),
            i.resolved_at.label("healed_at"),
            _flag(and_(is_open, f.frozen.is_not(None))),
        )
        .join_from(incidents, shops, shops.c.id == i.shop)
        .outerjoin(fulfillments, f.id == i.fulfillment)
    )


def _failures(now: datetime) -> Select[Any]:
    """Return each entry once for each way in which telling it failed, at the first time."""
    a, o, p, f = attempts.c, outcomes.c, publications.c, fulfillments.c
    entry = ("fulfillment", "machine", "seq")
    kind = case(FAILED, value=func.coalesce(o.outcome, Outcome.UNKNOWN))
    over = func.coalesce(o.recorded_at, a.send_deadline)
    failed = (
        select(*(a[name] for name in entry), kind.label("kind"), func.min(over).label("found_at"))
        .join_from(
            attempts, outcomes, and_(*(a[n] == o[n] for n in (*entry, "number"))), isouter=True
        )
        .where(or_(o.outcome.in_(list(FAILED)), and_(o.outcome.is_(None), a.send_deadline < now)))
        .group_by(*(a[name] for name in entry), kind)
        .subquery("failed")
    )
    shown = case((p.state.in_(SHOWN), p.confirmed_at))
    return (
        select(
            failed.c.kind,
            *_who(f.shop),
            failed.c.found_at,
            shown.label("healed_at"),
            _flag(and_(shown.is_(None), f.frozen.is_not(None))),
        )
        .join_from(failed, fulfillments, f.id == failed.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .outerjoin(publications, and_(*(p[name] == failed.c[name] for name in entry)))
    )


def _adoptions() -> Select[Any]:
    h, f = history.c, fulfillments.c
    return (
        select(
            literal("adopted").label("kind"),
            *_who(f.shop),
            h.occurred_at.label("found_at"),
            h.recorded_at.label("healed_at"),
            _flag(false()),
        )
        .join_from(history, fulfillments, f.id == h.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(h.source == Source.PLATFORM, h.event_key.like(ADOPTED))
    )


def _who(shop: ColumnElement[int]) -> tuple[ColumnElement[Any], ...]:
    f = fulfillments.c
    return shop.label("shop"), shops.c.code, f.order_id, f.fulfillment_id


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0).label("frozen")


def _episode(row: Any) -> Episode:
    ref = None
    if row.fulfillment_id is not None:
        ref = ref_from(row)
    return Episode(
        kind=row.kind,
        shop=row.code,
        ref=ref,
        found_at=row.found_at,
        healed_at=row.healed_at,
        frozen=bool(row.frozen),
    )
