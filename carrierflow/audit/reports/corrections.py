"""What people changed: corrections, operators' steps, what was agreed, decisions on incidents."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from carrierflow.audit.reports.bounds import bounded
from carrierflow.domain.model import Machine, Source
from carrierflow.domain.revision import Terms
from carrierflow.storage.tables import evidence, fulfillments, history, shops, terms


__all__ = ["Correction", "CorrectionKind", "corrections"]


class CorrectionKind(StrEnum):
    """What somebody did."""

    AMENDMENT = "amendment"
    """A new entry that corrects an earlier one; it needed no legal step."""
    STEP = "step"
    """A legal step that an operator recorded, not the carrier's scanners."""
    REVISION = "revision"
    """A change of what was agreed: the amount to collect, or the waybill."""
    DECISION = "decision"
    """The resolution of an incident."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """One of them, with who did it and why."""

    kind: CorrectionKind
    recorded_at: datetime
    occurred_at: datetime | None = None
    shop: str
    order_id: str | None = None
    fulfillment_id: str | None = None
    """None where a decision was about a whole shop."""
    machine: Machine | None = None
    seq: int | None = None
    from_status: str | None = None
    to_status: str | None = None
    amends: int | None = None
    """The entry of the same machine that it corrects."""
    actor: str | None = None
    reason: str | None = None
    incident: str | None = None
    """The incident that it was about."""
    action: str | None = None
    """What was decided about that incident."""
    approved_by: str | None = None
    """Who else approved it, with commas between; None where nobody had to."""
    before: Terms | None = None
    """What was agreed before a revision."""
    after: Terms | None = None


INCIDENT = "incident:"
"""How the key of an entry begins that came of a decision about an incident."""


def corrections(
    connection: Connection, *, shop: int | None, since: datetime | None, until: datetime | None
) -> list[Correction]:
    """Return what people changed, in the order in which it was recorded."""
    decisions = [
        _decision(row)
        for row in connection.execute(_asked(_decisions(), evidence, shop, since, until))
    ]
    approvals = _approvals(connection)
    entries = [
        _entry(row, approvals)
        for row in connection.execute(_asked(_entries(), history, shop, since, until))
    ]
    revisions = [
        _revision(row)
        for row in connection.execute(_asked(_revisions(), terms, shop, since, until))
    ]
    return sorted([*entries, *revisions, *decisions], key=lambda each: each.recorded_at)


def _entries() -> Select[Any]:
    f = fulfillments.c
    return (
        select(history, shops.c.code.label("shop_code"), f.order_id, f.fulfillment_id)
        .join(fulfillments, f.id == history.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(or_(history.c.amends.is_not(None), history.c.source == Source.OPERATOR))
    )


def _revisions() -> Select[Any]:
    f, t, was = fulfillments.c, terms.c, terms.alias()
    follows = and_(was.c.fulfillment == t.fulfillment, was.c.number == t.number - 1)
    return (
        select(
            terms,
            was.c.cod_amount.label("was_amount"),
            was.c.tracking_number.label("was_number"),
            shops.c.code.label("shop_code"),
            f.order_id,
            f.fulfillment_id,
        )
        .join_from(terms, was, follows)
        .join(fulfillments, f.id == t.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .order_by(t.id)
    )


def _decisions() -> Select[Any]:
    f = fulfillments.c
    return (
        select(evidence, shops.c.code.label("shop_code"), f.order_id, f.fulfillment_id)
        .join(shops, shops.c.id == evidence.c.shop)
        .outerjoin(fulfillments, f.id == evidence.c.fulfillment)
        .where(evidence.c.kind == "resolution")
    )


def _asked(
    query: Select[Any], table: Any, shop: int | None, since: datetime | None, until: datetime | None
) -> Select[Any]:
    return bounded(query, shop, since, until, of=shops.c.id, at=table.c.recorded_at)


def _approvals(connection: Connection) -> dict[str, Correction]:
    """Return the decisions by their incidents; of several, the last one."""
    found = map(_decision, connection.execute(_decisions().order_by(evidence.c.id)))
    return {each.incident: each for each in found if each.incident is not None}


def _entry(row: Any, approvals: dict[str, Correction]) -> Correction:
    entry = Correction(
        kind=CorrectionKind.STEP if row.amends is None else CorrectionKind.AMENDMENT,
        recorded_at=row.recorded_at,
        occurred_at=row.occurred_at,
        shop=row.shop_code,
        order_id=row.order_id,
        fulfillment_id=row.fulfillment_id,
        machine=Machine(row.machine),
        seq=row.seq,
        from_status=row.from_status,
        to_status=row.to_status,
        amends=row.amends,
        actor=row.actor,
        reason=row.reason,
        incident=_incident_of(row.event_key),
    )
    approval = approvals.get(entry.incident or "")
    if approval is None:
        return entry
    return replace(entry, action=approval.action, approved_by=approval.approved_by)


def _revision(row: Any) -> Correction:
    return Correction(
        kind=CorrectionKind.REVISION,
        recorded_at=row.recorded_at,
        shop=row.shop_code,
        order_id=row.order_id,
        fulfillment_id=row.fulfillment_id,
        actor=row.actor,
        reason=row.reason,
        before=Terms(cod_amount=row.was_amount, tracking_number=row.was_number),
        after=Terms(cod_amount=row.cod_amount, tracking_number=row.tracking_number),
    )


def _incident_of(key: str | None) -> str | None:
    """Return the incident in a key such as `incident:7:1:delivered`."""
    if key is None or not key.startswith(INCIDENT):
        return None
    return key.removeprefix(INCIDENT).partition(":")[0]


def _decision(row: Any) -> Correction:
    details = json.loads(row.details) if row.details else {}
    return Correction(
        kind=CorrectionKind.DECISION,
        recorded_at=row.recorded_at,
        shop=row.shop_code,
        order_id=row.order_id,
        fulfillment_id=row.fulfillment_id,
        actor=row.actor,
        reason=row.reason,
        incident=details.get("incident"),
        action=row.code,
        approved_by=", ".join(details.get("approved_by", ())) or None,
    )
