"""The canonical bytes of a history entry, and the chain that they form.

The bytes are what RFC 8785 makes of one flat JSON object whose keys are ASCII and whose values
are text, true, false or null: no number appears, so any stock JSON tool gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from carrierflow.model import FulfillmentRef, HistoryEntry, Observation


__all__ = [
    "COLUMNS",
    "canonical_entry",
    "canonical_row",
    "digest",
    "entry_hash",
    "observation_digest",
    "quoted",
    "stamp",
]


@lru_cache(maxsize=1024)
def stamp(moment: datetime) -> str:
    """Write a moment as UTC with exactly six fractional digits and a Z.

    One moment is written again and again: in a hash, in a row, in every row of one recording.
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def digest(text: str) -> str:
    """Return the hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def quoted(value: str | None) -> str:
    """Write a text, or nothing, as RFC 8785 does."""
    return "null" if value is None else encode_basestring(value)


FORM = (
    '{"actor":%s,"amends":%s,"cause":%s,"definition":"%s","from":"%s","fulfillment_id":%s,'
    '"inferred":%s,"key":%s,"machine":"%s","note_digest":%s,"occurred_at":"%s","order_id":%s,'
    '"prev":"%s","reason":%s,"recorded_at":"%s","seq":"%s","shop":%s,"source":"%s","to":"%s",'
    '"v":"1"}'
)
"""The canonical text of an entry; the keys stand in the order of RFC 8785."""


def canonical_entry(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Write one entry as canonical JSON."""
    return FORM % (
        quoted(entry.actor),
        "null" if entry.amends is None else f'"{entry.amends}"',
        quoted(entry.cause),
        entry.definition,
        entry.from_status,
        quoted(ref.fulfillment_id),
        "true" if entry.inferred else "false",
        quoted(entry.key),
        entry.machine,
        quoted(entry.note_digest),
        stamp(entry.occurred_at),
        quoted(ref.order_id),
        entry.prev_hash,
        quoted(entry.reason),
        stamp(entry.recorded_at),
        entry.seq,
        quoted(ref.shop),
        entry.source,
        entry.to_status,
    )


COLUMNS = (
    "machine",
    "seq",
    "from_status",
    "to_status",
    "source",
    "actor",
    "reason",
    "event_key",
    "occurred_at",
    "recorded_at",
    "inferred",
    "cause",
    "amends",
    "note_digest",
    "prev_hash",
)
"""What of a stored entry goes into its canonical text; times are stamps already."""


def canonical_row(ref: tuple[str, str, str], definition: str, row: Sequence[Any]) -> str:
    """Write one entry as canonical JSON, from its columns in the order of `COLUMNS`.

    `ref` is the shop, the order and the fulfillment, each `quoted` already: this is for work on
    millions of rows.
    """
    machine, seq, start, end, source, actor, reason, key, occurred, recorded, *rest = row
    inferred, cause, amends, note, before = rest
    return FORM % (
        "null" if actor is None else encode_basestring(actor),
        "null" if amends is None else f'"{amends}"',
        "null" if cause is None else encode_basestring(cause),
        definition,
        start,
        ref[2],
        "true" if inferred else "false",
        "null" if key is None else encode_basestring(key),
        machine,
        "null" if note is None else encode_basestring(note),
        occurred,
        ref[1],
        before,
        "null" if reason is None else encode_basestring(reason),
        recorded,
        seq,
        ref[0],
        source,
        end,
    )


def entry_hash(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Return the hash that an entry must bear; its own `hash` field is not looked at."""
    return digest(canonical_entry(ref, entry))


def observation_digest(seen: Observation) -> str:
    """Return what tells an observation that says something new from one that does not."""
    dates = ",".join(f"{status}={text}" for status, text in sorted(seen.dates_raw.items()))
    said = (seen.carrier.raw, seen.cod.raw, seen.updated_at_raw, dates, seen.order_cancelled)
    return digest("|".join(map(str, said)))
