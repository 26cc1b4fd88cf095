"""Which runs were made: how many ended how at each shop, by rows that are never changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from carrierflow.audit.log.entry_kinds import RUN
from carrierflow.audit.reports.as_of import STREAM
from carrierflow.audit.reports.bounds import bounded
from carrierflow.reconcile.run_report import FAILURES
from carrierflow.storage.tables import log, run_ends, runs, shops


__all__ = ["RunEnded", "RunsMade", "RunsOfShop", "runs_made"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunsOfShop:
    """The runs that were made at one shop."""

    shop: str
    runs: int
    failed: int
    """How many of them could not do their work."""
    unended: int
    """How many never said how they ended: killed, without a database, or under way."""
    reasons: Mapping[str, int]
    """How many ended for each reason."""
    first: datetime
    """When the first of them began."""
    last: datetime
    """When the last of them began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded:
    """One run that ended, as the log holds it."""

    run: str
    kind: str
    shop: str
    started_at: datetime
    ended_at: datetime
    end_reason: str | None
    sentence: str | None
    counters: Mapping[str, int]
    position: int | None
    """Its place in the log; None where it was not given one yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunsMade:
    """All runs that began in a while."""

    since: datetime | None
    until: datetime | None
    runs: int
    failed: int
    unended: int
    shops: tuple[RunsOfShop, ...]
    """By shop; adds up to the above."""
    ended: tuple[RunEnded, ...] | None = None
    """Each that ended, in the order in which they began, where they were asked for."""


def runs_made(
    connection: Connection,
    *,
    shop: int | None,
    since: datetime | None,
    until: datetime | None,
    named: bool,
) -> RunsMade:
    """Count the runs that began in a while; `named` lists those that ended."""
    bounds = shop, since, until
    found = tuple(_by_shop(connection, *bounds))
    return RunsMade(
        since=since,
        until=until,
        runs=sum(each.runs for each in found),
        failed=sum(each.failed for each in found),
        unended=sum(each.unended for each in found),
        shops=found,
        ended=tuple(_ended(connection, *bounds)) if named else None,
    )


def _by_shop(connection: Connection, *bounds: Any) -> Iterator[RunsOfShop]:
    r, e = runs.c, run_ends.c
    query = (
        select(
            shops.c.code,
            e.id.is_not(None).label("ended"),
            e.end_reason,
            func.count().label("times"),
            func.min(r.started_at).label("first"),
            func.max(r.started_at).label("last"),
        )
        .select_from(runs.join(shops, shops.c.id == r.shop).outerjoin(run_ends, e.run == r.id))
        .group_by(shops.c.code, e.id.is_not(None), e.end_reason)
    )
    groups: dict[str, list[Any]] = {}
    for row in connection.execute(bounded(query, *bounds, of=r.shop, at=r.started_at)):
        groups.setdefault(row.code, []).append(row)
    for code in sorted(groups):
        yield _of_shop(code, groups[code])


def _of_shop(code: str, groups: list[Any]) -> RunsOfShop:
    reasons: Counter[str] = Counter()
    for row in groups:
        if row.ended:
            reasons[row.end_reason or ""] += row.times
    return RunsOfShop(
        shop=code,
        runs=sum(row.times for row in groups),
        failed=sum(count for reason, count in reasons.items() if reason in FAILURES),
        unended=sum(row.times for row in groups if not row.ended),
        reasons=dict(sorted(reasons.items())),
        first=min(row.first for row in groups),
        last=max(row.last for row in groups),
    )


def _ended(connection: Connection, *bounds: Any) -> Iterator[RunEnded]:
    e = run_ends.c
    query = (
        select(run_ends, shops.c.code, log.c.position)
        .select_from(run_ends.join(shops, shops.c.id == e.shop).outerjoin(log, RUN.is_placed()))
        .order_by(e.started_at, e.id)
        .execution_options(yield_per=STREAM)
    )
    for row in connection.execute(bounded(query, *bounds, of=e.shop, at=e.started_at)):
        yield RunEnded(
            run=row.run,
            kind=row.kind,
            shop=row.code,
            started_at=row.started_at,
            ended_at=row.ended_at,
            end_reason=row.end_reason,
            sentence=row.sentence,
            counters=json.loads(row.counters or "{}"),
            position=row.position,
        )
