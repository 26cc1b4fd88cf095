"""Reading the log as a feed: the entries that are told, by their places, and what each says.

A page is one question: the log is gone through in the order of its places, whatever else it holds
is passed over, and each entry that is told is looked up by its key.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, func, or_, select

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
    for name in ("machine", "seq", "from_status", "to_status", "source", "inferred", "amends")
)
OF_INCIDENT = (
    decisions.c.incident,
    decisions.c.kind.label("incident_kind"),
    decisions.c.what,
    decisions.c.action,
)
TOLD = decisions.c.what.in_(INCIDENT_NEWS)

READ_LAST = select(func.max(log.c.position))
READ_FEED = (
    select(
        log.c.position,
        log.c.kind,
        *NAMES,
        *OF_STEP,
        *OF_INCIDENT,
        func.coalesce(history.c.actor, decisions.c.actor).label("actor"),
        func.coalesce(history.c.reason, decisions.c.reason).label("reason"),
        func.coalesce(history.c.occurred_at, decisions.c.decided_at).label("occurred_at"),
        func.coalesce(history.c.recorded_at, decisions.c.recorded_at).label("recorded_at"),
    )
    .select_from(log)
    .outerjoin(
        history,
        and_(
            log.c.kind == STEP,
            history.c.fulfillment == log.c.fulfillment,
            history.c.machine == log.c.machine,
            history.c.seq == log.c.seq,
        ),
    )
    .outerjoin(decisions, and_(log.c.kind == DECISION, decisions.c.id == log.c.number))
    .outerjoin(
        fulfillments,
        fulfillments.c.id == func.coalesce(history.c.fulfillment, decisions.c.fulfillment),
    )
    .outerjoin(shops, shops.c.id == func.coalesce(fulfillments.c.shop, decisions.c.shop))
    .where(
        log.c.position > bindparam("after", type_=BigInteger()),
        log.c.position <= bindparam("upto", type_=BigInteger()),
        or_(log.c.kind == STEP, and_(log.c.kind == DECISION, TOLD)),
    )
    .order_by(log.c.position)
    .limit(bindparam("most", type_=BigInteger()))
)
READ_FEED_OF_SHOP = READ_FEED.where(shops.c.code == bindparam("shop"))

NUMBERED = decisions.alias()
NEWEST = (
    select(func.max(NUMBERED.c.number))
    .where(NUMBERED.c.incident == decisions.c.incident)
    .scalar_subquery()
)
READ_NEWS = (
    select(
        *NAMES,
        *OF_INCIDENT,
        decisions.c.actor,
        decisions.c.reason,
        decisions.c.decided_at.label("occurred_at"),
        decisions.c.recorded_at,
    )
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


def last_position(connection: Connection) -> int | None:
    """Return the last place of the log that is given; None while there is none."""
    last: int | None = connection.execute(READ_LAST).scalar()
    return last


def read_feed(
    connection: Connection, *, after: int, upto: int, shop: str | None, limit: int
) -> list[FeedEntry]:
    """Return so many of the entries that stand behind one place and not behind another."""
    given = {"after": after, "upto": upto, "most": limit}
    if shop is None:
        return [_entry(row) for row in connection.execute(READ_FEED, given)]
    return [_entry(row) for row in connection.execute(READ_FEED_OF_SHOP, given | {"shop": shop})]


def news_of_incidents(connection: Connection, incident_ids: Collection[int]) -> list[FeedEntry]:
    """Return what is told of the last decision about each of some incidents; it has no place."""
    return [
        _of_incident(row)
        for some in sliced(connection, incident_ids)
        for row in connection.execute(READ_NEWS, {"incidents": some})
    ]


def _entry(row: Any) -> FeedEntry:
    return _of_step(row) if row.kind == STEP else _of_incident(row, position=row.position)


def _of_step(row: Any) -> FeedEntry:
    return FeedEntry(
        **_common(row),
        kind=FeedKind.TRANSITION,
        position=row.position,
        machine=Machine(row.machine),
        seq=row.seq,
        from_status=row.from_status,
        to_status=row.to_status,
        source=Source(row.source),
        inferred=row.inferred,
        amends=row.amends,
    )


def _of_incident(row: Any, *, position: int | None = None) -> FeedEntry:
    return FeedEntry(
        **_common(row),
        kind=FeedKind.INCIDENT,
        position=position,
        incident=str(row.incident),
        incident_kind=row.incident_kind,
        what=DecisionKind(row.what),
        action=row.action,
    )


def _common(row: Any) -> dict[str, Any]:
    return {
        "shop": row.shop,
        "order_id": row.order_id,
        "fulfillment_id": row.fulfillment_id,
        "tracking_number": row.tracking_number,
        "actor": row.actor,
        "reason": row.reason,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
    }
