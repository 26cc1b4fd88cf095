"""Which lifecycles were in force: since when, by whom, and what rests on each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.storage.tables import administration, definitions, history


__all__ = ["DefinitionInForce", "definitions_in_force"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionInForce:
    """One lifecycle that steps were judged by."""

    id: str
    since: datetime
    """When it was first used in this database."""
    os_user: str | None
    """The account of the process that used it first; None if nobody wrote it down."""
    db_user: str | None
    entries: int
    """How many steps name it, corrections among them."""
    first_entry: datetime | None
    last_entry: datetime | None
    named: bool
    """Whether the settings name it: as the present one, or in `earlier_lifecycles`."""


def definitions_in_force(
    connection: Connection, *, named: Collection[str]
) -> list[DefinitionInForce]:
    """List the lifecycles of the database in the order in which they came."""
    d, a, h = definitions.c, administration.c, history.c
    told = and_(a.kind == AdministrationKind.DEFINITION_IN_FORCE, a.subject == d.id)
    first = select(func.min(a.id)).where(told).correlate(definitions).scalar_subquery()
    used = (
        select(
            h.definition,
            func.count().label("entries"),
            func.min(h.recorded_at).label("first"),
            func.max(h.recorded_at).label("last"),
        )
        .group_by(h.definition)
        .subquery()
    )
    query = (
        select(d.id, d.recorded_at, a.os_user, a.db_user, used.c.entries, used.c.first, used.c.last)
        .select_from(
            definitions.outerjoin(administration, a.id == first).outerjoin(
                used, used.c.definition == d.number
            )
        )
        .order_by(d.number)
    )
    return [
        DefinitionInForce(
            id=name,
            since=since,
            os_user=os_user,
            db_user=db_user,
            entries=entries or 0,
            first_entry=earliest,
            last_entry=latest,
            named=name in named,
        )
        for name, since, os_user, db_user, entries, earliest, latest in connection.execute(query)
    ]
