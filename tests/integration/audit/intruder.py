"""Somebody who owns the database: no trigger, no constraint, no role stands in the way."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import bindparam, select, text

from carrierflow.audit.log.entry_kinds import stamps
from carrierflow.audit.log.sql import definition_names
from carrierflow.audit.log.tree import leaf_hash
from carrierflow.domain.canonical import COLUMNS, canonical_row, digest, quoted
from carrierflow.domain.fulfillment import GENESIS
from carrierflow.domain.lifecycle import GROUPS, define
from carrierflow.storage.tables import PREFIX, fulfillments, history, metadata, shops
from carrierflow.storage.triggers import triggers
from carrierflow.storage.types import UtcDateTime


SWITCHES = {
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON"),
    "postgresql": ("SET session_replication_role = replica",),
    "mysql": ("SET foreign_key_checks = 0", "SET check_constraint_checks = 0"),
}


@contextmanager
def broken_in(book):
    """Open a transaction in which everything can be done."""
    engine = book.store.engine
    dialect = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
    with engine.begin() as connection:
        for trigger in triggers(engine.dialect.name):
            on = f" ON {trigger.table}" if dialect == "postgresql" else ""
            connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger.name}{on}"))
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        for switch in SWITCHES[dialect]:
            cursor.execute(switch)
        cursor.close()
        connection.connection.commit()
        yield connection
        connection.commit()
        connection.invalidate()


def number_of(connection, fulfillment_id):
    """Return the number of a parcel's row."""
    query = select(fulfillments.c.id).where(fulfillments.c.fulfillment_id == fulfillment_id)
    return connection.execute(query).scalar_one()


def run(connection, statement, **values):
    """Execute a statement on our tables, named without their prefix."""
    for name in metadata.tables:
        statement = statement.replace(f" {name.removeprefix(PREFIX)} ", f" {name} ")
    moments = [
        bindparam(name, type_=UtcDateTime())
        for name, value in values.items()
        if isinstance(value, datetime)
    ]
    return connection.execute(text(statement).bindparams(*moments), values)


def edit(connection):
    """Change who delivered a parcel."""
    f = number_of(connection, "2")
    run(
        connection,
        "UPDATE history SET actor = 'somebody else' "
        "WHERE fulfillment = :f AND machine = 'delivery' AND seq = 3",
        f=f,
    )


def delete(connection):
    """Take one scan out of the middle."""
    f = number_of(connection, "2")
    one = "fulfillment = :f AND machine = 'delivery' AND seq = 3"
    run(connection, f"DELETE FROM history WHERE {one}", f=f)


def insert_in_the_past(connection):
    """Push a scan in between that never was; later ones move on."""
    f = number_of(connection, "2")
    here = "fulfillment = :f AND machine = 'delivery'"
    for seq in (4, 3, 2):
        run(
            connection,
            f"UPDATE history SET seq = {seq + 1}, prev_seq = {seq}, event_key = 'k{seq}' "
            f"WHERE {here} AND seq = {seq}",
            f=f,
        )
    names = [column.name for column in history.columns]
    changed = {"seq": "2", "prev_seq": "1", "event_key": "'forged'", "to_status": "'picking'"}
    values = ", ".join(changed.get(name, name) for name in names)
    run(
        connection,
        f"INSERT INTO history ({', '.join(names)}) SELECT {values} FROM history "
        f"WHERE {here} AND seq = 3",
        f=f,
    )


def reorder(connection):
    """Let two scans change places."""
    f = number_of(connection, "2")
    for old, new in ((2, 99), (3, 2), (99, 3)):
        run(
            connection,
            f"UPDATE history SET seq = {new}, prev_seq = {new - 1} "
            f"WHERE fulfillment = :f AND machine = 'delivery' AND seq = {old}",
            f=f,
        )


def truncate_the_tail(connection):
    """Forget the last entry of a parcel, and set its head back, so that all looks well."""
    f = number_of(connection, "2")
    here = "fulfillment = :f AND machine = 'delivery'"
    before = run(connection, f"SELECT hash, to_status FROM history WHERE {here} AND seq = 3", f=f)
    own, status = before.one()
    run(connection, f"DELETE FROM history WHERE {here} AND seq = 4", f=f)
    run(
        connection,
        "UPDATE fulfillments SET delivery_seq = 3, delivery_hash = :h, delivery_status = :s "
        "WHERE id = :f",
        f=f,
        h=own,
        s=status,
    )


def forget_a_parcel(connection):
    """Remove a parcel altogether: its history, its places, its head."""
    f = number_of(connection, "2")
    for table, column in (
        ("history", "fulfillment"),
        ("log", "fulfillment"),
        ("fulfillments", "id"),
    ):
        run(connection, f"DELETE FROM {table} WHERE {column} = :f", f=f)


def swap_two_parcels(connection):
    """Give two parcels each other's rows."""
    one, two = number_of(connection, "2"), number_of(connection, "3")
    for old, new in ((one, -1), (two, one), (-1, two)):
        run(
            connection,
            "UPDATE history SET fulfillment = :new WHERE fulfillment = :old",
            new=new,
            old=old,
        )


def replace_a_definition(connection):
    """Put a lifecycle that allows more under the name of the one that was used."""
    wider = define(sorted(GROUPS))
    run(connection, "UPDATE definitions SET canonical = :c", c=wider.canonical)


def redefine(connection):
    """Put another lifecycle in its place under its own name, so that its hash is right."""
    wider = define(sorted(GROUPS))
    run(connection, "UPDATE definitions SET canonical = :c, id = :i", c=wider.canonical, i=wider.id)


def rehash(connection, *, parcel="2"):
    """Change an entry and compute everything anew that hangs on it inside the history."""
    f = number_of(connection, parcel)
    run(connection, "UPDATE history SET actor = 'forged' WHERE fulfillment = :f AND seq = 2", f=f)
    for machine in ("delivery", "cod"):
        _rehash_chain(connection, f, machine)


def _rehash_chain(connection, f, machine):
    names = definition_names(connection)
    query = (
        select(
            *stamps(connection.dialect.name, [history.c[name] for name in COLUMNS]),
            history.c.definition,
            shops.c.code,
            fulfillments.c.order_id,
            fulfillments.c.fulfillment_id,
        )
        .join(fulfillments, fulfillments.c.id == history.c.fulfillment)
        .join(shops, shops.c.id == fulfillments.c.shop)
        .where(history.c.fulfillment == f, history.c.machine == machine)
        .order_by(history.c.seq)
    )
    before, here = GENESIS, "fulfillment = :f AND machine = :m"
    for row in connection.execute(query).all():
        ref = quoted(row.code), quoted(row.order_id), quoted(row.fulfillment_id)
        columns = [*row[: len(COLUMNS) - 1], before]
        written = canonical_row(ref, names[row.definition], columns)
        own = digest(written)
        run(
            connection,
            f"UPDATE history SET prev_hash = :p, hash = :h WHERE {here} AND seq = :s",
            p=before,
            h=own,
            f=f,
            m=machine,
            s=row.seq,
        )
        leaf = leaf_hash(written.encode()).hex()
        run(
            connection,
            f"UPDATE log SET leaf = :l WHERE {here} AND seq = :s",
            l=leaf,
            f=f,
            m=machine,
            s=row.seq,
        )
        before = own
    run(connection, f"UPDATE fulfillments SET {machine}_hash = :h WHERE id = :f", h=before, f=f)
