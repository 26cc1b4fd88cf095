"""What a database lets its users do, as far as it must be asked rather than tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from carrierflow.storage.sessions import error_codes


__all__ = ["TableGrant", "grants", "is_denied"]

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
EVERYTHING = frozenset({"BINLOG REPLAY", "CREATE USER", "SET USER", "SUPER"})
"""Whoever has one of these on a MariaDB server can act as somebody else, or past the triggers."""

LINE = re.compile(r"GRANT (.+?) ON (?:TABLE )?`?(.+?)`?\.`?(.+?)`? TO ")
ROLE = re.compile(r"GRANT `([^`]+)` TO ")


def is_denied(error: DBAPIError) -> bool:
    """Tell whether an error says that the present user has no right to do this."""
    return not DENIED.isdisjoint(error_codes(error))


@dataclass(frozen=True, kw_only=True, slots=True)
class TableGrant:
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

    @property
    def reaches_everything(self) -> bool:
        """Tell whether it lets its user become another, or write who may do what."""
        accounts = self.database == "mysql" and bool(self.rights & {ALL, "INSERT", "UPDATE"})
        return accounts or bool(self.rights & EVERYTHING)

    def owns(self, database: str, table: str) -> bool:
        """Tell whether it lets its user change what a table is."""
        return self.covers(database, table) and bool(self.rights & OWNER_RIGHTS)

    def may_see_triggers(self, database: str, table: str) -> bool:
        """Tell whether it lets its user read how a table's triggers are written."""
        return self.covers(database, table) and bool(self.rights & {ALL, "TRIGGER"})

    def may_change(self, database: str, table: str) -> bool:
        """Tell whether it lets its user change or remove rows of a table, or the table."""
        return self.covers(database, table) and bool(self.rights & WIDE_RIGHTS)

    def may_drop(self, database: str, table: str) -> bool:
        """Tell whether it lets its user drop a table, and so empty it."""
        return self.covers(database, table) and bool(self.rights & {ALL, "DROP"})


def grants(connection: Connection, user: Mapping[str, str] | None = None) -> list[TableGrant]:
    """Read what a MariaDB user may do, by default the present one; its roles count, used or not."""
    lines = list(_lines(connection, user))
    for role in {match[1] for line in lines if (match := ROLE.match(line))}:
        lines += _lines_of_role(connection, role, asked=user is not None)
    matches = [match for line in lines if (match := LINE.match(line))]
    return [
        TableGrant(
            rights=frozenset(right.strip() for right in match[1].split(",")),
            database=match[2],
            table=match[3],
        )
        for match in matches
    ]


def _lines(connection: Connection, user: Mapping[str, str] | None = None) -> list[str]:
    whose = " FOR :name@:host" if user else ""
    return [
        str(line) for line in connection.execute(text(f"SHOW GRANTS{whose}"), user or {}).scalars()
    ]


def _lines_of_role(connection: Connection, role: str, *, asked: bool) -> list[str]:
    """Read what a role may do: an administrator asks; a user takes it on for that moment."""
    if asked:
        of_role = connection.execute(text("SHOW GRANTS FOR :role"), {"role": role})
        return [str(line) for line in of_role.scalars()]
    before = connection.execute(text("SELECT CURRENT_ROLE()")).scalar()
    connection.execute(text("SET ROLE :role"), {"role": role})
    try:
        return _lines(connection)
    finally:
        back = text("SET ROLE NONE" if before is None else "SET ROLE :role")
        connection.execute(back, {} if before is None else {"role": before})


def _like(pattern: str) -> str:
    stands_for = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern)
    return "".join(stands_for.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
