"""Reading the log as a feed: the entries that are told, by their places, and what each says.

The log is gone through in the order of its places, stretch by stretch. How far a stretch goes is
asked first: so steps and decisions are each looked up by their keys, between two places, and
whatever else stands there costs nothing more.
"""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, func, literal, select

from carrierflow.domain.decision import DecisionKind
from carrierflow.domain.feed_entry import INCIDENT_NEWS, FeedEntry, FeedKind
from carrierflow.domain.model import Machine, Source
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import decisions, fulfillments, history, log, shops


__all__ = ["last_position", "news_of_incidents", "read_feed"]

STEP, DECISION = "transition", "decision"
"""What the log calls the kinds of entries that are told."""

NAMES = (
    shops.c.code.label("shop"),
    fulfillments.c.order_id,
    fulfillments.c.fulfillment_id,
    fulfillments.c.tracking_number,
)
OF_STEP = tuple(
    history.c[name]
    for name in (
        *("machine", "seq", "from_status", "to_status", "source", "inferred", "amends"),
        *("actor", "reason", "occurred_at", "recorded_at"),
    )
)
OF_INCIDENT = (
    decisions.c.incident,
    decisions.c.kind.label("incident_kind"),
    decisions.c.what,
    decisions.c.action,
    decisions.c.actor,
    decisions.c.reason,
    decisions.c.decided_at.label("occurred_at"),
    decisions.c.recorded_at,
)
TOLD = decisions.c.what.in_(INCIDENT_NEWS)

READ_LAST = select(func.max(log.c.position))
_BETWEEN = (
    log.c.position > bindparam("after", type_=BigInteger()),
    log.c.position <= bindparam("upto", type_=BigInteger()),
)
READ_END = (
    select(log.c.position)
    .where(*_BETWEEN, log.c.kind.in_([STEP, DECISION]))
    .order_by(log.c.position)
    .offset(bindparam("passed", type_=BigInteger()))
    .limit(1)
)
READ_STEPS = (
    select(
        log.c.position,
        *NAMES,
        *OF_STEP,
    )
    .select_from(log)
    .join(
        history,
        and_(
            history.c.fulfillment == log.c.fulfillment,
            history.c.machine == log.c.machine,
            history.c.seq == log.c.seq,
        ),
    )
    .join(fulfillments, fulfillments.c.id == history.c.fulfillment)
    .join(shops, shops.c.id == fulfillments.c.shop)
    .where(*_BETWEEN, log.c.kind == STEP)
)
READ_DECISIONS = (
    select(log.c.position, *NAMES, *OF_INCIDENT)
    .select_from(log)
    .join(decisions, decisions.c.id == log.c.number)
    .join(shops, shops.c.id == decisions.c.shop)
    .outerjoin(fulfillments, fulfillments.c.id == decisions.c.fulfillment)
    .where(*_BETWEEN, log.c.kind == DECISION, TOLD)
)

NUMBERED = decisions.alias()
NEWEST = (
    select(func.max(NUMBERED.c.number))
    .where(NUMBERED.c.incident == decisions.c.incident)
    .scalar_subquery()
)
READ_NEWS = (
    select(literal(None).label("position"), *NAMES, *OF_INCIDENT)
    .select_from(decisions)
    .join(shops, shops.c.id == decisions.c.shop)
    .outerjoin(fulfillments, fulfillments.c.id == decisions.c.fulfillment)
    .where(
        decisions.c.incident.in_(bindparam("incidents", expanding=True)),
        decisions.c.number == NEWEST,
        TOLD,
    )
    .order_by(decisions.c.id)
)

STRETCH = 2_000
"""Entries that are gone through at once where those of one shop are looked for."""


def last_position(connection: Connection) -> int | None:
    """Return the last place of the log that is given; None while there is none."""
    last: int | None = connection.execute(READ_LAST).scalar()
    return last


def read_feed(
    connection: Connection, *, after: int, upto: int, shop: str | None, limit: int
) -> list[FeedEntry]:
    """Return so many of the entries that stand behind one place and not behind another."""
    found: list[FeedEntry] = []
    while after < upto and len(found) < limit:
        some = limit - len(found) if shop is None else STRETCH
        given = {"after": after, "upto": upto, "passed": some - 1}
        end = connection.execute(READ_END, given).scalar()
        end = upto if end is None else end
        stretch = _read_stretch(connection, after, end)
        found += stretch if shop is None else [each for each in stretch if each.shop == shop]
        after = end
    return found[:limit]


def _read_stretch(connection: Connection, after: int, upto: int) -> list[FeedEntry]:
    given = {"after": after, "upto": upto}
    found = [_of_step(row) for row in connection.execute(READ_STEPS, given)]
    found += [_of_incident(row) for row in connection.execute(READ_DECISIONS, given)]
    return sorted(found, key=attrgetter("position"))


def news_of_incidents(connection: Connection, incident_ids: Collection[int]) -> list[FeedEntry]:
    """Return what is told of the last decision about each of some incidents; it has no place."""
    return [
        _of_incident(row)
        for some in sliced(connection, incident_ids)
        for row in connection.execute(READ_NEWS, {"incidents": some})
    ]


def _of_step(row: Any) -> FeedEntry:
    return FeedEntry(
        **_common(row),
        kind=FeedKind.TRANSITION,
        machine=Machine(row.machine),
        seq=row.seq,
        from_status=row.from_status,
        to_status=row.to_status,
        source=Source(row.source),
        inferred=row.inferred,
        amends=row.amends,
    )


def _of_incident(row: Any) -> FeedEntry:
    return FeedEntry(
        **_common(row),
        kind=FeedKind.INCIDENT,
        incident=str(row.incident),
        incident_kind=row.incident_kind,
        what=DecisionKind(row.what),
        action=row.action,
    )


def _common(row: Any) -> dict[str, Any]:
    return {
        "position": row.position,
        "shop": row.shop,
        "order_id": row.order_id,
        "fulfillment_id": row.fulfillment_id,
        "tracking_number": row.tracking_number,
        "actor": row.actor,
        "reason": row.reason,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
    }
