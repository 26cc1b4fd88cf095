"""The ledger, publications, observations, runs and incidents, with their protections."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import LONGTEXT

from carrierflow.storage.migrations.schema_steps import create_index, create_table, protect
from carrierflow.storage.types import RowId, UtcDateTime


revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

LONG_TEXT = Text().with_variant(LONGTEXT(), "mysql", "mariadb")

PROTECTED = (
    "carrierflow_definitions",
    "carrierflow_edges",
    "carrierflow_history",
    "carrierflow_evidence",
    "carrierflow_attempts",
    "carrierflow_outcomes",
    "carrierflow_observations",
)


def upgrade() -> None:
    """Create every table, then make those append-only that hold proof."""
    create_table(
        "carrierflow_definitions",
        Column("number", Integer(), nullable=False),
        Column("id", String(length=64), nullable=False),
        Column("canonical", LONG_TEXT, nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        PrimaryKeyConstraint("number", name=op.f("pk_carrierflow_definitions")),
        UniqueConstraint("id", name=op.f("uq_carrierflow_definitions_id")),
    )
    create_table(
        "carrierflow_files",
        Column("digest", String(length=64), nullable=False),
        Column("name", String(length=255), nullable=False),
        Column("row_count", Integer(), nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        PrimaryKeyConstraint("digest", name=op.f("pk_carrierflow_files")),
    )
    create_table(
        "carrierflow_shops",
        Column("id", Integer(), nullable=False),
        Column("code", String(length=64), nullable=False),
        Column("platform", String(length=32), nullable=False),
        Column("base_url", String(length=255), nullable=False),
        Column("org_id", String(length=64), nullable=True),
        Column("carrier_code", String(length=64), nullable=False),
        Column("token", LargeBinary(), nullable=False),
        Column("state", String(length=32), nullable=False),
        Column("added_at", UtcDateTime(), nullable=False),
        Column("next_due", UtcDateTime(), nullable=True),
        Column("swept_to", UtcDateTime(), nullable=True),
        Column("lease_owner", String(length=36), nullable=True),
        Column("lease_until", UtcDateTime(), nullable=True),
        Column("fence", BigInteger(), nullable=False),
        Column("rate_until_us", BigInteger(), nullable=False),
        Column("paused_until_us", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_shops")),
        UniqueConstraint("code", name=op.f("uq_carrierflow_shops_code")),
    )
    create_table(
        "carrierflow_edges",
        Column("definition", Integer(), nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("from_status", String(length=32), nullable=False),
        Column("to_status", String(length=32), nullable=False),
        ForeignKeyConstraint(
            ["definition"],
            ["carrierflow_definitions.number"],
            name=op.f("fk_carrierflow_edges_definition"),
        ),
        PrimaryKeyConstraint(
            "definition", "machine", "from_status", "to_status", name=op.f("pk_carrierflow_edges")
        ),
    )
    create_table(
        "carrierflow_fulfillments",
        Column("id", RowId, nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("order_id", String(length=64), nullable=False),
        Column("fulfillment_id", String(length=64), nullable=False),
        Column("tracking_number", String(length=128), nullable=True),
        Column("cod_amount", BigInteger(), nullable=False),
        Column("opened_at", UtcDateTime(), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("delivery_status", String(length=32), nullable=False),
        Column("delivery_seq", Integer(), nullable=False),
        Column("delivery_since", UtcDateTime(), nullable=True),
        Column("delivery_hash", String(length=64), nullable=False),
        Column("delivery_confirmed", Integer(), nullable=False),
        Column("cod_status", String(length=32), nullable=False),
        Column("cod_seq", Integer(), nullable=False),
        Column("cod_since", UtcDateTime(), nullable=True),
        Column("cod_hash", String(length=64), nullable=False),
        Column("cod_confirmed", Integer(), nullable=False),
        Column("held", Integer(), nullable=False),
        Column("unpublished", Integer(), nullable=False),
        Column("open", Boolean(), nullable=False),
        Column("settled_at", UtcDateTime(), nullable=True),
        Column("remote_carrier", String(length=32), nullable=True),
        Column("remote_cod", String(length=32), nullable=True),
        Column("remote_updated_at", UtcDateTime(), nullable=True),
        Column("remote_dates", LONG_TEXT, nullable=True),
        Column("remote_digest", String(length=64), nullable=True),
        Column("seen_at", UtcDateTime(), nullable=True),
        Column("verified_at", UtcDateTime(), nullable=True),
        Column("not_before", UtcDateTime(), nullable=True),
        Column("missing", Integer(), nullable=False),
        Column("missing_since", UtcDateTime(), nullable=True),
        Column("frozen", String(length=32), nullable=True),
        Column("reassert", String(length=64), nullable=True),
        CheckConstraint("cod_amount >= 0", name=op.f("ck_carrierflow_fulfillments_cod_amount")),
        ForeignKeyConstraint(
            ["shop"], ["carrierflow_shops.id"], name=op.f("fk_carrierflow_fulfillments_shop")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_fulfillments")),
        UniqueConstraint(
            "shop", "fulfillment_id", name=op.f("uq_carrierflow_fulfillments_shop_fulfillment_id")
        ),
    )
    create_index(
        op.f("ix_carrierflow_fulfillments_shop_open_verified_at"),
        "carrierflow_fulfillments",
        ["shop", "open", "verified_at"],
    )
    create_index(
        op.f("ix_carrierflow_fulfillments_shop_order_id"),
        "carrierflow_fulfillments",
        ["shop", "order_id"],
    )
    create_index(
        op.f("ix_carrierflow_fulfillments_shop_unpublished"),
        "carrierflow_fulfillments",
        ["shop", "unpublished"],
    )
    create_table(
        "carrierflow_runs",
        Column("id", String(length=36), nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("started_at", UtcDateTime(), nullable=False),
        Column("ended_at", UtcDateTime(), nullable=True),
        Column("end_reason", String(length=32), nullable=True),
        Column("counters", LONG_TEXT, nullable=True),
        ForeignKeyConstraint(
            ["shop"], ["carrierflow_shops.id"], name=op.f("fk_carrierflow_runs_shop")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_runs")),
    )
    create_index(
        op.f("ix_carrierflow_runs_shop_started_at"),
        "carrierflow_runs",
        ["shop", "started_at"],
    )
    create_table(
        "carrierflow_evidence",
        Column("id", RowId, nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("fulfillment", RowId, nullable=True),
        Column("kind", String(length=32), nullable=False),
        Column("verdict", String(length=32), nullable=True),
        Column("code", String(length=32), nullable=True),
        Column("sentence", String(length=512), nullable=True),
        Column("status", String(length=32), nullable=True),
        Column("event_key", String(length=128), nullable=True),
        Column("source", String(length=32), nullable=True),
        Column("actor", String(length=128), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("occurred_at", UtcDateTime(), nullable=True),
        Column("recorded_at", UtcDateTime(), nullable=False),
        Column("fill_gaps", Boolean(), nullable=False),
        Column("confirms", Integer(), nullable=True),
        Column("note_digest", String(length=64), nullable=True),
        Column("details", LONG_TEXT, nullable=True),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_evidence_fulfillment"),
        ),
        ForeignKeyConstraint(
            ["shop"], ["carrierflow_shops.id"], name=op.f("fk_carrierflow_evidence_shop")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_evidence")),
        UniqueConstraint("fulfillment", "event_key", name="uq_evidence_event_key"),
    )
    create_table(
        "carrierflow_history",
        Column("fulfillment", RowId, autoincrement=False, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("prev_seq", Integer(), nullable=True),
        Column("from_status", String(length=32), nullable=False),
        Column("to_status", String(length=32), nullable=False),
        Column("definition", Integer(), nullable=False),
        Column("edge", Integer(), nullable=True),
        Column("source", String(length=32), nullable=False),
        Column("actor", String(length=128), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("event_key", String(length=128), nullable=True),
        Column("occurred_at", UtcDateTime(), nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        Column("inferred", Boolean(), nullable=False),
        Column("cause", String(length=32), nullable=True),
        Column("amends", Integer(), nullable=True),
        Column("note_digest", String(length=64), nullable=True),
        Column("prev_hash", String(length=64), nullable=False),
        Column("hash", String(length=64), nullable=False),
        CheckConstraint(
            "(seq = 1 AND prev_seq IS NULL AND from_status = 'start')"
            " OR (seq > 1 AND prev_seq IS NOT NULL AND prev_seq = seq - 1"
            " AND from_status <> 'start')",
            name=op.f("ck_carrierflow_history_unbroken"),
        ),
        CheckConstraint(
            "(amends IS NULL AND edge IS NOT NULL AND edge = definition)"
            " OR (amends IS NOT NULL AND edge IS NULL AND actor IS NOT NULL"
            " AND reason IS NOT NULL)",
            name=op.f("ck_carrierflow_history_legal_or_amended"),
        ),
        ForeignKeyConstraint(
            ["definition"],
            ["carrierflow_definitions.number"],
            name=op.f("fk_carrierflow_history_definition"),
        ),
        ForeignKeyConstraint(
            ["edge", "machine", "from_status", "to_status"],
            [
                "carrierflow_edges.definition",
                "carrierflow_edges.machine",
                "carrierflow_edges.from_status",
                "carrierflow_edges.to_status",
            ],
            name="fk_history_legal",
        ),
        ForeignKeyConstraint(
            ["fulfillment", "machine", "prev_seq", "from_status"],
            [
                "carrierflow_history.fulfillment",
                "carrierflow_history.machine",
                "carrierflow_history.seq",
                "carrierflow_history.to_status",
            ],
            name="fk_history_continues",
        ),
        ForeignKeyConstraint(
            ["fulfillment"], ["carrierflow_fulfillments.id"], name="fk_history_fulfillment"
        ),
        PrimaryKeyConstraint("fulfillment", "machine", "seq", name=op.f("pk_carrierflow_history")),
        UniqueConstraint("fulfillment", "event_key", name="uq_history_event_key"),
        UniqueConstraint("fulfillment", "machine", "seq", "to_status", name="uq_history_continued"),
    )
    create_table(
        "carrierflow_incidents",
        Column("id", RowId, nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("fulfillment", RowId, nullable=True),
        Column("subject", String(length=64), nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("evidence_digest", String(length=64), nullable=False),
        Column("sentence", String(length=512), nullable=False),
        Column("evidence", LONG_TEXT, nullable=False),
        Column("opened_at", UtcDateTime(), nullable=False),
        Column("last_seen_at", UtcDateTime(), nullable=False),
        Column("times_seen", Integer(), nullable=False),
        Column("state", String(length=32), nullable=False),
        Column("owner", String(length=128), nullable=True),
        Column("resolved_at", UtcDateTime(), nullable=True),
        Column("action", String(length=32), nullable=True),
        Column("resolved_by", String(length=128), nullable=True),
        Column("resolved_reason", String(length=255), nullable=True),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_incidents_fulfillment"),
        ),
        ForeignKeyConstraint(
            ["shop"], ["carrierflow_shops.id"], name=op.f("fk_carrierflow_incidents_shop")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_incidents")),
        UniqueConstraint(
            "shop",
            "subject",
            "kind",
            "evidence_digest",
            name=op.f("uq_carrierflow_incidents_shop_subject_kind_evidence_digest"),
        ),
    )
    create_index(
        op.f("ix_carrierflow_incidents_shop_state"),
        "carrierflow_incidents",
        ["shop", "state"],
    )
    create_table(
        "carrierflow_notes",
        Column("digest", String(length=64), nullable=False),
        Column("fulfillment", RowId, nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("recorded_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_notes_fulfillment"),
        ),
        PrimaryKeyConstraint("digest", name=op.f("pk_carrierflow_notes")),
    )
    create_index(op.f("ix_carrierflow_notes_fulfillment"), "carrierflow_notes", ["fulfillment"])
    create_table(
        "carrierflow_observations",
        Column("id", RowId, nullable=False),
        Column("fulfillment", RowId, nullable=False),
        Column("source", String(length=32), nullable=False),
        Column("asked_at", UtcDateTime(), nullable=False),
        Column("seen_at", UtcDateTime(), nullable=False),
        Column("carrier_code", String(length=32), nullable=False),
        Column("cod_code", String(length=32), nullable=False),
        Column("dates", LONG_TEXT, nullable=False),
        Column("updated_at", String(length=32), nullable=False),
        Column("order_cancelled", Boolean(), nullable=False),
        Column("digest", String(length=64), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_observations_fulfillment"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_observations")),
    )
    create_index(
        op.f("ix_carrierflow_observations_fulfillment"),
        "carrierflow_observations",
        ["fulfillment"],
    )
    create_table(
        "carrierflow_attempts",
        Column("fulfillment", RowId, autoincrement=False, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("number", Integer(), autoincrement=False, nullable=False),
        Column("status", String(length=32), nullable=False),
        Column("run", String(length=36), nullable=False),
        Column("fence", BigInteger(), nullable=False),
        Column("intent_at", UtcDateTime(), nullable=False),
        Column("send_deadline", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment", "machine", "seq"],
            [
                "carrierflow_history.fulfillment",
                "carrierflow_history.machine",
                "carrierflow_history.seq",
            ],
            name="fk_attempts_entry",
        ),
        PrimaryKeyConstraint(
            "fulfillment", "machine", "seq", "number", name=op.f("pk_carrierflow_attempts")
        ),
    )
    create_table(
        "carrierflow_publications",
        Column("fulfillment", RowId, autoincrement=False, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("state", String(length=32), nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("first_sent_at", UtcDateTime(), nullable=True),
        Column("sent_at", UtcDateTime(), nullable=True),
        Column("over_at", UtcDateTime(), nullable=True),
        Column("confirmed_at", UtcDateTime(), nullable=True),
        Column("reasserted", Integer(), nullable=False),
        Column("forgiven", Integer(), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment", "machine", "seq"],
            [
                "carrierflow_history.fulfillment",
                "carrierflow_history.machine",
                "carrierflow_history.seq",
            ],
            name="fk_publications_entry",
        ),
        PrimaryKeyConstraint(
            "fulfillment", "machine", "seq", name=op.f("pk_carrierflow_publications")
        ),
    )
    create_table(
        "carrierflow_outcomes",
        Column("fulfillment", RowId, autoincrement=False, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), autoincrement=False, nullable=False),
        Column("number", Integer(), autoincrement=False, nullable=False),
        Column("outcome", String(length=32), nullable=False),
        Column("http_status", Integer(), nullable=True),
        Column("reply_digest", String(length=64), nullable=True),
        Column("reply_updated_at", String(length=32), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("recorded_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment", "machine", "seq", "number"],
            [
                "carrierflow_attempts.fulfillment",
                "carrierflow_attempts.machine",
                "carrierflow_attempts.seq",
                "carrierflow_attempts.number",
            ],
            name="fk_outcomes_attempt",
        ),
        PrimaryKeyConstraint(
            "fulfillment", "machine", "seq", "number", name=op.f("pk_carrierflow_outcomes")
        ),
    )
    protect(PROTECTED)
