"""Column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, String, Text
from sqlalchemy.dialects.mysql import DATETIME, LONGBLOB, LONGTEXT
from sqlalchemy.types import TypeDecorator, TypeEngine

from carrierflow.domain import limits
from carrierflow.storage.engine import is_mysql


__all__ = [
    "Actor",
    "Code",
    "Digest",
    "Key",
    "LongBinary",
    "LongText",
    "MachineName",
    "OwnerId",
    "PlatformId",
    "Reason",
    "RowId",
    "Sentence",
    "Subject",
    "TrackingNumber",
    "Url",
    "UtcDateTime",
    "Word",
]

RowId = BigInteger().with_variant(Integer, "sqlite")
"""A row's number; SQLite counts by itself only on a plain INTEGER."""

Actor = String(limits.ACTOR)
Code = String(limits.CODE)
Key = String(limits.KEY)
PlatformId = String(limits.ID)
Reason = String(limits.REASON)
Sentence = String(limits.SENTENCE)
Subject = String(limits.SUBJECT)
TrackingNumber = String(limits.TRACKING_NUMBER)
Url = String(limits.URL)
Word = String(limits.WORD)

Digest = String(64)
MachineName = String(8)
OwnerId = String(36)
"""A UUID of a process or a run."""

LongBinary = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")
LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment to the microsecond; SQLite keeps it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of one database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        if is_mysql(dialect.name):
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times, and write all others as UTC."""
        return self.bind_processor(dialect)(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what does so for one database."""
        if dialect.name == "sqlite":
            return _to_text
        return _to_naive if is_mysql(dialect.name) else _to_utc

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], Any]:
        """Return what makes an aware UTC time of a stored one."""
        return _from_text if dialect.name == "sqlite" else _from_moment


# Plain functions, for they are called with every moment of every row.


def _to_utc(value: datetime | None) -> datetime | None:
    return None if value is None else _utc(value)


def _to_naive(value: datetime | None) -> datetime | None:
    return None if value is None else _utc(value).replace(tzinfo=None)


def _to_text(value: datetime | None) -> str | None:
    return None if value is None else _written(_utc(value))


@lru_cache(maxsize=1024)
def _written(moment: datetime) -> str:
    """Write a moment of UTC; one recording writes the same again and again."""
    return moment.isoformat(timespec="microseconds")


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC)


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else _from_moment(datetime.fromisoformat(value))


def _from_moment(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
