"""The runs that were made: all of a while, and the last one of each shop."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from carrierflow.domain.past_run import PastRun
from carrierflow.domain.shop import ShopState
from carrierflow.reconcile.run_report import FAILURES, EndReason
from carrierflow.reconcile.silence import ANSWERED
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import runs, shops


__all__ = ["asked_before", "last_answers", "last_runs", "past_runs"]

CUT_OFF = "cut_off"
"""How a run ended that could not say so: its process was killed, or lost the database."""


def past_runs(connection: Connection, *, shop: str | None, since: datetime) -> list[PastRun]:
    """Return the runs that began at or after a time, the newest first."""
    query = (
        _query(shops.c.id == runs.c.shop)
        .where(runs.c.started_at >= since)
        .order_by(runs.c.started_at.desc())
    )
    if shop is not None:
        query = query.where(shops.c.code == shop)
    return [_run_from(row) for row in connection.execute(query)]


def last_runs(connection: Connection, *, shop: str | None = None) -> dict[str, PastRun]:
    """Return the run of each shop, or of one, that began last, by the shop's code.

    That is two rows found by index for each shop, however many runs it has had.
    """
    earlier = runs.alias()
    newest = (
        select(earlier.c.id)
        .where(earlier.c.shop == shops.c.id)
        .order_by(earlier.c.started_at.desc())
        .limit(1)
        .correlate(shops)
        .scalar_subquery()
    )
    query = _query(runs.c.id == newest)
    if shop is not None:
        query = query.where(shops.c.code == shop)
    return {row.code: _run_from(row) for row in connection.execute(query)}


def last_answers(connection: Connection) -> dict[str, datetime]:
    """Return when each active shop had its last run with an answer, if it had any, by its code.

    It is found by index, from the last run backwards.
    """
    answer = (
        select(runs.c.ended_at)
        .where(runs.c.shop == shops.c.id, runs.c.end_reason.in_(ANSWERED))
        .order_by(runs.c.started_at.desc())
        .limit(1)
        .correlate(shops)
        .scalar_subquery()
    )
    query = select(shops.c.code, answer.label("at")).where(shops.c.state == ShopState.ACTIVE)
    return {row.code: row.at for row in connection.execute(query) if row.at is not None}


def asked_before(
    connection: Connection, codes: Collection[str], *, since: datetime, before: datetime
) -> bool:
    """Tell whether a run that began in some span had no answer from one of some shops."""
    r = runs.c
    span = (r.started_at >= since, r.started_at < before, r.end_reason == EndReason.UNAVAILABLE)
    query = select(r.id).join(shops, shops.c.id == r.shop).where(*span).limit(1)
    return any(
        connection.execute(query.where(shops.c.code.in_(some))).first()
        for some in sliced(connection, codes)
    )


def _query(which: ColumnElement[bool]) -> Any:
    return select(runs, shops.c.code, shops.c.lease_owner).select_from(shops.join(runs, which))


def _run_from(row: Row[Any]) -> PastRun:
    cut_off = row.ended_at is None and row.lease_owner != row.id
    reason = CUT_OFF if cut_off else row.end_reason
    return PastRun(
        id=row.id,
        shop=row.code,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=reason,
        sentence=row.sentence,
        failed=cut_off or reason in FAILURES,
        counters=json.loads(row.counters or "{}"),
    )
