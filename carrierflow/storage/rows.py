"""Rows to data and back: the only place that knows how a parcel or an entry lies in a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from carrierflow.domain.fulfillment import EvidenceEntry, Fulfillment, MachineHead, RemoteSnapshot
from carrierflow.domain.limits import REASON, WORD, cut
from carrierflow.domain.model import (
    FulfillmentRef,
    HistoryEntry,
    Machine,
    RemoteWord,
    ResolvedEvent,
    Source,
    Status,
    Verdict,
)
from carrierflow.storage.tables import fulfillments


__all__ = [
    "PARCEL",
    "entry_from",
    "entry_row",
    "evidence_row",
    "guarded",
    "head_values",
    "look_values",
    "parcel_from",
    "ref_from",
    "refusal_row",
    "resolved_from",
]

IDENTITY = ("id", "shop", "order_id", "fulfillment_id", "tracking_number", "cod_amount")
STATE = ("version", "held", "open", "settled_at", "entered_at")
HEAD = ("status", "seq", "since", "hash", "confirmed")
SEEN = ("carrier", "carrier_status", "cod", "cod_status", "updated_at", "dates", "digest")
LOOK = (
    "seen_at",
    "verified_at",
    "not_before",
    "missing",
    "missing_since",
    "frozen",
    "reassert",
)

PARCEL = tuple(
    fulfillments.c[name]
    for name in (
        *IDENTITY,
        *STATE,
        *(f"delivery_{name}" for name in HEAD),
        *(f"cod_{name}" for name in HEAD),
        *(f"remote_{name}" for name in SEEN),
        *LOOK,
    )
)
"""The columns that a parcel is built from, in the order in which `parcel_from` takes them."""


def ref_from(row: Any) -> FulfillmentRef:
    """Return what a parcel is called, of a row that has its shop's `code` and its own names."""
    return FulfillmentRef(shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id)


def parcel_from(row: Sequence[Any], shop: str) -> Fulfillment:
    """Build a parcel from a row that begins with the columns of `PARCEL`; `shop` is its code.

    They are taken by their places: by their names it takes as long again.
    """
    number, shop_id, order_id, fulfillment_id, tracking_number, cod_amount, *_ = row
    version, held, is_open, settled_at, entered_at = row[6:11]
    seen_at, verified_at, not_before, missing, missing_since, frozen, reassert = row[28:35]
    return Fulfillment(
        id=number,
        shop_id=shop_id,
        ref=FulfillmentRef(shop=shop, order_id=order_id, fulfillment_id=fulfillment_id),
        version=version,
        delivery=_head_from(row[11:16]),
        cod=_head_from(row[16:21]),
        cod_amount=cod_amount,
        tracking_number=tracking_number,
        entered_at=entered_at,
        held=held,
        open=is_open,
        settled_at=settled_at,
        remote=_remote_from(row[21:28]),
        seen_at=seen_at,
        verified_at=verified_at,
        not_before=not_before,
        missing=missing,
        missing_since=missing_since,
        frozen=frozen,
        reassert=reassert,
    )


def _head_from(row: Sequence[Any]) -> MachineHead:
    status, seq, since, last_hash, confirmed = row
    return MachineHead(status=status, seq=seq, since=since, hash=last_hash, confirmed=confirmed)


def _remote_from(row: Sequence[Any]) -> RemoteSnapshot | None:
    carrier, carrier_status, cod, cod_status, updated_at, dates, seen_digest = row
    if seen_digest is None:
        return None
    return RemoteSnapshot(
        carrier=_word_from(carrier, carrier_status),
        cod=_word_from(cod, cod_status),
        updated_at=updated_at,
        dates={
            Status(word): datetime.fromisoformat(text) for word, text in json.loads(dates).items()
        },
        digest=seen_digest,
    )


def _word_from(raw: str, status: str | None) -> RemoteWord:
    return RemoteWord(raw=raw, status=None if status is None else Status(status))


def guarded(before: Fulfillment, values: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an UPDATE that happens only at the version that was read."""
    parameters = {f"new_{name}": value for name, value in values.items()}
    return {"this": before.id, "read": before.version, **parameters}


def head_values(parcel: Fulfillment) -> dict[str, Any]:
    """Return the columns of a parcel that recording events may change."""
    return {
        "version": parcel.version,
        "entered_at": parcel.entered_at,
        "delivery_status": parcel.delivery.status,
        "delivery_seq": parcel.delivery.seq,
        "delivery_since": parcel.delivery.since,
        "delivery_hash": parcel.delivery.hash,
        "delivery_confirmed": parcel.delivery.confirmed,
        "cod_status": parcel.cod.status,
        "cod_seq": parcel.cod.seq,
        "cod_since": parcel.cod.since,
        "cod_hash": parcel.cod.hash,
        "cod_confirmed": parcel.cod.confirmed,
        "held": parcel.held,
        "unpublished": parcel.unpublished,
        "open": parcel.open,
        "settled_at": parcel.settled_at,
    }


def look_values(parcel: Fulfillment) -> dict[str, Any]:
    """Return the columns of a parcel that looking at the platform may change."""
    remote = parcel.remote
    return {
        "remote_carrier": remote and cut(remote.carrier.raw, WORD),
        "remote_carrier_status": remote and remote.carrier.status,
        "remote_cod": remote and cut(remote.cod.raw, WORD),
        "remote_cod_status": remote and remote.cod.status,
        "remote_updated_at": remote and remote.updated_at,
        "remote_dates": remote and _dates_text(remote.dates),
        "remote_digest": remote and remote.digest,
        "seen_at": parcel.seen_at,
        "verified_at": parcel.verified_at,
        "not_before": parcel.not_before,
        "missing": parcel.missing,
        "missing_since": parcel.missing_since,
        "frozen": parcel.frozen,
        "reassert": parcel.reassert,
    }


def _dates_text(dates: Mapping[Status, datetime]) -> str:
    return json.dumps({status: moment.isoformat() for status, moment in sorted(dates.items())})


def entry_row(parcel_id: int, entry: HistoryEntry, definition: int) -> dict[str, Any]:
    """Return an entry as a row of `history`, its words as plain text: drivers bind that faster."""
    return {
        "fulfillment": parcel_id,
        "machine": str(entry.machine),
        "seq": entry.seq,
        "prev_seq": entry.seq - 1 or None,
        "from_status": str(entry.from_status),
        "to_status": str(entry.to_status),
        "definition": definition,
        "edge": definition if entry.amends is None else None,
        "source": str(entry.source),
        "actor": entry.actor,
        "reason": entry.reason,
        "event_key": entry.key,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "inferred": entry.inferred,
        "cause": entry.cause,
        "amends": entry.amends,
        "note_digest": entry.note_digest,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


def entry_from(row: Any, definition: str) -> HistoryEntry:
    """Build an entry from its row; `definition` is the definition's id."""
    return HistoryEntry(
        machine=Machine(row.machine),
        seq=row.seq,
        from_status=row.from_status,
        to_status=row.to_status,
        definition=definition,
        source=Source(row.source),
        actor=row.actor,
        reason=row.reason,
        key=row.event_key,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        inferred=bool(row.inferred),
        cause=row.cause,
        amends=row.amends,
        note_digest=row.note_digest,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def evidence_row(parcel: Fulfillment, kept: EvidenceEntry) -> dict[str, Any]:
    """Return a claim that did not become history as a row of `evidence`."""
    resolved = kept.resolved
    return {
        "shop": parcel.shop_id,
        "fulfillment": parcel.id,
        "kind": "event",
        "verdict": kept.verdict,
        "code": kept.reason,
        "sentence": kept.sentence,
        "status": resolved.status,
        "event_key": resolved.key,
        "source": resolved.source,
        "actor": resolved.actor,
        "reason": resolved.reason,
        "occurred_at": resolved.occurred_at,
        "recorded_at": kept.recorded_at,
        "fill_gaps": resolved.fill_gaps,
        "confirms": kept.confirms,
        "note_digest": resolved.note_digest,
    }


def refusal_row(parcel: Fulfillment, reason: str, *, now: datetime) -> dict[str, Any]:
    """Return as a row of `evidence` that a platform asked for a cancel and was told no.

    The words may be the carrier's own: they are cut where a row has no room for them.
    """
    return {
        "shop": parcel.shop_id,
        "fulfillment": parcel.id,
        "kind": "callback",
        "verdict": Verdict.REFUSED,
        "sentence": "The platform asked for a cancel, and the answer was no.",
        "status": Status.CANCEL,
        "source": Source.PLATFORM,
        "reason": cut(reason, REASON),
        "recorded_at": now,
        "fill_gaps": False,
    }


def resolved_from(row: Any) -> ResolvedEvent:
    """Build the claim again that a row of evidence was made from."""
    return ResolvedEvent(
        status=Status(row.status),
        occurred_at=row.occurred_at,
        key=row.event_key,
        source=Source(row.source),
        actor=row.actor,
        reason=row.reason,
        note_digest=row.note_digest,
        fill_gaps=bool(row.fill_gaps),
    )
