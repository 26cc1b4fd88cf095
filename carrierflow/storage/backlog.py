"""Figures about shops for those who watch over them: backlogs, and what runs came to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from carrierflow.domain.decision import OPEN
from carrierflow.domain.model import Machine
from carrierflow.domain.shop import Backlog, EndedRun
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.tables import fulfillments, history, incidents, runs, shops


__all__ = ["backlogs", "runs_ended"]


def backlogs(
    connection: Connection, clock: DatabaseClock, *, interval_us: Callable[[str], int]
) -> list[Backlog]:
    """Return what waits at each shop; `interval_us` says how long there a request takes to leak."""
    oldest, waiting = _oldest_unpublished(connection), _incidents(connection)
    now = clock.microseconds(connection)
    query = select(shops.c.id, shops.c.code, shops.c.rate_until_us - now).order_by(shops.c.code)
    return [
        Backlog(
            shop=code,
            oldest_unpublished_at=oldest.get(number),
            budget_used=max(0, ahead_us) // interval_us(code),
            incidents=waiting[number],
        )
        for number, code, ahead_us in connection.execute(query)
    ]


def runs_ended(connection: Connection, since: datetime) -> list[EndedRun]:
    """Return the runs that ended at or after a time."""
    query = (
        select(runs.c.id, shops.c.code, runs.c.ended_at, runs.c.counters)
        .join(shops, shops.c.id == runs.c.shop)
        .where(runs.c.ended_at >= since)
    )
    return [
        EndedRun(id=run, shop=code, ended_at=ended_at, counters=json.loads(counters))
        for run, code, ended_at, counters in connection.execute(query)
    ]


def _oldest_unpublished(connection: Connection) -> dict[int, datetime]:
    f, h = fulfillments.c, history.c
    query = (
        select(f.shop, func.min(h.recorded_at).label("oldest"))
        .join(history, h.fulfillment == f.id)
        .where(f.unpublished > 0, f.open, or_(*(_is_next(machine) for machine in Machine)))
        .group_by(f.shop)
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
