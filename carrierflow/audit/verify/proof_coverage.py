"""What proves each column of the database: the bytes of an entry, a comparison, or nothing.

A column of a logged table is in the bytes of its entry by itself. Of every other column it is said
here, in one line, so that nobody takes for proven what is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from carrierflow.audit.log.entry_kinds import KINDS, REVISION
from carrierflow.storage.tables import PREFIX, metadata


__all__ = ["ColumnProof", "ProofStrength", "column_proofs"]


class ProofStrength(StrEnum):
    """How sure an auditor may be of a cell."""

    ENTRY = "entry"
    """It is in the bytes of an entry, and so in the log."""
    COMPARED = "compared"
    """`audit verify` compares it with what entries say."""
    PARTLY = "partly"
    """It is compared, and some false values pass."""
    UNPROVEN = "unproven"
    """It may be anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnProof:
    """What proves one column."""

    table: str
    column: str
    strength: ProofStrength
    by: str
    """By what, or why it need not be."""


NUMBER = "a number of this database; entries name parcels and shops by their names"
NAME = "in the bytes of each entry of the parcel"
TERMS = "the last `opening` or `revision`, of which none is missing"
HEAD = "the last `transition`"
DECISIONS = "the `decision` entries of the incident"
END = "the `run` entry"
SEEN = "a `seen` entry of the parcel"
AT_WORK = "where runs go on; what they did stands in `attempt`, `told` and `seen`"
CURSOR = "not beyond the history, and not where nothing was seen or told"
SHOP_ACTS = "what `administration` says of the shop, act after act"
CONNECTED = "our connection to the shop; what was done to it stands in `administration`"
LOOKED = "not while no run was at work in the shop; of a parcel that is looked after"
LOOKED_AFTER = "a parcel is left alone once it is over or given up; that it is not yet may be false"
OPENED = "not after the first entry"
ENCRYPTED = "a secret, encrypted; no entry holds one"
LEASE = "who is at work now"
COUNT = "how often and when it was met last; that it was stands in `decision`"
ELSEWHERE = "what came in from elsewhere, kept for a while"
ROOT = "the signature of the note, and the log itself"
WHEN = "when it was written down; the note of a later form says when it was signed"

_COMPARED: Mapping[str, Mapping[str, str]] = {
    "fulfillments": {
        **dict.fromkeys(("shop", "order_id", "fulfillment_id"), NAME),
        **dict.fromkeys(("tracking_number", "cod_amount"), TERMS),
        **dict.fromkeys(("delivery_status", "delivery_seq", "delivery_hash"), HEAD),
        **dict.fromkeys(("cod_status", "cod_seq", "cod_hash"), HEAD),
        "entered_at": "the last `transition` of the delivery",
        "unpublished": "what stands between the two cursors and the ends of the history",
        "frozen": "an open incident that freezes, or the decision to abandon the parcel",
        **dict.fromkeys(("remote_carrier", "remote_cod", "remote_digest"), SEEN),
    },
    "shops": {
        "code": "in the bytes of each entry of the shop",
        **dict.fromkeys(
            ("platform", "base_url", "org_id", "carrier_code", "state", "options"), SHOP_ACTS
        ),
    },
    "definitions": {
        "id": "the hash of `canonical`",
        "canonical": "its hash, which each `transition` names",
    },
    "edges": dict.fromkeys(
        ("definition", "machine", "from_status", "to_status"), "`canonical` of the definition"
    ),
    "notes": {
        "digest": "`note_digest` of a `transition` or an `evidence` of the parcel",
        "fulfillment": "the parcel whose entry names the digest",
    },
    "history": dict.fromkeys(("prev_seq", "edge"), "the step's number and its lifecycle"),
    "incidents": {
        **dict.fromkeys(("shop", "fulfillment", "subject", "kind"), DECISIONS),
        **dict.fromkeys(("evidence_digest", "sentence", "evidence", "opened_at"), DECISIONS),
        **dict.fromkeys(("state", "owner", "action"), DECISIONS),
        **dict.fromkeys(("resolved_at", "resolved_by", "resolved_reason"), DECISIONS),
    },
    "runs": dict.fromkeys(
        ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence"), END
    ),
    "log": {
        **dict.fromkeys(("position", "kind", "fulfillment", "machine", "seq", "number"), ROOT),
        "leaf": "the hash of the entry's bytes",
    },
    "log_nodes": dict.fromkeys(("level", "position", "hash"), "computed anew from the leaves"),
    "checkpoints": {
        **dict.fromkeys(("size", "root"), ROOT),
        "note": "its signature, under a key that the auditor has from elsewhere",
    },
}
"""What is not in the bytes of an entry: which column is compared with what."""

_PARTLY: Mapping[str, Mapping[str, str]] = {
    "fulfillments": {
        **dict.fromkeys(("delivery_confirmed", "cod_confirmed"), CURSOR),
        "verified_at": LOOKED,
        "open": LOOKED_AFTER,
        "opened_at": OPENED,
    }
}

_UNPROVEN: Mapping[str, str] = {
    "fulfillments": AT_WORK,
    "shops": CONNECTED,
    "incidents": COUNT,
    "publications": AT_WORK,
    "destinations": "how far each destination of the push has what happened",
    "leases": LEASE,
    "webhooks": ELSEWHERE,
    "files": "which files came; what they told stands in `transition` and `evidence`",
    "installs": "a permission that is being asked for",
    "shipments": "what the platform was answered when it booked a shipment",
    "notifications": "who was told of an incident",
    "anchorings": "which anchor took which checkpoint; the anchors themselves are read",
    "notes": ENCRYPTED,
    "definitions": WHEN,
    "checkpoints": WHEN,
}
"""Why the other columns of a table are not proven."""

_ROW_NUMBERS = {"id", "incident", "run"}


def column_proofs() -> Iterator[ColumnProof]:
    """Yield what proves each column, table after table."""
    logged = {kind.table.name: kind.name for kind in KINDS if kind is not REVISION}
    for table in metadata.sorted_tables:
        for column in table.columns:
            yield _proof(column, table.name.removeprefix(PREFIX), logged.get(table.name))


def _proof(column: Any, table: str, kind: str | None) -> ColumnProof:
    strength, by = _found(column, table, kind)
    return ColumnProof(table=table, column=column.name, strength=strength, by=by)


def _found(column: Any, table: str, kind: str | None) -> tuple[ProofStrength, str]:
    name = column.name
    if name in _COMPARED.get(table, {}):
        return ProofStrength.COMPARED, _COMPARED[table][name]
    if kind is not None:
        return ProofStrength.ENTRY, f"`{kind}`"
    if name in _PARTLY.get(table, {}):
        return ProofStrength.PARTLY, _PARTLY[table][name]
    if column.primary_key and name in _ROW_NUMBERS:
        return ProofStrength.UNPROVEN, NUMBER
    return ProofStrength.UNPROVEN, _UNPROVEN[table]
