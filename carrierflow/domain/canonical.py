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

from carrierflow.domain.model import FulfillmentRef, HistoryEntry, Observation


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


def stamp(moment: datetime) -> str:
    """Write a moment as UTC with exactly six fractional digits and a Z."""
    return _stamp(moment if moment.tzinfo is UTC else moment.astimezone(UTC))


@lru_cache(maxsize=1024)
def _stamp(moment: datetime) -> str:
    """Write a moment of UTC: elsewhere two hours of a night in autumn count as equal.

    One moment is written again and again: in the hash of every entry of one recording.
    """
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def digest(text: str) -> str:
    """Return the hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def quoted(value: str | None) -> str:
    """Write a text, or nothing, as RFC 8785 does.

    A column of texts in a SQLite file can hold anything; what is no text is written as some text,
    and so as none that was ever hashed.
    """
    if value is None:
        return "null"
    try:
        return encode_basestring(value)
    except TypeError:
        return encode_basestring(str(value))


def canonical_entry(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Write one entry as canonical JSON."""
    texts = quoted(ref.shop), quoted(ref.order_id), quoted(ref.fulfillment_id)
    row = (
        entry.machine,
        entry.seq,
        entry.from_status,
        entry.to_status,
        entry.source,
        entry.actor,
        entry.reason,
        entry.key,
        stamp(entry.occurred_at),
        stamp(entry.recorded_at),
        entry.inferred,
        entry.cause,
        entry.amends,
        entry.note_digest,
        entry.prev_hash,
    )
    return canonical_row(texts, entry.definition, row)


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

    Whatever follows these columns is not looked at. `ref` is the shop, the order and the
    fulfillment, each `quoted` already. The keys stand in the order of RFC 8785, in one literal
    with `quoted` written out: this is done for every row that is ever hashed.
    """
    try:
        return _written(ref, definition, row)
    except TypeError:
        texts = [str(it) if isinstance(it, bytes) else it for it in row]
        return _written(ref, definition, texts)


def _written(ref: tuple[str, str, str], definition: str, row: Sequence[Any]) -> str:
    machine, seq, start, end, source, actor, reason, key, occurred, recorded = row[:10]
    inferred, cause, amends, note, before = row[10:15]
    return (
        f'{{"actor":{"null" if actor is None else encode_basestring(actor)}'
        f',"amends":{"null" if amends is None else encode_basestring(str(amends))}'
        f',"cause":{"null" if cause is None else encode_basestring(cause)}'
        f',"definition":"{definition}","from":"{start}","fulfillment_id":{ref[2]}'
        f',"inferred":{"true" if inferred else "false"}'
        f',"key":{"null" if key is None else encode_basestring(key)}'
        f',"machine":"{machine}"'
        f',"note_digest":{"null" if note is None else encode_basestring(note)}'
        f',"occurred_at":"{occurred}","order_id":{ref[1]},"prev":"{before}"'
        f',"reason":{"null" if reason is None else encode_basestring(reason)}'
        f',"recorded_at":"{recorded}","seq":"{seq}","shop":{ref[0]},"source":"{source}"'
        f',"to":"{end}","v":"1"}}'
    )


def entry_hash(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Return the hash that an entry must bear; its own `hash` field is not looked at."""
    return digest(canonical_entry(ref, entry))


def observation_digest(seen: Observation) -> str:
    """Return what tells an observation that says something new from one that does not."""
    dates = ",".join(f"{status}={text}" for status, text in sorted(seen.dates_raw.items()))
    said = (seen.carrier.raw, seen.cod.raw, seen.updated_at_raw, dates, seen.order_cancelled)
    return digest("|".join(map(str, said)))
