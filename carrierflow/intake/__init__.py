"""Reads files of events: bytes in, events and sentences out; nothing here knows a database."""

from carrierflow.intake.digests import digest_of
from carrierflow.intake.formats import RowFormat
from carrierflow.intake.rows import Row, read_rows
from carrierflow.intake.times import parse_time
from carrierflow.intake.verdicts import Counts, verdict_line


__all__ = [
    "Counts",
    "Row",
    "RowFormat",
    "digest_of",
    "parse_time",
    "read_rows",
    "verdict_line",
]
