"""What an auditor relies on gets rows that are never changed.

What is in the tables already is brought in as it stands at this moment, and marked so; history
is not touched. Each statement looks first for what is there, so it can be done again.
"""

from __future__ import annotations

import json
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Row,
    String,
    UniqueConstraint,
    bindparam,
    column,
    insert,
    select,
    table,
    text,
)

from carrierflow.domain.clock import now
from carrierflow.domain.incident import content_digest
from carrierflow.storage.migrations.schema_steps import create_table, protect
from carrierflow.storage.types import LongText, RowId, UtcDateTime


revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None

TERMS_OF_BEFORE = """
INSERT INTO carrierflow_terms
    (fulfillment, number, tracking_number, cod_amount, carrier_code, source, recorded_at)
SELECT f.id, 0, f.tracking_number, f.cod_amount, s.carrier_code, 'upgrade', :now
FROM carrierflow_fulfillments f JOIN carrierflow_shops s ON s.id = f.shop
WHERE (f.delivery_seq > 0 OR f.cod_seq > 0)
    AND NOT EXISTS (SELECT 1 FROM carrierflow_terms t WHERE t.fulfillment = f.id)
ORDER BY f.id
"""

DECIDED_OF_BEFORE = """
INSERT INTO carrierflow_decisions
    (incident, number, shop, fulfillment, subject, kind, what, evidence_digest,
     action, owner, actor, reason, decided_at, recorded_at)
SELECT i.id, (SELECT count(*) + 1 FROM carrierflow_decisions d WHERE d.incident = i.id),
    i.shop, i.fulfillment, i.subject, i.kind, {what}, i.evidence_digest,
    {action}, i.owner, {actor}, {reason}, {at}, :now
FROM carrierflow_incidents i
WHERE {which}
    AND NOT EXISTS (
        SELECT 1 FROM carrierflow_decisions d WHERE d.incident = i.id AND d.what = {what}
    )
ORDER BY i.id
"""

NOBODY = {"action": "NULL", "actor": "'upgrade'", "reason": "NULL", "at": "i.opened_at"}
SOMEBODY = {
    "action": "i.action",
    "actor": "i.resolved_by",
    "reason": "i.resolved_reason",
    "at": "i.resolved_at",
}
ENDS = (
    {"what": "'assigned'", "which": "i.owner IS NOT NULL", **NOBODY},
    {"what": "'closed'", "which": "i.state = 'resolved' AND i.action = 'gone'", **SOMEBODY},
    {"what": "'resumed'", "which": "i.state = 'resolved' AND i.action = 'resume'", **SOMEBODY},
    {
        "what": "'resolved'",
        "which": "i.state = 'resolved' AND i.action NOT IN ('gone', 'resume')",
        **SOMEBODY,
    },
)
"""What an incident of before says of itself, beside that it was opened."""

RUNS_OF_BEFORE = """
INSERT INTO carrierflow_run_ends
    (run, kind, shop, started_at, ended_at, end_reason, counters, sentence, recorded_at)
SELECT r.id, r.kind, r.shop, r.started_at, r.ended_at, r.end_reason, r.counters, r.sentence, :now
FROM carrierflow_runs r
WHERE r.ended_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM carrierflow_run_ends e WHERE e.run = r.id)
ORDER BY r.ended_at, r.id
"""

COUNTED = ("terms", "decisions", "run_ends")

FORGET_ENDS = """
UPDATE carrierflow_incidents SET resolved_by = NULL, resolved_reason = NULL
WHERE state = 'open' AND (resolved_by IS NOT NULL OR resolved_reason IS NOT NULL)
"""
"""What is open again says no longer how it ended before: the evidence does, if a person did it."""

INCIDENTS = table(
    "carrierflow_incidents",
    *map(column, ("id", "shop", "fulfillment", "subject", "kind", "evidence_digest")),
    *map(column, ("sentence", "evidence")),
    column("opened_at", UtcDateTime()),
)
DECISIONS = table(
    "carrierflow_decisions",
    *map(column, ("incident", "number", "shop", "fulfillment", "subject", "kind", "what")),
    *map(column, ("evidence_digest", "content_digest", "actor")),
    column("decided_at", UtcDateTime()),
    column("recorded_at", UtcDateTime()),
)

ADMINISTRATION = table(
    "carrierflow_administration",
    *map(column, ("kind", "subject", "os_user", "db_user", "details")),
    column("recorded_at", UtcDateTime()),
)

AT_ONCE = 1_000
"""Incidents whose texts are read at a time."""


def upgrade() -> None:
    """Add the tables, and bring in what there is."""
    _add_terms()
    _add_decisions()
    _add_run_ends()
    _add_administration()


def _bring_in(statement: str) -> None:
    op.get_bind().execute(text(statement).bindparams(bindparam("now", now(), UtcDateTime())))


def _add_terms() -> None:
    create_table(
        "carrierflow_terms",
        Column("id", RowId, nullable=False),
        Column("fulfillment", RowId, nullable=False),
        Column("number", Integer(), nullable=False),
        Column("tracking_number", String(length=128), nullable=True),
        Column("cod_amount", BigInteger(), nullable=False),
        Column("carrier_code", String(length=64), nullable=False),
        Column("source", String(length=32), nullable=False),
        Column("actor", String(length=128), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("recorded_at", UtcDateTime(), nullable=False),
        CheckConstraint("cod_amount >= 0", name=op.f("ck_carrierflow_terms_cod_amount")),
        CheckConstraint(
            "number = 0 OR (number > 0 AND actor IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_carrierflow_terms_revised_by"),
        ),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_terms_fulfillment_carrierflow_fulfillments"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_terms")),
        UniqueConstraint("fulfillment", "number", name="uq_terms_number"),
    )
    _bring_in(TERMS_OF_BEFORE)
    protect(("carrierflow_terms",))


def _add_decisions() -> None:
    create_table(
        "carrierflow_decisions",
        Column("id", RowId, nullable=False),
        Column("incident", RowId, nullable=False),
        Column("number", Integer(), nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("fulfillment", RowId, nullable=True),
        Column("subject", String(length=64), nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("what", String(length=32), nullable=False),
        Column("evidence_digest", String(length=64), nullable=False),
        Column("content_digest", String(length=64), nullable=True),
        Column("action", String(length=32), nullable=True),
        Column("owner", String(length=128), nullable=True),
        Column("actor", String(length=128), nullable=True),
        Column("approved_by", String(length=128), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("decided_at", UtcDateTime(), nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["incident"],
            ["carrierflow_incidents.id"],
            name=op.f("fk_carrierflow_decisions_incident_carrierflow_incidents"),
        ),
        ForeignKeyConstraint(
            ["shop"],
            ["carrierflow_shops.id"],
            name=op.f("fk_carrierflow_decisions_shop_carrierflow_shops"),
        ),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_decisions_fulfillment_carrierflow_fulfillments"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_decisions")),
        UniqueConstraint("incident", "number", name="uq_decisions_number"),
    )
    op.execute(FORGET_ENDS)
    while _open_some():
        pass
    for parts in ENDS:
        _bring_in(DECIDED_OF_BEFORE.format(**parts))
    protect(("carrierflow_decisions",))


def _open_some() -> bool:
    """Bring in that some incidents were opened, with the digest of what they say."""
    bind = op.get_bind()
    known = select(DECISIONS.c.incident).where(DECISIONS.c.incident == INCIDENTS.c.id).exists()
    query = select(INCIDENTS).where(~known).order_by(INCIDENTS.c.id).limit(AT_ONCE)
    rows = [_opened(row) for row in bind.execute(query)]
    if rows:
        bind.execute(insert(DECISIONS), rows)
    return bool(rows)


def _opened(row: Row[Any]) -> dict[str, Any]:
    names = ("shop", "fulfillment", "subject", "kind", "evidence_digest")
    return {
        "incident": row.id,
        "number": 1,
        **{name: getattr(row, name) for name in names},
        "what": "opened",
        "content_digest": content_digest(row.sentence, row.evidence),
        "actor": "upgrade",
        "decided_at": row.opened_at,
        "recorded_at": now(),
    }


def _add_run_ends() -> None:
    create_table(
        "carrierflow_run_ends",
        Column("id", RowId, nullable=False),
        Column("run", String(length=36), nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("started_at", UtcDateTime(), nullable=False),
        Column("ended_at", UtcDateTime(), nullable=False),
        Column("end_reason", String(length=32), nullable=True),
        Column("counters", LongText, nullable=True),
        Column("sentence", String(length=512), nullable=True),
        Column("recorded_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["run"],
            ["carrierflow_runs.id"],
            name=op.f("fk_carrierflow_run_ends_run_carrierflow_runs"),
        ),
        ForeignKeyConstraint(
            ["shop"],
            ["carrierflow_shops.id"],
            name=op.f("fk_carrierflow_run_ends_shop_carrierflow_shops"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_run_ends")),
        UniqueConstraint("run", name="uq_run_ends_run"),
    )
    _bring_in(RUNS_OF_BEFORE)
    protect(("carrierflow_run_ends",))


def _add_administration() -> None:
    create_table(
        "carrierflow_administration",
        Column("id", RowId, nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("shop", String(length=64), nullable=True),
        Column("subject", String(length=255), nullable=False),
        Column("actor", String(length=128), nullable=True),
        Column("os_user", String(length=128), nullable=False),
        Column("db_user", String(length=128), nullable=False),
        Column("details", LongText, nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_administration")),
    )
    _tell_what_was_brought_in()
    protect(("carrierflow_administration",))


def _tell_what_was_brought_in() -> None:
    """Write down how many rows there are now of each kind; nothing, for a database that is new."""
    bind = op.get_bind()
    counts = {
        name: bind.execute(text(f"SELECT count(*) FROM carrierflow_{name}")).scalar_one()  # noqa: S608 - names of ours
        for name in COUNTED
    }
    told = text("SELECT 1 FROM carrierflow_administration WHERE kind = 'brought_in'")
    if any(counts.values()) and bind.execute(told).scalar() is None:
        details = json.dumps({name: str(count) for name, count in sorted(counts.items())})
        bind.execute(
            insert(ADMINISTRATION),
            {
                "kind": "brought_in",
                "subject": revision,
                "os_user": "",
                "db_user": "",
                "details": details,
                "recorded_at": now(),
            },
        )
