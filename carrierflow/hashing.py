"""The canonical bytes of a history entry, and the chain that they form.

The bytes are what RFC 8785 makes of one flat JSON object whose keys are ASCII and whose values
are text, true, false or null: no number appears, so any stock JSON tool gives the same bytes.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring

from carrierflow.model import FulfillmentRef, HistoryEntry, Observation


__all__ = ["canonical_entry", "digest", "entry_hash", "observation_digest", "stamp"]


@lru_cache(maxsize=1024)
def stamp(moment: datetime) -> str:
    """Write a moment as UTC with exactly six fractional digits and a Z.

    One moment is written again and again: in a hash, in a row, in every row of one recording.
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def digest(text: str) -> str:
    """Return the hex SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def canonical_entry(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Write one entry as canonical JSON; the keys stand in the order of RFC 8785."""
    amends = None if entry.amends is None else str(entry.amends)
    return (
        f'{{"actor":{_text(entry.actor)},"amends":{_text(amends)},"cause":{_text(entry.cause)},'
        f'"definition":"{entry.definition}","from":"{entry.from_status}",'
        f'"fulfillment_id":{_text(ref.fulfillment_id)},'
        f'"inferred":{"true" if entry.inferred else "false"},"key":{_text(entry.key)},'
        f'"machine":"{entry.machine}","note_digest":{_text(entry.note_digest)},'
        f'"occurred_at":"{stamp(entry.occurred_at)}","order_id":{_text(ref.order_id)},'
        f'"prev":"{entry.prev_hash}","reason":{_text(entry.reason)},'
        f'"recorded_at":"{stamp(entry.recorded_at)}","seq":"{entry.seq}",'
        f'"shop":{_text(ref.shop)},"source":"{entry.source}","to":"{entry.to_status}","v":"1"}}'
    )


def entry_hash(ref: FulfillmentRef, entry: HistoryEntry) -> str:
    """Return the hash that an entry must bear; its own `hash` field is not looked at."""
    return digest(canonical_entry(ref, entry))


def observation_digest(seen: Observation) -> str:
    """Return what tells an observation that says something new from one that does not."""
    dates = ",".join(f"{status}={text}" for status, text in sorted(seen.dates_raw.items()))
    said = (seen.carrier.raw, seen.cod.raw, seen.updated_at_raw, dates, seen.order_cancelled)
    return digest("|".join(map(str, said)))
