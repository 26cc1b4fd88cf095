"""What a database lets its users do, as far as it must be asked rather than tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from carrierflow.storage.engine import error_codes


__all__ = ["Grant", "grants", "is_denied"]

DENIED = {
    "42501",  # PostgreSQL: insufficient privilege
    1044,  # MariaDB: no access to this database
    1142,  # MariaDB: command denied on this table
    1143,  # MariaDB: command denied on this column
    1227,  # MariaDB: a privilege is needed
    1370,  # MariaDB: command denied on this routine
    1410,  # MariaDB: may not make a user by a grant
}

ALL = "ALL PRIVILEGES"
OWNER_RIGHTS = frozenset({ALL, "ALTER", "DROP", "TRIGGER"})
"""Whoever has one of these on a MariaDB table can take its triggers away."""

WIDE_RIGHTS = OWNER_RIGHTS | {"CREATE USER", "DELETE", "SUPER", "UPDATE"}
LINE = re.compile(r"GRANT (.+?) ON (?:TABLE )?`?(.+?)`?\.`?(.+?)`? TO ")


def is_denied(error: DBAPIError) -> bool:
    """Tell whether an error says that the present user has no right to do this."""
    return not DENIED.isdisjoint(error_codes(error))


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One line of MariaDB's SHOW GRANTS."""

    rights: frozenset[str]
    database: str
    """A pattern, in which % and _ stand for others, or an asterisk."""
    table: str

    def __str__(self) -> str:
        return f"{', '.join(sorted(self.rights))} on {self.database}.{self.table}"

    @property
    def is_wide(self) -> bool:
        """Tell whether it gives rights on more than single tables that history must not have."""
        return self.table == "*" and bool(self.rights & WIDE_RIGHTS)

    def covers(self, database: str, table: str | None = None) -> bool:
        """Tell whether it speaks of a database, or of one table in it."""
        here = self.database == "*" or re.fullmatch(_like(self.database), database) is not None
        return here and (table is None or self.table in {"*", table})

    def owns(self, database: str, table: str) -> bool:
        """Tell whether it lets its user change what a table is."""
        return self.covers(database, table) and bool(self.rights & OWNER_RIGHTS)

    def may_drop(self, database: str, table: str) -> bool:
        """Tell whether it lets its user drop a table, and so empty it."""
        return self.covers(database, table) and bool(self.rights & {ALL, "DROP"})


def grants(connection: Connection, user: Mapping[str, str] | None = None) -> list[Grant]:
    """Read what a MariaDB user may do, by default the present one with its present roles."""
    whose = " FOR :name@:host" if user else ""
    lines = connection.execute(text(f"SHOW GRANTS{whose}"), user or {}).scalars()
    matches = [match for line in lines if (match := LINE.match(line))]
    return [
        Grant(
            rights=frozenset(right.strip() for right in match[1].split(",")),
            database=match[2],
            table=match[3],
        )
        for match in matches
    ]


def _like(pattern: str) -> str:
    stands_for = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern)
    return "".join(stands_for.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
