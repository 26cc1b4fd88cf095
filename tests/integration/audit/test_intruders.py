"""Whoever may write the database bends what is no entry: each cell is named, by the command.

Once as the role that `db harden` makes, which may change what holds no proof; once as the owner
of the tables, whom nothing holds. All is done to one ledger, each to a parcel, an incident, a run
and a shop of its own, so that what is found of one covers up nothing of another.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.domain.model import Event, Status
from carrierflow.errors import DatabaseUnavailable
from carrierflow.storage import build_engine
from carrierflow.storage.hardening import harden
from carrierflow.storage.tables import incidents, metadata

from . import intruder
from .desk import verified_ledger
from .every_kind import tell_everything


ALL_SHOWN = "unpublished = cod_seq, delivery_confirmed = delivery_seq"

BENT = {
    "UPDATE fulfillments SET cod_amount = 0 WHERE id = :f": ("/{n}", "agreed last"),
    "UPDATE fulfillments SET tracking_number = 'VN-2' WHERE id = :f": ("/{n}", "agreed last"),
    "UPDATE fulfillments SET delivery_status = 'return' WHERE id = :f": (
        "/{n} delivery",
        "head says",
    ),
    "UPDATE fulfillments SET frozen = NULL WHERE id = :f": ("/{n}", "an incident froze it"),
    "UPDATE fulfillments SET frozen = 'stuck' WHERE id = :next": ("/{n1}", "no incident says why"),
    "UPDATE fulfillments SET verified_at = :later WHERE id = :f": ("/{n}", "no run was at work"),
    "UPDATE fulfillments SET opened_at = :later WHERE id = :f": ("/{n}", "after its first entry"),
    "UPDATE fulfillments SET open = (1 = 0) WHERE id = :f": ("/{n}", "nobody looks after it"),
    "UPDATE fulfillments SET unpublished = 0 WHERE id = :f": ("/{n}", "miscounted"),
    f"UPDATE fulfillments SET {ALL_SHOWN} WHERE id = :next": ("/{n1}", "nothing of it was seen"),
    "UPDATE fulfillments SET remote_cod = 'x' WHERE id = :f": (
        "/{n}",
        "none that was seen",
    ),
    "UPDATE incidents SET state = 'resolved' WHERE id = :i": ("incident {i}", "no decision says"),
    "UPDATE incidents SET sentence = 'x' WHERE id = :i": ("incident {i}", "content"),
    "UPDATE incidents SET fulfillment = :next WHERE id = :i": ("incident {i}", "another parcel"),
    "UPDATE runs SET end_reason = 'x' WHERE id = :r": ("run {r}", "did not end as was written"),
    "UPDATE notes SET fulfillment = :next WHERE fulfillment = :f": ("/{n1}", "none of its entries"),
    "DELETE FROM notes WHERE fulfillment = :f": ("/{n}", "no act says that it was erased"),
    "UPDATE shops SET base_url = 'http://x' WHERE code = :s": ("shop {s}", "says its base_url"),
    "UPDATE shops SET state = 'paused' WHERE code = :s": ("shop {s}", "says its state"),
    "UPDATE shops SET options = 'x' WHERE code = :s": ("shop {s}", "says its options"),
    "UPDATE shops SET code = '{s}-2' WHERE code = :s": ("shop {s}-2", "no act says that it was"),
}
"""What the role may do too, and where and what is said of it."""

REMOVED = {
    "DELETE FROM incidents WHERE id = :i": ("incident {i}", "it is gone"),
    "DELETE FROM runs WHERE id = :r": ("run {r}", "it is gone"),
    "DELETE FROM shops WHERE code = :s": ("shop {s}", "it was added, and is gone"),
    "DELETE FROM fulfillments WHERE id = :f": ("fulfillment {f}", "it has history and no head"),
}
"""What takes an owner."""

PASSWORD = "held to its rights"


@contextmanager
def as_role(book):
    """Make the role that carrierflow should use, yield a connection of it, and drop it."""
    owner, name = book.store.engine, f"cf_{uuid.uuid4().hex[:12]}"
    harden(owner, role=name, password=PASSWORD)
    url = owner.url.set(username=name, password=PASSWORD)
    engine = build_engine(url.render_as_string(hide_password=False))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
        with owner.begin() as connection:
            if owner.dialect.name == "postgresql":
                connection.execute(text(f"DROP OWNED BY {name}"))
            is_user = owner.dialect.name != "postgresql"
            connection.execute(text(f"DROP {'USER' if is_user else 'ROLE'} {name}"))


class Target:
    """What one attack is done to: a parcel with an incident, a run and a note, and a shop."""

    def __init__(self, book, number):
        self.number, self.shop, self.run = number, book.make_shop(), f"run-{number}"
        tell_everything(book, first=number)
        note = {"status": Status.CODRECEIPT, "note": "paid"}
        book.ledger.record(Event(shop=book.shop, fulfillment_id=f"{number}", **note))
        book.clock.advance(minutes=1)
        with book.store.reading() as connection:
            numbers = (intruder.number_of(connection, f"{each}") for each in (number, number + 1))
            self.parcel, self.next = numbers
            opened = select(incidents.c.id).where(incidents.c.fulfillment == self.parcel)
            self.incident = connection.execute(opened).scalar_one()

    @property
    def names(self):
        """What statements call it by."""
        return {
            "f": self.parcel,
            "next": self.next,
            "i": self.incident,
            "r": self.run,
            "s": self.shop,
        }

    def named(self, where):
        """Return what findings call it."""
        return where.format(n=self.number, n1=self.number + 1, **self.names)


def bend(connection, attacks, targets, *, later):
    """Do each attack to its own target."""
    for statement, target in zip(attacks, targets, strict=True):
        given = target.names | {"later": later}
        known = {name: it for name, it in given.items() if f":{name}" in statement}
        intruder.run(connection, statement.replace("{s}", target.shop), **known)


@pytest.mark.slow
def test_each_cell_that_is_bent_is_named(attacked_book):
    """By whomever: where it is, what is wrong, and exit code 1; and nothing was wrong before."""
    book = attacked_book
    is_file = book.store.engine.dialect.name == "sqlite"
    ways = [(intruder.broken_in, BENT | REMOVED)]
    if not is_file:
        ways.insert(0, (as_role, BENT))
    for number, (way, attacks) in enumerate(ways):
        first = 1 + 1_000 * number
        targets = [Target(book, first + 10 * place) for place in range(len(attacks))]
        book.sealer().seal()
        before = verified_ledger(book)
        assert (0, []) == (before.code, before.found) if not number else True
        with way(book) as connection:
            bend(connection, attacks, targets, later=book.clock() + timedelta(hours=1))

        told = verified_ledger(book)

        assert 1 == told.code
        for (where, what), target in zip(attacks.values(), targets, strict=True):
            assert told.names(target.named(where), what), (where, what, told.found)


CELLS = [
    (table, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if not column.primary_key
]
NEVER_WRITTEN = ("x'ff00'", "'2026-02-30T00:00:00'")


@pytest.mark.slow
@pytest.mark.parametrize("value", NEVER_WRITTEN)
def test_whatever_a_cell_holds_there_is_an_answer(book, value):
    """A SQLite file keeps any value in any column; what cannot be read is named, or no proof."""
    tell_everything(book)
    book.sealer().seal()
    for table, name in CELLS:
        with intruder.broken_in(book) as connection:
            query = select(func.max(text("rowid"))).select_from(table)
            row = connection.execute(query).scalar()
            if row is None:
                continue
            cell = f"{table.name} SET {name} = {{}} WHERE rowid = {row}"
            kept = f"SELECT quote({name}) FROM {table.name} WHERE rowid = {row}"
            old = connection.execute(text(kept)).scalar()
            connection.exec_driver_sql(f"UPDATE OR IGNORE {cell}".format(value))
        with suppress(DatabaseUnavailable):  # bytes that the driver itself does not read
            DatabaseVerifier(book.store, book.sealer()).verify()
        with intruder.broken_in(book) as connection:
            connection.exec_driver_sql(f"UPDATE {cell}".format(old))
    assert DatabaseVerifier(book.store, book.sealer()).verify().ok
