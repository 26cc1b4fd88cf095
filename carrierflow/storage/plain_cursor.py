"""A cursor of psycopg as it is by itself: no host's loaders, dumpers and row factories.

A host's may take the zone off a moment, as Django's do without `USE_TZ`.
"""

from __future__ import annotations

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.rows import TupleRow, tuple_row


__all__ = ["PlainCursor"]


class PlainCursor(psycopg.Cursor[TupleRow]):
    """Reads and writes values as psycopg does where nobody told it otherwise."""

    def __init__(self, connection: psycopg.Connection[TupleRow]) -> None:
        self._plain = AdaptersMap(psycopg.adapters)
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> AdaptersMap:
        """What is registered with psycopg itself."""
        return self._plain
