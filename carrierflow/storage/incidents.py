"""Incidents in the database: one row for each cause, however often it is seen."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.incident import Finding, Incident, ResolveAction
from carrierflow.domain.limits import SENTENCE, cut
from carrierflow.errors import UnknownIncident
from carrierflow.storage.tables import evidence, fulfillments, incidents, shops


__all__ = [
    "OPEN",
    "assign_incident",
    "close_incident",
    "find_incident",
    "incidents_of",
    "list_incidents",
    "open_incident",
    "parcels_with",
    "settle_orders",
    "settle_parcels",
    "settle_shop",
    "unread_orders",
]

WHOLE_SHOP = "*"
"""The subject of an incident that concerns no single fulfillment."""

NUMBER = re.compile("[0-9]{1,18}")

OPEN, RESOLVED = "open", "resolved"

GONE = "gone"
"""What became of an incident that closed by itself."""


def open_incident(
    connection: Connection, shop_id: int, parcel_id: int | None, finding: Finding, now: datetime
) -> bool:
    """Open an incident, or count that its cause was seen again; True if it is open anew.

    A cause that froze its fulfillment again after a person resolved it is opened again, and so is
    one whose incident had closed by itself; one that was only reported stays as the person left
    it.
    """
    subject = finding.ref.fulfillment_id if finding.ref else WHOLE_SHOP
    same = (
        (incidents.c.shop == shop_id)
        & (incidents.c.subject == subject)
        & (incidents.c.kind == finding.kind)
        & (incidents.c.evidence_digest == finding.digest)
    )
    known = connection.execute(
        select(incidents.c.id, incidents.c.state, incidents.c.action, incidents.c.times_seen).where(
            same
        )
    ).one_or_none()
    if known is None:
        connection.execute(insert(incidents), _new_row(shop_id, parcel_id, subject, finding, now))
        return True
    anew = known.state == RESOLVED and (finding.freezes or known.action == GONE)
    values: dict[str, Any] = {"times_seen": known.times_seen + 1, "last_seen_at": now}
    if anew:
        values |= {"state": OPEN, "resolved_at": None, "action": None}
    connection.execute(update(incidents).where(incidents.c.id == known.id).values(**values))
    return anew


def _new_row(
    shop_id: int, parcel_id: int | None, subject: str, finding: Finding, now: datetime
) -> dict[str, Any]:
    return {
        "shop": shop_id,
        "fulfillment": parcel_id,
        "subject": subject,
        "kind": finding.kind,
        "evidence_digest": finding.digest,
        "sentence": cut(finding.sentence, SENTENCE),
        "evidence": finding.text,
        "opened_at": now,
        "last_seen_at": now,
        "times_seen": 1,
        "state": OPEN,
    }


def list_incidents(
    connection: Connection, *, shop: str | None = None, state: str | None = OPEN
) -> list[Incident]:
    """Return incidents, oldest first."""
    query = _query().order_by(incidents.c.id)
    if shop is not None:
        query = query.where(shops.c.code == shop)
    if state is not None:
        query = query.where(incidents.c.state == state)
    return [_incident_from(row) for row in connection.execute(query)]


def incidents_of(connection: Connection, parcel: Parcel) -> list[Incident]:
    """Return every incident of one fulfillment, resolved ones too, oldest first."""
    query = _query().where(incidents.c.fulfillment == parcel.id).order_by(incidents.c.id)
    return [_incident_from(row) for row in connection.execute(query)]


def find_incident(connection: Connection, incident_id: str) -> Incident:
    """Return one incident.

    Raises:
        UnknownIncident: if no incident bears that number.
    """
    number = int(incident_id) if NUMBER.fullmatch(incident_id) else -1
    row = connection.execute(_query().where(incidents.c.id == number)).one_or_none()
    if row is None:
        raise UnknownIncident(incident_id)
    return _incident_from(row)


def assign_incident(connection: Connection, incident_id: str, owner: str) -> None:
    """Write who looks after an incident."""
    connection.execute(
        update(incidents).where(incidents.c.id == int(incident_id)).values(owner=owner)
    )


def close_incident(
    connection: Connection,
    incident: Incident,
    *,
    action: ResolveAction,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Resolve an incident, and write that down where it can never be changed."""
    row = connection.execute(
        select(incidents.c.shop, incidents.c.fulfillment).where(incidents.c.id == int(incident.id))
    ).one()
    connection.execute(
        update(incidents)
        .where(incidents.c.id == int(incident.id))
        .values(
            state=RESOLVED,
            resolved_at=now,
            action=action,
            resolved_by=actor,
            resolved_reason=reason,
        )
    )
    connection.execute(
        insert(evidence),
        {
            "shop": row.shop,
            "fulfillment": row.fulfillment,
            "kind": "resolution",
            "code": action,
            "sentence": f"Incident {incident.id} ({incident.kind}) was resolved.",
            "actor": actor,
            "reason": reason,
            "details": json.dumps({"incident": incident.id, "kind": incident.kind}),
            "recorded_at": now,
            "fill_gaps": False,
        },
    )


def settle_shop(connection: Connection, shop_id: int, kind: str, *, now: datetime) -> None:
    """Close incidents of a whole shop whose cause is gone."""
    connection.execute(
        update(incidents)
        .where(
            incidents.c.shop == shop_id,
            incidents.c.subject == WHOLE_SHOP,
            incidents.c.kind == kind,
            incidents.c.state == OPEN,
        )
        .values(**_over(now))
    )


def _over(now: datetime) -> dict[str, Any]:
    return {
        "state": RESOLVED,
        "resolved_at": now,
        "action": GONE,
        "resolved_by": "carrierflow",
        "resolved_reason": "A later run did not meet it any more.",
    }


def unread_orders(connection: Connection, shop_id: int) -> set[str]:
    """Return the orders with rows that could not be read when they were last looked at.

    One whose own id cannot be read is the empty one.
    """
    return {order_id for _, order_id in _unread(connection, shop_id)}


def settle_orders(
    connection: Connection, shop_id: int, order_ids: Collection[str], *, now: datetime
) -> None:
    """Close what could not be read of some orders: every row of them can be read again."""
    ids = [number for number, order_id in _unread(connection, shop_id) if order_id in order_ids]
    connection.execute(update(incidents).where(incidents.c.id.in_(ids)).values(**_over(now)))


def _unread(connection: Connection, shop_id: int) -> list[tuple[int, str]]:
    rows = connection.execute(
        select(incidents.c.id, incidents.c.evidence).where(
            incidents.c.shop == shop_id,
            incidents.c.subject == WHOLE_SHOP,
            incidents.c.kind == "unreadable",
            incidents.c.state == OPEN,
        )
    )
    return [(row.id, json.loads(row.evidence)["order_id"] or "") for row in rows]


def parcels_with(connection: Connection, shop_id: int, kind: str) -> set[int]:
    """Return the fulfillments, by their own ids, that have an open incident of one kind."""
    query = select(incidents.c.fulfillment).where(*_open_of(shop_id, kind))
    return set(connection.execute(query).scalars())


def settle_parcels(
    connection: Connection, shop_id: int, kind: str, parcel_ids: Collection[int], *, now: datetime
) -> None:
    """Close the incidents of one kind that some fulfillments have: their cause is gone."""
    for number in parcel_ids:  # seldom more than one
        connection.execute(
            update(incidents)
            .where(*_open_of(shop_id, kind), incidents.c.fulfillment == number)
            .values(**_over(now))
        )


def _open_of(shop_id: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    of_parcels = incidents.c.fulfillment.is_not(None)
    return (
        incidents.c.shop == shop_id,
        incidents.c.kind == kind,
        incidents.c.state == OPEN,
        of_parcels,
    )


def _query() -> Any:
    return (
        select(incidents, shops.c.code, fulfillments.c.order_id, fulfillments.c.fulfillment_id)
        .join(shops, shops.c.id == incidents.c.shop)
        .outerjoin(fulfillments, fulfillments.c.id == incidents.c.fulfillment)
    )


def _incident_from(row: Row[Any]) -> Incident:
    subject = None if row.subject == WHOLE_SHOP else row.subject
    return Incident(
        id=str(row.id),
        shop=row.code,
        fulfillment_id=row.fulfillment_id or subject,
        order_id=row.order_id,
        kind=row.kind,
        sentence=row.sentence,
        evidence=json.loads(row.evidence),
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        times_seen=row.times_seen,
        state=row.state,
        owner=row.owner,
        resolved_at=row.resolved_at,
        action=row.action,
        resolved_by=row.resolved_by,
        resolved_reason=row.resolved_reason,
    )
