"""Reads files of events: bytes in, events and sentences out; nothing here knows a database."""

from carrierflow.ledger.files.digests import digest_of
from carrierflow.ledger.files.event_rows import EventRow, read_rows
from carrierflow.ledger.files.formats import RowFormat
from carrierflow.ledger.files.senders import Sender
from carrierflow.ledger.files.times import parse_time
from carrierflow.ledger.files.verdict_lines import VerdictCounts, verdict_line


__all__ = [
    "EventRow",
    "RowFormat",
    "Sender",
    "VerdictCounts",
    "digest_of",
    "parse_time",
    "read_rows",
    "verdict_line",
]
