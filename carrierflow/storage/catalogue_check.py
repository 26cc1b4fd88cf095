"""What is read of a database's catalogue, for it cannot be tried, or a try would not meet it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, Table, inspect

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.foreign_objects import FOREIGN, foreign_objects
from carrierflow.storage.grants import grants
from carrierflow.storage.ownership import ways_around
from carrierflow.storage.protection import EVERY, Protection
from carrierflow.storage.tables import APPEND_ONLY, metadata
from carrierflow.storage.trigger_state import faults, sees_triggers


__all__ = ["kept_tables", "read_catalogue"]

HARMLESS = {"NO ACTION", "RESTRICT"}
"""What a foreign key may do when its parent changes: refuse."""

USE_ROLE = "let carrierflow connect as the role that `db harden` makes."


def kept_tables() -> list[Table]:
    """Return the append-only tables, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table in APPEND_ONLY]


def read_catalogue(connection: Connection) -> Iterator[Protection]:
    """Report what is not tried: who may change the tables themselves, and what follows them."""
    yield from _cascades(connection)
    yield from _triggers(connection)
    yield from _foreign(connection)
    dialect = connection.dialect.name
    if dialect == "sqlite":
        yield Protection(
            hole="DDL",
            table=EVERY,
            protected=False,
            sentence="Whoever may write a SQLite file may take its triggers away; let only one "
            "account write it, and keep copies where that account cannot.",
            inherent=True,
        )
        return
    if is_mysql(dialect):
        yield from _mariadb_truncate(connection)
    ways = ways_around(connection)
    yield Protection.judged(
        "DDL",
        EVERY,
        wrong=f"The present user may take the triggers away: {ways[0]}; {USE_ROLE}"
        if ways
        else None,
        right="The present user neither owns the tables nor may become who does.",
    )


def _triggers(connection: Connection) -> Iterator[Protection]:
    """Compare each table's triggers with what they must be: a try meets made-up rows alone."""
    if not sees_triggers(connection):
        yield Protection(
            hole="TRIGGER",
            table=EVERY,
            protected=False,
            sentence="The present user may not read how the triggers are written; let the owner "
            "of the tables run `db check`, too.",
            inherent=True,
        )
        return
    wrong: dict[str, list[str]] = defaultdict(list)
    for trigger, faults_of_it in faults(connection):
        wrong[trigger.table].append(f"{trigger.name}: {', and '.join(faults_of_it)}")
    for table in kept_tables():
        found = "; ".join(wrong[table.name])
        yield Protection.judged(
            "TRIGGER",
            table.name,
            wrong=f"{found}; the owner of the tables runs `db harden`." if found else None,
            right="Its triggers are written as they must be.",
        )


def _foreign(connection: Connection) -> Iterator[Protection]:
    """Report what others put there; of what there is none of, one line."""
    found = foreign_objects(connection)
    for hole, none in FOREIGN.items():
        mine = [each for each in found if each.hole == hole]
        if not mine:
            yield Protection(hole=hole, table=EVERY, protected=True, sentence=none)
        for each in mine:
            sentence = f"{each.what[0].upper()}{each.what[1:]}; take it away, or know why not."
            yield Protection(hole=hole, table=each.table, protected=False, sentence=sentence)


def _cascades(connection: Connection) -> Iterator[Protection]:
    """Look for foreign keys that would change a row from its parent's side, past the triggers."""
    catalogue = inspect(connection)
    for table in kept_tables():
        actions = {
            action
            for key in catalogue.get_foreign_keys(table.name)
            for action in key.get("options", {}).values()
            if isinstance(action, str) and action.upper() not in HARMLESS
        }
        said = ", ".join(sorted(actions))
        yield Protection.judged(
            "CASCADE",
            table.name,
            wrong=f"A foreign key says {said}; take it away." if said else None,
            right="No foreign key changes its rows.",
        )


def _mariadb_truncate(connection: Connection) -> Iterator[Protection]:
    given = grants(connection)
    database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    for table in kept_tables():
        may = any(grant.may_drop(database, table.name) for grant in given)
        yield Protection.judged(
            "TRUNCATE",
            table.name,
            wrong=f"The present user may drop this table, and so TRUNCATE it; {USE_ROLE}"
            if may
            else None,
            right="The present user has no right to.",
        )
