"""Reads files of events: bytes in, events and sentences out; nothing here knows a database."""

from carrierflow.ledger.files.digests import digest_of
from carrierflow.ledger.files.formats import RowFormat
from carrierflow.ledger.files.report import Counts, verdict_line
from carrierflow.ledger.files.rows import Row, read_rows
from carrierflow.ledger.files.times import parse_time


__all__ = [
    "Counts",
    "Row",
    "RowFormat",
    "digest_of",
    "parse_time",
    "read_rows",
    "verdict_line",
]
