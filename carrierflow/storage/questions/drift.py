"""Drift from the three places that keep it: incidents, attempts that failed, steps taken over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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

from carrierflow.audit.drift import Episode
from carrierflow.domain.model import FulfillmentRef, Source
from carrierflow.domain.publication import Outcome, PublicationState
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    history,
    incidents,
    outcomes,
    publications,
    shops,
)


__all__ = ["episodes"]

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
        bounded = select(found)
        if shop is not None:
            bounded = bounded.where(found.c.shop == shop)
        if since is not None:
            bounded = bounded.where(found.c.found_at >= since)
        if until is not None:
            bounded = bounded.where(found.c.found_at <= until)
        for row in connection.execute(bounded.execution_options(yield_per=STREAM)):
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
        ref = FulfillmentRef(
            shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id
        )
    return Episode(
        kind=row.kind,
        shop=row.code,
        ref=ref,
        found_at=row.found_at,
        healed_at=row.healed_at,
        frozen=bool(row.frozen),
    )
