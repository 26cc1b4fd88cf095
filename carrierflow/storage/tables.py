"""The tables, all prefixed `carrierflow_`, in a MetaData of their own.

Two composite foreign keys of `history` make bad history unstorable, whoever writes it: one to
`edges`, so that each step is legal under its own definition, and one to `history` itself, so
that each entry continues the one before it. An amendment leaves `edge` empty: it needs no edge.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from carrierflow.domain import limits
from carrierflow.storage.types import (
    Actor,
    Code,
    Digest,
    Key,
    LongBinary,
    LongText,
    MachineName,
    OwnerId,
    PlatformId,
    Reason,
    RowId,
    Sentence,
    Subject,
    TrackingNumber,
    Url,
    UtcDateTime,
    Word,
)


__all__ = [
    "APPEND_ONLY",
    "ERASABLE",
    "administration",
    "anchorings",
    "attempts",
    "checkpoints",
    "decisions",
    "definitions",
    "destinations",
    "edges",
    "evidence",
    "files",
    "fulfillments",
    "history",
    "incidents",
    "installs",
    "leases",
    "log",
    "log_nodes",
    "metadata",
    "notes",
    "notifications",
    "observations",
    "outcomes",
    "publications",
    "run_ends",
    "runs",
    "shipments",
    "shops",
    "terms",
    "webhooks",
]

PREFIX = "carrierflow_"

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _table(name: str, *parts: Any) -> Table:
    return Table(
        PREFIX + name,
        metadata,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mariadb_engine="InnoDB",
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_bin",
    )


def _fulfillment(**options: Any) -> Column[int]:
    return Column("fulfillment", RowId, ForeignKey(f"{PREFIX}fulfillments.id"), **options)


def _entry_key() -> tuple[Column[Any], ...]:
    return (
        Column("fulfillment", RowId, primary_key=True, autoincrement=False),
        Column("machine", MachineName, primary_key=True),
        Column("seq", Integer, primary_key=True, autoincrement=False),
    )


definitions = _table(
    "definitions",
    Column("number", Integer, primary_key=True),
    Column("id", Digest, nullable=False, unique=True),
    Column("canonical", LongText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

edges = _table(
    "edges",
    Column("definition", Integer, ForeignKey(definitions.c.number), primary_key=True),
    Column("machine", MachineName, primary_key=True),
    Column("from_status", Code, primary_key=True),
    Column("to_status", Code, primary_key=True),
)

shops = _table(
    "shops",
    Column("id", Integer, primary_key=True),
    Column("code", PlatformId, nullable=False, unique=True),
    Column("platform", Code, nullable=False),
    Column("base_url", Url, nullable=False),
    Column("org_id", PlatformId),
    Column("carrier_code", PlatformId, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("state", Code, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("next_due", UtcDateTime),
    Column("swept_to", UtcDateTime),
    Column("lease_owner", OwnerId),
    Column("lease_until", UtcDateTime),
    Column("lease_process", String(limits.PROCESS)),
    Column("lease_since", UtcDateTime),
    Column("fence", BigInteger, nullable=False, default=0),
    Column("rate_until_us", BigInteger, nullable=False, default=0),
    Column("paused_until_us", BigInteger, nullable=False, default=0),
    Column("refresh_token", LargeBinary),
    Column("token_expires_at", UtcDateTime),
    Column("refreshing_until", UtcDateTime),
    Column("scopes", String(limits.SCOPES)),
    Column("carrier_service_id", PlatformId),
    Column("subscribed_at", UtcDateTime),
    Column("subscription_checked_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("options", String(limits.OPTIONS)),
    Column("unanswered", Integer, nullable=False, default=0, server_default="0"),
    Column("retry_at", UtcDateTime),
    Column("queued_until", UtcDateTime),
    Column("runs_died", Integer, nullable=False, default=0, server_default="0"),
    Column("unpublished_left", Integer, nullable=False, default=0, server_default="0"),
    Index(None, "next_due"),
    Index(None, "queued_until"),
)

installs = _table(
    "installs",
    Column("state_digest", Digest, primary_key=True),
    Column("shop", PlatformId, nullable=False),
    Column("base_url", Url, nullable=False),
    Column("carrier_code", PlatformId, nullable=False),
    Column("invited", Boolean(create_constraint=False), nullable=False),
    Column("org_id", PlatformId),
    Column("expires_at", UtcDateTime, nullable=False),
)

fulfillments = _table(
    "fulfillments",
    Column("id", RowId, primary_key=True),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    Column("order_id", PlatformId, nullable=False),
    Column("fulfillment_id", PlatformId, nullable=False),
    Column("tracking_number", TrackingNumber),
    Column("cod_amount", BigInteger, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("entered_at", UtcDateTime),
    Column("delivery_status", Code, nullable=False),
    Column("delivery_seq", Integer, nullable=False),
    Column("delivery_since", UtcDateTime),
    Column("delivery_hash", Digest, nullable=False),
    Column("delivery_confirmed", Integer, nullable=False),
    Column("cod_status", Code, nullable=False),
    Column("cod_seq", Integer, nullable=False),
    Column("cod_since", UtcDateTime),
    Column("cod_hash", Digest, nullable=False),
    Column("cod_confirmed", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("unpublished", Integer, nullable=False),
    Column("open", Boolean(create_constraint=False), nullable=False),
    Column("settled_at", UtcDateTime),
    Column("remote_carrier", Word),
    Column("remote_carrier_status", Code),
    Column("remote_cod", Word),
    Column("remote_cod_status", Code),
    Column("remote_updated_at", UtcDateTime),
    Column("remote_dates", LongText),
    Column("remote_digest", Digest),
    Column("seen_at", UtcDateTime),
    Column("verified_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    Column("missing", Integer, nullable=False),
    Column("missing_since", UtcDateTime),
    Column("frozen", Code),
    Column("reassert", Digest),
    Column("hinted_at", UtcDateTime),
    CheckConstraint("cod_amount >= 0", name="cod_amount"),
    UniqueConstraint("shop", "fulfillment_id"),
    Index(None, "shop", "order_id"),
    Index(None, "shop", "unpublished"),
    Index(
        f"ix_{PREFIX}fulfillments_coverage",
        *("open", "shop", "verified_at", "opened_at", "unpublished", "frozen"),
    ),
    Index(None, "tracking_number", "shop"),
    Index(None, "shop", "hinted_at"),
    Index(None, "delivery_status", "entered_at", "id", "shop"),
    Index(None, "frozen"),  # of what is frozen alone, but to say so here imports each dialect
)

terms = _table(
    "terms",
    Column("id", RowId, primary_key=True),
    _fulfillment(nullable=False),
    Column("number", Integer, nullable=False),
    Column("tracking_number", TrackingNumber),
    Column("cod_amount", BigInteger, nullable=False),
    Column("carrier_code", PlatformId, nullable=False),
    Column("source", Code, nullable=False),
    Column("actor", Actor),
    Column("reason", Reason),
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint("cod_amount >= 0", name="cod_amount"),
    CheckConstraint(
        "number = 0 OR (number > 0 AND actor IS NOT NULL AND reason IS NOT NULL)", name="revised_by"
    ),
    UniqueConstraint("fulfillment", "number", name="uq_terms_number"),
)

history = _table(
    "history",
    *_entry_key(),
    Column("prev_seq", Integer),
    Column("from_status", Code, nullable=False),
    Column("to_status", Code, nullable=False),
    Column("definition", Integer, ForeignKey(definitions.c.number), nullable=False),
    Column("edge", Integer),
    Column("source", Code, nullable=False),
    Column("actor", Actor),
    Column("reason", Reason),
    Column("event_key", Key),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("inferred", Boolean(create_constraint=False), nullable=False),
    Column("cause", Code),
    Column("amends", Integer),
    Column("note_digest", Digest),
    Column("prev_hash", Digest, nullable=False),
    Column("hash", Digest, nullable=False),
    ForeignKeyConstraint(["fulfillment"], [fulfillments.c.id], name="fk_history_fulfillment"),
    ForeignKeyConstraint(
        ["edge", "machine", "from_status", "to_status"],
        [edges.c.definition, edges.c.machine, edges.c.from_status, edges.c.to_status],
        name="fk_history_legal",
    ),
    ForeignKeyConstraint(
        ["fulfillment", "machine", "prev_seq", "from_status"],
        [
            f"{PREFIX}history.fulfillment",
            f"{PREFIX}history.machine",
            f"{PREFIX}history.seq",
            f"{PREFIX}history.to_status",
        ],
        name="fk_history_continues",
    ),
    UniqueConstraint("fulfillment", "machine", "seq", "to_status", name="uq_history_continued"),
    UniqueConstraint("fulfillment", "event_key", name="uq_history_event_key"),
    CheckConstraint(
        "(seq = 1 AND prev_seq IS NULL AND from_status = 'start')"
        " OR (seq > 1 AND prev_seq IS NOT NULL AND prev_seq = seq - 1 AND from_status <> 'start')",
        name="unbroken",
    ),
    CheckConstraint(
        "(amends IS NULL AND edge IS NOT NULL AND edge = definition)"
        " OR (amends IS NOT NULL AND edge IS NULL AND actor IS NOT NULL AND reason IS NOT NULL)",
        name="legal_or_amended",
    ),
)

evidence = _table(
    "evidence",
    Column("id", RowId, primary_key=True),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    _fulfillment(),
    Column("kind", Code, nullable=False),
    Column("verdict", Code),
    Column("code", Code),
    Column("sentence", Sentence),
    Column("status", Code),
    Column("event_key", Key),
    Column("source", Code),
    Column("actor", Actor),
    Column("reason", Reason),
    Column("occurred_at", UtcDateTime),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("fill_gaps", Boolean(create_constraint=False), nullable=False),
    Column("confirms", Integer),
    Column("note_digest", Digest),
    Column("details", LongText),
    UniqueConstraint("fulfillment", "event_key", name="uq_evidence_event_key"),
)

notes = _table(
    "notes",
    Column("digest", Digest, primary_key=True),
    _fulfillment(nullable=False, index=True),
    Column("sealed", LongBinary, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

publications = _table(
    "publications",
    *_entry_key(),
    Column("state", Code, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_sent_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("over_at", UtcDateTime),
    Column("confirmed_at", UtcDateTime),
    Column("reasserted", Integer, nullable=False),
    Column("forgiven", Integer, nullable=False),
    ForeignKeyConstraint(
        ["fulfillment", "machine", "seq"],
        [history.c.fulfillment, history.c.machine, history.c.seq],
        name="fk_publications_entry",
    ),
)

runs = _table(
    "runs",
    Column("id", OwnerId, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("end_reason", Code),
    Column("counters", LongText),
    Column("sentence", Sentence),
    Index(None, "shop", "started_at"),
    Index(None, "started_at"),
    Index(None, "ended_at"),
)

run_ends = _table(
    "run_ends",
    Column("id", RowId, primary_key=True),
    Column("run", OwnerId, ForeignKey(runs.c.id), nullable=False),
    Column("kind", Code, nullable=False),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("end_reason", Code),
    Column("counters", LongText),
    Column("sentence", Sentence),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("run", name="uq_run_ends_run"),
)

attempts = _table(
    "attempts",
    *_entry_key(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", Code, nullable=False),
    Column("run", OwnerId, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("intent_at", UtcDateTime, nullable=False),
    Column("send_deadline", UtcDateTime, nullable=False),
    Column("expects", Code),
    Column("operation", Code),
    ForeignKeyConstraint(
        ["fulfillment", "machine", "seq"],
        [history.c.fulfillment, history.c.machine, history.c.seq],
        name="fk_attempts_entry",
    ),
)

outcomes = _table(
    "outcomes",
    *_entry_key(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Code, nullable=False),
    Column("http_status", Integer),
    Column("reply_digest", Digest),
    Column("reply_updated_at", Word),
    Column("reason", Reason),
    Column("recorded_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["fulfillment", "machine", "seq", "number"],
        [attempts.c.fulfillment, attempts.c.machine, attempts.c.seq, attempts.c.number],
        name="fk_outcomes_attempt",
    ),
)

observations = _table(
    "observations",
    Column("id", RowId, primary_key=True),
    _fulfillment(nullable=False, index=True),
    Column("source", Code, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("carrier_code", Word, nullable=False),
    Column("cod_code", Word, nullable=False),
    Column("dates", LongText, nullable=False),
    Column("updated_at", Word, nullable=False),
    Column("order_cancelled", Boolean(create_constraint=False), nullable=False),
    Column("digest", Digest, nullable=False),
)

incidents = _table(
    "incidents",
    Column("id", RowId, primary_key=True),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    _fulfillment(),
    Column("subject", PlatformId, nullable=False),
    Column("kind", Code, nullable=False),
    Column("evidence_digest", Digest, nullable=False),
    Column("sentence", Sentence, nullable=False),
    Column("evidence", LongText, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("state", Code, nullable=False),
    Column("owner", Actor),
    Column("resolved_at", UtcDateTime),
    Column("action", Code),
    Column("resolved_by", Actor),
    Column("resolved_reason", Reason),
    UniqueConstraint("shop", "subject", "kind", "evidence_digest"),
    Index(None, "shop", "state"),
)

decisions = _table(
    "decisions",
    Column("id", RowId, primary_key=True),
    Column("incident", RowId, ForeignKey(incidents.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    _fulfillment(),
    Column("subject", PlatformId, nullable=False),
    Column("kind", Code, nullable=False),
    Column("what", Code, nullable=False),
    Column("evidence_digest", Digest, nullable=False),
    Column("content_digest", Digest),
    Column("action", Code),
    Column("owner", Actor),
    Column("actor", Actor),
    Column("approved_by", Actor),
    Column("reason", Reason),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("os_user", Actor),
    Column("db_user", Actor),
    Column("facts_digest", Digest),
    UniqueConstraint("incident", "number", name="uq_decisions_number"),
)

notifications = _table(
    "notifications",
    Column("incident", RowId, ForeignKey(incidents.c.id), primary_key=True, autoincrement=False),
    Column("channel", Code, primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)

destinations = _table(
    "destinations",
    Column("digest", Digest, primary_key=True),
    Column("position", RowId),
    Column("sending", RowId),
    Column("delivered_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("retry_at", UtcDateTime),
    Column("problem", Sentence),
    Column("gone_at", UtcDateTime),
    Column("claimed_by", OwnerId),
    Column("claimed_until", UtcDateTime),
)

files = _table(
    "files",
    Column("digest", Digest, primary_key=True),
    Column("name", String(limits.FILE_NAME), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

shipments = _table(
    "shipments",
    Column(
        "fulfillment", RowId, ForeignKey(fulfillments.c.id), primary_key=True, autoincrement=False
    ),
    Column("shop", Integer, ForeignKey(shops.c.id), nullable=False),
    Column("external_code", Key, nullable=False),
    Column("digest", Digest, nullable=False),
    Column("tracking_number", TrackingNumber, nullable=False),
    Column("tracking_url", Url),
    Column("shipping_fee", BigInteger, nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),
    UniqueConstraint("shop", "external_code"),
    UniqueConstraint("shop", "tracking_number"),
    Index(None, "tracking_number"),
)

webhooks = _table(
    "webhooks",
    Column("digest", Digest, primary_key=True),
    Column("topic", String(limits.TOPIC), nullable=False),
    Column("org_id", PlatformId),
    Column("order_id", PlatformId),
    Column("sealed", LongBinary),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("acted_at", UtcDateTime),
)

administration = _table(
    "administration",
    Column("id", RowId, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("shop", PlatformId),
    Column("subject", Subject, nullable=False),
    Column("actor", Actor),
    Column("os_user", Actor, nullable=False),
    Column("db_user", Actor, nullable=False),
    Column("details", LongText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

log = _table(
    "log",
    Column("position", RowId, primary_key=True, autoincrement=False),
    Column("kind", Code, nullable=False),
    Column("fulfillment", RowId, nullable=False),
    Column("machine", MachineName, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("number", RowId, nullable=False),
    Column("leaf", Digest, nullable=False),
    UniqueConstraint("kind", "fulfillment", "machine", "seq", "number", name="uq_log_entry"),
)
"""One row for each entry of the log; what a kind's key has not got is 0, or empty."""

log_nodes = _table(
    "log_nodes",
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", RowId, primary_key=True, autoincrement=False),
    Column("hash", Digest, nullable=False),
)

checkpoints = _table(
    "checkpoints",
    Column("size", RowId, primary_key=True, autoincrement=False),
    Column("root", Digest, nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
    Column("note", LongText, nullable=False),
)

anchorings = _table(
    "anchorings",
    Column("size", RowId, ForeignKey(checkpoints.c.size), primary_key=True, autoincrement=False),
    Column("anchor", Code, primary_key=True),
    Column("anchored_at", UtcDateTime, nullable=False),
    Column("receipt", LongText),
)

leases = _table(
    "leases",
    Column("name", Code, primary_key=True),
    Column("owner", OwnerId),
    Column("held_until", UtcDateTime),
    Column("fence", BigInteger, nullable=False),
)

APPEND_ONLY = (
    definitions,
    edges,
    terms,
    history,
    evidence,
    attempts,
    outcomes,
    observations,
    decisions,
    run_ends,
    administration,
    log,
    log_nodes,
    checkpoints,
    anchorings,
)
"""Tables whose rows are never changed; the database itself refuses (see `protections`)."""

ERASABLE = (notes, files, installs, notifications)
"""Tables whose rows end, because they may have to be erased or are over."""
