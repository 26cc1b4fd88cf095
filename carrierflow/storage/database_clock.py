"""The database's own clock: what leases and budgets that processes share are measured by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, literal_column, select

from carrierflow.domain.clock import Clock
from carrierflow.storage.engine import is_mysql


__all__ = ["DatabaseClock"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

EXPRESSIONS = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
    "mysql": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
}


class DatabaseClock:
    """Says what time it is on the database's machine; a simulation gives it another clock."""

    def __init__(self, instead: Clock | None = None) -> None:
        self._instead = instead

    def microseconds(self, dialect: str) -> ColumnElement[int]:
        """Return an expression for the microseconds since 1970, at whatever time it is executed."""
        if self._instead is not None:
            return bindparam(None, type_=BigInteger(), callable_=partial(_count, self._instead))
        name = "mysql" if is_mysql(dialect) else dialect
        return literal_column(EXPRESSIONS[name], BigInteger())

    def now(self, connection: Connection) -> datetime:
        """Ask for the present moment."""
        if self._instead is not None:
            return self._instead()
        count = connection.execute(select(self.microseconds(connection.dialect.name))).scalar_one()
        return EPOCH + count * MICROSECOND


def _count(clock: Clock) -> int:
    return (clock() - EPOCH) // MICROSECOND
