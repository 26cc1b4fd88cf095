"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeDecorator, TypeEngine

from carrierflow.hashing import stamp


__all__ = ["Code", "Digest", "PlatformId", "RowId", "UtcDateTime"]

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A row's number; SQLite counts by itself only on a plain INTEGER."""

Code = String(32)
PlatformId = String(64)
Digest = String(64)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment to the microsecond; SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of one database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times, and write all others as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        if dialect.name == "sqlite":
            return f"{stamp(value)[:-1]}+00:00"
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name in {"mysql", "mariadb"} else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        aware: datetime = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
