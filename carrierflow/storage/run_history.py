"""The runs that were made: all of a while, and the last one of each shop."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, null, or_, select

from carrierflow.domain.past_run import PastRun
from carrierflow.domain.shop import ShopState
from carrierflow.reconcile.run_report import FAILURES, EndReason
from carrierflow.reconcile.silence import ANSWERED
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import runs, shops


__all__ = ["asked_before", "last_answers", "last_runs", "past_runs"]

CUT_OFF = "cut_off"
"""How a run ended that could not say so: its process was killed, or lost the database."""


def past_runs(
    connection: Connection,
    *,
    shop: str | None,
    since: datetime,
    failed: bool = False,
    limit: int | None = None,
) -> list[PastRun]:
    """Return the runs that began at or after a time, the newest first; so many at most.

    They are found by index, from the newest backwards.
    """
    r = runs.c
    query = (
        _query(shops.c.id == r.shop)
        .where(r.started_at >= since)
        .order_by(r.started_at.desc(), r.id)
        .limit(limit)
    )
    if shop is not None:
        query = query.where(shops.c.code == shop)
    if failed:
        query = query.where(or_(r.end_reason.in_(FAILURES), is_cut_off))
    return list(map(_run_from, connection.execute(query).all()))


is_cut_off = and_(
    runs.c.ended_at.is_(None), or_(shops.c.lease_owner.is_(None), shops.c.lease_owner != runs.c.id)
)
"""Whether a run never said how it ended, and holds its shop no more."""


def last_runs(
    connection: Connection, *, codes: Collection[str] = (), brief: bool = False
) -> dict[str, PastRun]:
    """Return the run that began last of some shops, or of all if none is named, by their codes.

    That is two rows found by index for each shop, however many runs it has had. With `brief`
    what they counted, and their sentences, are left out.
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
    query = _query(runs.c.id == newest, BRIEF if brief else COLUMNS)
    if codes:
        query = query.where(shops.c.code.in_(codes))
    return {run.shop: run for run in map(_run_from, connection.execute(query).all())}


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


COLUMNS = (
    runs.c.id,
    shops.c.code,
    runs.c.started_at,
    runs.c.ended_at,
    runs.c.end_reason,
    runs.c.sentence,
    runs.c.counters,
    shops.c.lease_owner,
)


BRIEF = (*COLUMNS[:5], null().label("sentence"), null().label("counters"), shops.c.lease_owner)
"""The same without what is long."""


def _query(which: ColumnElement[bool], columns: Sequence[ColumnElement[Any]] = COLUMNS) -> Any:
    return select(*columns).select_from(shops.join(runs, which))


def _run_from(row: Any) -> PastRun:
    run, shop, started_at, ended_at, reason, sentence, counters, lease_owner = row
    cut_off = ended_at is None and lease_owner != run
    if cut_off:
        reason = CUT_OFF
    return PastRun(
        id=run,
        shop=shop,
        started_at=started_at,
        ended_at=ended_at,
        end_reason=reason,
        sentence=sentence,
        failed=cut_off or reason in FAILURES,
        counters=json.loads(counters) if counters else {},
    )
