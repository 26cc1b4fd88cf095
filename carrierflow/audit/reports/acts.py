"""What was done to the installation: by whom, as which account, when, and where it is proven."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from carrierflow.audit.log.entry_kinds import ADMINISTRATION
from carrierflow.audit.reports.bounds import bounded
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.storage.tables import administration, log


__all__ = ["AdministrativeAct", "administrative_acts"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AdministrativeAct:
    """One act, as the log holds it."""

    kind: str
    recorded_at: datetime
    shop: str | None
    """A shop's code; None where it was about all of it."""
    subject: str
    """What else it was about: a parcel's id at its platform, a role, a public key."""
    actor: str | None
    """Who did it, by name; None where nobody was named."""
    os_user: str
    db_user: str
    details: Mapping[str, str | bool | None]
    position: int | None
    """Its place in the log; None where it was not given one yet."""


def administrative_acts(
    connection: Connection,
    *,
    shop: str | None,
    kinds: Collection[AdministrationKind],
    since: datetime | None,
    until: datetime | None,
) -> list[AdministrativeAct]:
    """List acts in the order in which they were written; no kind stands for all of them."""
    a = administration.c
    query = (
        select(administration, log.c.position)
        .select_from(administration.outerjoin(log, ADMINISTRATION.is_placed()))
        .order_by(a.id)
    )
    query = bounded(query, shop, since, until, of=a.shop, at=a.recorded_at)
    if kinds:
        query = query.where(a.kind.in_(kinds))
    return [
        AdministrativeAct(
            kind=row.kind,
            recorded_at=row.recorded_at,
            shop=row.shop,
            subject=row.subject,
            actor=row.actor,
            os_user=row.os_user,
            db_user=row.db_user,
            details=json.loads(row.details),
            position=row.position,
        )
        for row in connection.execute(query)
    ]
