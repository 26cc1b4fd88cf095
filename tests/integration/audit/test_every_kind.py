"""One log of everything: every kind of entry gets its place, its bytes and its guard."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Boolean, Integer, func, insert, select, update

from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.entry_kinds import KINDS
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.tree import leaf_hash
from carrierflow.audit.verify.database import DatabaseVerifier, trusted
from carrierflow.audit.verify.export import Expectations, verify_export
from carrierflow.audit.verify.proof_coverage import ProofStrength, column_proofs
from carrierflow.domain.decision import DecisionKind
from carrierflow.domain.model import Event, Status
from carrierflow.storage.decisions import write_decision
from carrierflow.storage.tables import (
    APPEND_ONLY,
    anchorings,
    checkpoints,
    definitions,
    edges,
    history,
    incidents,
    log,
    log_nodes,
    metadata,
    run_ends,
)
from carrierflow.storage.types import UtcDateTime

from . import intruder
from .conftest import ROAD
from .every_kind import tell_everything


NOT_LOGGED = {definitions, edges, log, log_nodes, checkpoints, anchorings}
"""Append-only tables that are no entries: what entries name by a hash, and the log itself."""


def audited(book, **options):
    """Verify a ledger as `audit verify` does."""
    return DatabaseVerifier(book.store, book.sealer(), **options).verify()


def exported(book, folder, scope=None):
    """Export a scope, and return its lines."""
    book.exporter().export(folder, scope)
    return [json.loads(line) for line in (folder / "entries.jsonl").read_bytes().splitlines()]


def verified(book, folder):
    """Verify an export under the key of its ledger."""
    key = SealKey.load(book.key_file).verifier
    return verify_export(folder, Expectations(trust=trusted([key])))


def test_every_table_that_is_never_changed_is_logged():
    """A new append-only table is of some kind, or is said not to be one."""
    assert set(APPEND_ONLY) - NOT_LOGGED == {kind.table for kind in KINDS}


def test_a_log_of_every_kind_is_as_it_was_written(attacked_book, tmp_path):
    """On every database: all rows have places, all is verified, and an export holds it all."""
    book = attacked_book
    tell_everything(book)
    done = book.sealer().seal()
    found = audited(book)

    assert found.ok, found.problems
    assert done.size == found.sealed == sum(found.kinds.values())
    assert all(found.kinds[kind.name] for kind in KINDS), found.kinds
    lines = exported(book, tmp_path / "export")
    assert done.size == len(lines)
    assert {kind.name for kind in KINDS} == {e.get("kind", "transition") for e in lines}
    again = verified(book, tmp_path / "export")
    assert again.ok, again.problems
    assert (found.kinds, found.rows, done.size) == (again.kinds, again.rows, again.sealed)


def test_every_column_is_in_the_bytes(book, tmp_path):
    """The text of an entry has a key for every column of its row, and is canonical JSON."""
    tell_everything(book)
    book.sealer().seal()
    exported(book, tmp_path / "export")
    lines = (tmp_path / "export" / "entries.jsonl").read_text(encoding="utf-8").splitlines()
    for kind in KINDS[1:]:
        of_kind = [line for line in lines if f'"kind":"{kind.name}"' in line]
        line = max(of_kind, key=lambda text: json.loads(text)["v"])
        entry = json.loads(line)
        first = json.loads(of_kind[0])
        assert ("1", set(kind.later)) == (first["v"], entry.keys() - first.keys())
        keys = {"v", "kind", *(column.name for column in kind.table.columns)}
        keys -= {"fulfillment"}
        given = {"kind" if name == f"{kind.name}_kind" else name for name in entry}
        assert keys <= given, kind.name
        assert given - keys <= {"fulfillment_id", "order_id", "shop"}
        same = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert same == line
        assert all(value is None or isinstance(value, str | bool) for value in entry.values())


def test_places_follow_time(book, tmp_path):
    """Of all kinds what was recorded earlier stands earlier, whichever table it lies in."""
    tell_everything(book)
    book.clock.advance(minutes=1)
    tell_everything(book, first=10)
    book.sealer().seal()

    moments = [
        next(entry[kind.moment] for kind in KINDS if entry.get("kind", "transition") == kind.name)
        for entry in exported(book, tmp_path / "export")
    ]

    assert moments == sorted(moments)
    assert 3 == len(set(moments)), "when the tables were made, and twice"


def test_a_step_never_stands_before_the_one_that_it_continues(book):
    """Where the clocks of two machines differ, the chain decides, and nobody is accused."""
    book.record(1, road=ROAD[:2])
    book.clock.advance(seconds=-60)
    book.record(1, road=ROAD[2:])
    book.sealer().seal()

    with book.store.reading() as connection:
        query = select(log.c.machine, log.c.seq).order_by(log.c.position)
        rows = connection.execute(query.where(log.c.kind == "transition")).all()
    for machine in ("delivery", "cod"):
        seqs = [row.seq for row in rows if row.machine == machine]
        assert seqs == sorted(seqs)
    assert audited(book).ok


def test_a_parcel_s_export_holds_its_entries_of_every_kind(book, tmp_path):
    """A part holds what belongs to its scope, of all kinds, and proves itself."""
    tell_everything(book)
    book.sealer().seal()
    scope = Scope(shop=book.shop, fulfillment_id="1")

    lines = exported(book, tmp_path / "export", scope)

    assert {"1"} == {entry["fulfillment_id"] for entry in lines}
    assert {"evidence", "attempt", "told", "seen"} <= {entry.get("kind") for entry in lines}
    done = verified(book, tmp_path / "export")
    assert done.ok, done.problems


def last_row(connection, kind):
    """Return one row of a kind, by its key."""
    order = [column.desc() for column in kind.order]
    return connection.execute(select(kind.table).where(kind.chosen).order_by(*order)).first()


def same_row(kind, row):
    """Say which row it is."""
    return [column == getattr(row, column.name) for column in kind.order]


def changed(column, value):
    """Return another value for a column than it has."""
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Integer):
        return (value or 0) + 1
    if isinstance(column.type, UtcDateTime):
        return value + timedelta(seconds=1) if value else None
    return "x"


def test_an_edit_of_any_column_of_any_kind_is_found(attacked_book):
    """Whoever changes a cell of a logged row, in whatever table, is found by its leaf."""
    book = attacked_book
    tell_everything(book)
    book.sealer().seal()
    for kind in KINDS:
        for column in kind.table.columns:
            own = column.primary_key or column.foreign_keys or column.name == "number"
            if own or kind.table is history:
                continue
            with intruder.broken_in(book) as connection:
                row = last_row(connection, kind)
                old = getattr(row, column.name)
                new = changed(column, old)
                if new is None:
                    continue
                where = same_row(kind, row)
                connection.execute(update(kind.table).where(*where).values({column.name: new}))
            found = audited(book)
            with intruder.broken_in(book) as connection:
                connection.execute(update(kind.table).where(*where).values({column.name: old}))
            assert not found.ok, (kind.name, column.name)
            assert any(
                problem.where.startswith(kind.name) and "not what was sealed" in problem.what
                for problem in found.problems
            ), (kind.name, column.name, found.problems)
    assert audited(book).ok


def test_a_row_of_any_kind_that_is_gone_is_named(attacked_book):
    """Whoever deletes a logged row leaves a place without one, and it is named."""
    book = attacked_book
    tell_everything(book)
    book.sealer().seal()
    for kind in KINDS:
        with intruder.broken_in(book) as connection:
            row = last_row(connection, kind)
            connection.execute(kind.table.delete().where(*same_row(kind, row)))
        found = audited(book)
        with intruder.broken_in(book) as connection:
            connection.execute(insert(kind.table).values(**row._mapping))
        assert any(
            problem.where.startswith(kind.name) and "and is gone" in problem.what
            for problem in found.problems
        ), (kind.name, found.problems)
    assert audited(book).ok


def forged_rows(book, back):
    """Write well-formed rows of every kind that say that they were recorded so long ago."""
    book.clock.advance(-back)
    tell_everything(book, first=20)
    book.clock.advance(back)


def sealed_twice(book):
    """Write and seal everything, and again a week later; return how large the log was then."""
    for first in (1, 10):
        tell_everything(book, first=first)
        size = book.sealer().seal().size
        book.clock.advance(days=7)
    book.clock.advance(days=-7)
    return size


def test_a_forged_row_of_any_kind_cannot_be_dated_back(attacked_book):
    """Rows of last week that are put there today are named, by kind before a seal and after it."""
    book = attacked_book
    size = sealed_twice(book)
    forged_rows(book, timedelta(days=7))
    waiting = {p.where: p.what for p in audited(book).problems}
    kinds = {kind.name for kind in KINDS} - {"administration"}

    assert kinds == set(waiting)
    assert all("it was backdated" in what for what in waiting.values())
    size_after = book.sealer().seal().size

    found = audited(book).problems
    assert [f"place {place}" for place in range(size, size_after)] == [p.where for p in found]
    assert all("it was backdated" in problem.what for problem in found)
    assert audited(book, tolerance=timedelta(days=8)).ok


def test_a_forged_row_within_the_tolerance_stands_behind_all_others(attacked_book):
    """No clock tells it, and it is shown as what it is: later than the last checkpoint."""
    book = attacked_book
    size = sealed_twice(book)
    forged_rows(book, timedelta(minutes=4))
    book.sealer().seal()

    assert audited(book).ok
    with book.store.reading() as connection:
        query = select(func.min(log.c.position)).where(log.c.number == last_run(connection))
        assert connection.execute(query.where(log.c.kind == "run")).scalar_one() >= size


def last_run(connection):
    """Return the number of the end of a run that was written last."""
    return connection.execute(select(func.max(run_ends.c.id))).scalar_one()


def test_a_row_from_the_future_is_named(book):
    """What says that it was recorded after the checkpoint that covers it was not."""
    tell_everything(book)
    book.clock.advance(days=1)
    tell_everything(book, first=10)
    book.clock.advance(days=-1)
    book.sealer().seal()

    found = audited(book)

    assert found.problems
    assert all("after the checkpoint that covers it" in problem.what for problem in found.problems)


def test_a_kept_hash_of_the_tree_that_was_changed_is_named(attacked_book):
    """The hashes that proofs are made of are compared with the entries, and so is their number."""
    book = attacked_book
    book.record(50)
    book.sealer().seal()
    assert audited(book).ok
    with intruder.broken_in(book) as connection:
        intruder.run(connection, "UPDATE log_nodes SET hash = :h", h="0" * 64)
    assert ["hashes of level 1"] == [problem.where for problem in audited(book).problems]
    with intruder.broken_in(book) as connection:
        intruder.run(connection, "DELETE FROM carrierflow_log_nodes")

    (problem,) = audited(book).problems
    assert ("hashes of level 1", "number 0 is missing") == (problem.where, problem.what)


def test_a_long_backlog_is_brought_into_order_on_the_disk(book, monkeypatch):
    """However few lines are sorted at once, the places are the same."""
    monkeypatch.setattr("carrierflow.audit.log.unplaced.RUN", 7)
    monkeypatch.setattr("carrierflow.audit.log.unplaced.ROWS_AT_ONCE", 5)
    tell_everything(book)
    book.clock.advance(minutes=1)
    tell_everything(book, first=10)
    book.sealer().seal()

    found = audited(book)

    assert found.ok, found.problems
    assert found.sealed == sum(found.kinds.values())


def test_a_leaf_is_the_hash_of_the_text(book, tmp_path):
    """The leaf of each entry is that of its line, byte for byte."""
    tell_everything(book)
    book.sealer().seal()
    book.exporter().export(tmp_path / "export")
    lines = (tmp_path / "export" / "entries.jsonl").read_bytes().splitlines()

    with book.store.reading() as connection:
        leaves = connection.execute(select(log.c.leaf).order_by(log.c.position)).scalars().all()

    assert leaves == [leaf_hash(line).hex() for line in lines]


@pytest.mark.parametrize("proposer", ["lan", None])
def test_an_approval_is_of_what_somebody_else_proposed(book, proposer):
    """One's own yes, or one to what nobody proposed, is named, though its row is well sealed."""
    tell_everything(book)
    with book.store.begin() as connection:
        number = connection.execute(select(func.max(incidents.c.id))).scalar_one()
        told = {"action": "abandon", "reason": "r", "now": book.clock()}
        if proposer:
            kind = DecisionKind.PROPOSED
            write_decision(connection, number, kind, actor=proposer, **told)
        kind, by = DecisionKind.APPROVED, proposer or "mai"
        write_decision(connection, number, kind, actor="lan", approved_by=by, **told)
    book.sealer().seal()

    (problem,) = audited(book).problems
    assert f"{by} approved" in problem.what


ASTRAY = {
    "fulfillments": ("cod_amount = 0 WHERE fulfillment_id = '1'", "/1", "agreed last"),
    "incidents": ("state = 'resolved', action = 'unfreeze'", "incident ", "no decision says"),
    "runs": ("end_reason = 'failed'", "run run-1", "did not end as was written"),
}
"""A table that changes, how it is bent, and where and what is said of it."""


@pytest.mark.parametrize("table", ASTRAY)
def test_what_follows_from_entries_cannot_be_bent(attacked_book, table):
    """An amount set to zero, an incident closed by nobody, a run that ended well: all named."""
    book = attacked_book
    tell_everything(book)
    book.sealer().seal()
    change, where, what = ASTRAY[table]
    with intruder.broken_in(book) as connection:
        intruder.run(connection, f"UPDATE carrierflow_{table} SET {change}")

    found = audited(book).problems

    assert any(where in each.where and what in each.what for each in found), found


COMPARED = [
    (each.table, each.column)
    for each in column_proofs()
    if each.strength in {ProofStrength.COMPARED, ProofStrength.PARTLY}
    and each.table in {"fulfillments", "history", "incidents", "runs", "notes", "shops"}
]
"""Columns of rows that change, of which it is said that entries prove them."""


def bent(connection, column, old):
    """Return another value for a cell; what refers to a row refers to another one."""
    alone = [key.column for key in column.foreign_keys if len(key.constraint.columns) == 1]
    if alone:
        (target,) = alone
        query = select(target).where(target != old).order_by(target.desc()).limit(1)
        return connection.execute(query).scalar_one()
    if isinstance(column.type, UtcDateTime) and old is None:
        return datetime(2026, 1, 1, tzinfo=UTC)
    return changed(column, old)


def keep_a_note(book):
    """Record a step of a parcel with a note."""
    number = "1"
    event = Event(shop=book.shop, fulfillment_id=number, status=Status.CODRECEIPT, note="paid")
    book.ledger.record(event)


@pytest.mark.parametrize("table", sorted({table for table, _ in COMPARED}))
def test_what_is_said_to_be_compared_is_compared(book, make_shop, table):
    """Each cell that the reference calls proven is bent in turn, and each time it is found."""
    make_shop(book.store)
    tell_everything(book)
    keep_a_note(book)
    book.sealer().seal()
    assert audited(book).ok, audited(book).problems
    rows = metadata.tables[f"carrierflow_{table}"]
    for column in (rows.columns[name] for of, name in COMPARED if of == table):
        with intruder.broken_in(book) as connection:
            row = connection.execute(select(rows)).first()
            old = getattr(row, column.name)
            new = bent(connection, column, old)
            same = {each: getattr(row, each.name) for each in rows.primary_key.columns}
            is_it = [each == value for each, value in same.items()]
            connection.execute(update(rows).where(*is_it).values({column.name: new}))
        found = audited(book)
        with intruder.broken_in(book) as connection:
            is_it = [each == (same | {column: new})[each] for each in same]
            connection.execute(update(rows).where(*is_it).values({column.name: old}))
        assert not found.ok, column.name
    assert audited(book).ok
