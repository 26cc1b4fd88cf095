"""How long parcels stayed at each status, by the scans that began and ended each stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    cast,
    extract,
    func,
    literal_column,
    null,
    select,
)

from carrierflow.audit.reports.bounds import bounded
from carrierflow.domain.model import Status
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.shops import shop_codes
from carrierflow.storage.tables import fulfillments, history


__all__ = ["Stay", "TimeInState", "stays"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """The stays at one status that ended in one month; spans are in whole seconds."""

    shop: str | None
    """None for all shops together."""
    month: str | None
    """In Vietnam, `2026-03`; None for all time."""
    status: Status
    stays: int
    """Stays whose beginning and end somebody told."""
    p50_seconds: int | None
    """Half of the stays were no longer than this."""
    p95_seconds: int | None
    longest_seconds: int | None
    unclear: int
    """Stays that are not measured: begun or ended by a step that was inferred or corrected, or
    told to have ended before they began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeInState:
    """The stays of a time, in the order of shops, months and the lifecycle."""

    since: datetime | None
    until: datetime | None
    rows: tuple[Stay, ...]

    @classmethod
    def of(
        cls, rows: Iterable[Stay], *, since: datetime | None, until: datetime | None
    ) -> TimeInState:
        """Put the rows in their order."""
        return cls(since=since, until=until, rows=tuple(sorted(rows, key=_order)))


ORDER = {status: number for number, status in enumerate(Status)}


def _order(stay: Stay) -> tuple[str, str, int]:
    return stay.shop or "", stay.month or "", ORDER[stay.status]


SHARES = {"p50_seconds": 0.5, "p95_seconds": 0.95}

MILLISECONDS = 86_400_000


def stays(
    connection: Connection,
    *,
    by_shop: bool,
    by_month: bool,
    shop: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Iterator[Stay]:
    """Yield for each group how long its stays were, and how many cannot be measured."""
    names = shop_codes(connection)
    each = _each(
        connection.dialect.name,
        by_shop=by_shop,
        by_month=by_month,
        shop=shop,
        since=since,
        until=until,
    )
    group = (each.c.shop, each.c.month, each.c.status, each.c.is_clear)
    share = func.cume_dist().over(partition_by=group, order_by=each.c.seconds)
    ranked = select(*group, each.c.seconds, share.label("share")).subquery("ranked")
    key = (ranked.c.shop, ranked.c.month, ranked.c.status)
    seconds, clear = ranked.c.seconds, ranked.c.is_clear == 1
    query = select(
        *key,
        func.sum(case((clear, 1), else_=0)).label("stays"),
        func.sum(case((clear, 0), else_=1)).label("unclear"),
        *(
            func.min(case((and_(clear, ranked.c.share >= least), seconds))).label(name)
            for name, least in SHARES.items()
        ),
        func.max(case((clear, seconds))).label("longest_seconds"),
    )
    for row in connection.execute(query.group_by(*key)).mappings():
        spans = {name: row[name] for name in (*SHARES, "longest_seconds")}
        yield Stay(
            shop=None if row["shop"] is None else names[row["shop"]],
            month=row["month"],
            status=Status(row["status"]),
            stays=int(row["stays"]),
            unclear=int(row["unclear"]),
            **spans,
        )


def _each(
    dialect: str,
    *,
    by_shop: bool,
    by_month: bool,
    shop: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Subquery:
    """Return one row for each stay that has ended."""
    begun, ended = history.alias("begun"), history.alias("ended")
    f, end = fulfillments.c, ended.c.occurred_at
    query = (
        select(
            (f.shop if by_shop else null()).label("shop"),
            (_month(dialect, end) if by_month else null()).label("month"),
            begun.c.to_status.label("status"),
            _is_clear(begun, ended).label("is_clear"),
            _seconds(dialect, begun.c.occurred_at, end).label("seconds"),
        )
        .join_from(begun, ended, _follows(begun, ended))
        .join(fulfillments, f.id == begun.c.fulfillment)
    )
    return bounded(query, shop, since, until, of=f.shop, at=end).subquery("each")


def _follows(begun: Any, ended: Any) -> ColumnElement[bool]:
    return and_(
        ended.c.fulfillment == begun.c.fulfillment,
        ended.c.machine == begun.c.machine,
        ended.c.seq == begun.c.seq + 1,
    )


def _is_clear(begun: Any, ended: Any) -> ColumnElement[int]:
    told = and_(
        ended.c.occurred_at >= begun.c.occurred_at,
        begun.c.inferred.is_(False),
        ended.c.inferred.is_(False),
        ended.c.amends.is_(None),
    )
    return case((told, 1), else_=0)


def _seconds(
    dialect: str, begin: ColumnElement[datetime], end: ColumnElement[datetime]
) -> ColumnElement[int]:
    """Return the whole seconds between two moments."""
    if dialect == "sqlite":
        days = func.julianday(end) - func.julianday(begin)
        return cast(func.round(days * MILLISECONDS), BigInteger) // 1000
    if is_mysql(dialect):
        return func.timestampdiff(literal_column("SECOND"), begin, end)
    return cast(func.floor(extract("epoch", end - begin)), BigInteger)


def _month(dialect: str, moment: ColumnElement[datetime]) -> ColumnElement[str]:
    """Return the month of a moment in Vietnam."""
    if dialect == "sqlite":
        return func.strftime("%Y-%m", moment, "+7 hours")
    if is_mysql(dialect):
        later = func.date_add(moment, literal_column("INTERVAL 7 HOUR"))
        return func.date_format(later, "%Y-%m")
    ahead = func.timezone("UTC", moment) + literal_column("INTERVAL '7 hours'")
    return func.to_char(ahead, "YYYY-MM")
