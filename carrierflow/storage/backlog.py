"""Figures about shops for those who watch over them: backlogs, and what runs came to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from carrierflow.domain.decision import OPEN
from carrierflow.domain.model import Machine
from carrierflow.domain.shop import Backlog, EndedRun
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.tables import fulfillments, history, incidents, runs, shops


__all__ = ["backlogs", "runs_ended"]


Interval = Callable[[str, Mapping[str, str]], int]
"""Says how many microseconds a request takes to leak, by a shop's platform and its own choices."""


def backlogs(
    connection: Connection, clock: DatabaseClock, *, interval_us: Interval
) -> list[Backlog]:
    """Return what waits at each shop; four questions, however many shops there are."""
    oldest, waiting = _oldest_unpublished(connection), _incidents(connection)
    used = _budgets_used(connection, clock.microseconds(connection.dialect.name), interval_us)
    query = select(shops.c.id, shops.c.code).order_by(shops.c.code)
    return [
        Backlog(
            shop=code,
            oldest_unpublished_at=oldest.get(number),
            budget_used=used.get(number, 0),
            incidents=waiting.get(number, {}),
        )
        for number, code in connection.execute(query).all()
    ]


def runs_ended(
    connection: Connection, since: datetime, *, known: Collection[str] = ()
) -> list[EndedRun]:
    """Return the runs that ended at or after a time, but those whose ids are known."""
    r = runs.c
    query = (
        select(r.id, shops.c.code, r.ended_at, r.counters)
        .join(shops, shops.c.id == r.shop)
        .where(r.ended_at >= since)
    )
    return [
        EndedRun(id=run, shop=code, ended_at=ended_at, counters=json.loads(counters))
        for run, code, ended_at, counters in connection.execute(query).all()
        if run not in known
    ]


def _budgets_used(
    connection: Connection, now: ColumnElement[int], interval_us: Interval
) -> dict[int, int]:
    """Return how many requests have not leaked yet, by shop; most shops have none."""
    s = shops.c
    query = select(s.id, s.platform, s.options, s.rate_until_us - now).where(s.rate_until_us > now)
    return {
        shop: ahead_us // interval_us(platform, json.loads(options or "{}"))
        for shop, platform, options, ahead_us in connection.execute(query)
    }


def _oldest_unpublished(connection: Connection) -> dict[int, datetime]:
    """Find what waits by its index alone, and then its entries by their key.

    MariaDB keeps to that order where it is told to; else it may begin with all of the history.
    """
    f, h, waits = fulfillments.c, history.c, fulfillments.alias()
    query = (
        select(f.shop, func.min(h.recorded_at).label("oldest"))
        .select_from(
            waits.join(fulfillments, f.id == waits.c.id).join(history, h.fulfillment == f.id)
        )
        .where(waits.c.unpublished > 0, waits.c.open, or_(*(_is_next(each) for each in Machine)))
        .group_by(f.shop)
        .prefix_with("STRAIGHT_JOIN", dialect="mariadb")
        .prefix_with("STRAIGHT_JOIN", dialect="mysql")
    )
    return {row.shop: row.oldest for row in connection.execute(query)}


def _is_next(machine: Machine) -> ColumnElement[bool]:
    """Match the first entry of a machine that the platform is not known to show."""
    confirmed = fulfillments.c[f"{machine}_confirmed"]
    return and_(history.c.machine == machine, history.c.seq == confirmed + 1)


def _incidents(connection: Connection) -> dict[int, dict[str, int]]:
    i = incidents.c
    query = select(i.shop, i.kind, func.count()).where(i.state == OPEN).group_by(i.shop, i.kind)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for shop, kind, count in connection.execute(query):
        found[shop][kind] = count
    return found
