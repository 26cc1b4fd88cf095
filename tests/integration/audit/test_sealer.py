"""Every committed entry gets one place in the log, whoever seals and however late it was."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select, text

from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.entry_kinds import KINDS
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.proof import Consistency, Proof
from carrierflow.audit.log.sql import SealLease
from carrierflow.audit.log.tree import Frontier, leaf_hash
from carrierflow.domain.canonical import canonical_entry
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Machine
from carrierflow.errors import (
    ConcurrentUpdate,
    ConfigurationError,
    HistoryBroken,
    InvalidInput,
    MissingSealKey,
    NotSealed,
    SealHeld,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore, queries
from carrierflow.storage.tables import fulfillments, log, log_nodes, shops

from . import intruder
from .conftest import ROAD


def counts(book):
    """Return how many entries there are, and how many have a place."""
    with book.store.reading() as connection:
        count = select(func.count())
        tables = (*dict.fromkeys(kind.table for kind in KINDS), log)
        *found, places = (connection.execute(count.select_from(t)).scalar() for t in tables)
        return sum(found), places


def tree_of(book):
    """Rebuild the tree from the steps themselves, by none of the code that sealed them."""
    frontier, texts = Frontier(), {}
    with book.store.reading() as connection:
        names = (shops.c.code, fulfillments.c.fulfillment_id)
        query = select(*names).join_from(fulfillments, shops, shops.c.id == fulfillments.c.shop)
        for shop, fulfillment_id in connection.execute(query).all():
            parcel = queries.find_parcel(connection, shop, fulfillment_id)
            for entry in queries.entries_of(connection, parcel):
                texts[parcel.id, entry.machine, entry.seq] = canonical_entry(parcel.ref, entry)
        rows = connection.execute(select(log).order_by(log.c.position)).all()
    assert list(range(len(rows))) == [row.position for row in rows]
    for row in rows:
        is_step = row.kind == "transition"
        text = texts[row.fulfillment, row.machine, row.seq] if is_step else ""
        frontier.add(leaf_hash(text.encode()) if is_step else bytes.fromhex(row.leaf))
    return frontier.size, frontier.root()


SPAN = timedelta(seconds=60)


def signed(note):
    """Return what a note says of a log."""
    seen = note.checkpoint
    return seen.size, seen.root


def tamper(book, table, change):
    """Change a row as somebody can who owns the database."""
    with book.store.begin() as connection:
        connection.execute(text(f"DROP TRIGGER carrierflow_{table}_no_update"))
        connection.execute(text(f"UPDATE carrierflow_{table} SET {change}"))


def test_what_was_recorded_gets_a_place(own_book):
    """Sealing twice, with more history between, covers everything once, and the roots agree."""
    sealer = own_book.sealer()
    own_book.record(50)
    first = sealer.seal()
    own_book.record(5, first=1000)
    second = sealer.seal()

    total, sealed = counts(own_book)
    assert total == sealed == first.sealed + second.sealed
    assert tree_of(own_book) == signed(second.checkpoint)
    assert "log.example" == second.checkpoint.checkpoint.origin
    with own_book.store.reading() as connection:
        kept = connection.execute(select(func.count()).select_from(log_nodes)).scalar()
    assert sealed // 256 == kept


def test_sealing_again_changes_nothing(book):
    """Without new history the checkpoint stays the same one."""
    sealer = book.sealer()
    book.record(3)
    first = sealer.seal()

    again = sealer.seal()

    assert 0 == again.sealed
    assert first.checkpoint == again.checkpoint == sealer.newest()


def test_more_history_of_an_old_parcel_is_sealed(book):
    """A parcel with a low number that moves on after higher ones were sealed is not missed."""
    sealer = book.sealer()
    book.record(6, road=ROAD[:1])
    sealer.seal()
    book.record(1, road=ROAD[1:2])
    sealer.seal()

    total, sealed = counts(book)
    assert total == sealed
    assert tree_of(book) == signed(sealer.newest())


def test_an_entry_that_was_committed_late_is_sealed_later(server_book, make_shop):
    """What another transaction wrote first and committed last gets a place all the same."""
    book, sealer = server_book, server_book.sealer()
    other = make_shop(book.store)
    with book.store.engine.connect() as connection, connection.begin():
        store = JoinedStore(connection, DEFAULT, clock=book.clock)
        slow = Ledger(store, Lifecycle(DEFAULT), clock=book.clock, encryptor=None)
        book.record(1, first=1, ledger=slow)
        book.record(2, shop=other)
        before = sealer.seal()
    after = sealer.seal()

    total, sealed = counts(book)
    assert total == sealed == before.sealed + after.sealed
    assert 0 < after.sealed < before.sealed
    assert tree_of(book) == signed(after.checkpoint)


@pytest.mark.parametrize("most", [1, 6, 7])
def test_the_history_is_sealed_in_pages(book, monkeypatch, most):
    """However small the transactions are, every entry gets one place and the tree is the same.

    A parcel that is longer than a page is sealed all the same.
    """
    monkeypatch.setattr("carrierflow.audit.log.sequencer.ROWS_AT_ONCE", most)
    book.record(90)

    done = book.sealer().seal()

    total, sealed = counts(book)
    assert total == sealed == done.sealed > 512
    assert tree_of(book) == signed(done.checkpoint)


def test_one_process_seals_at_a_time(own_book):
    """A second sealer is turned away; when the first died, its lease ends by itself."""
    sealer = own_book.sealer()
    own_book.record(1)
    lease = SealLease(own_book.store.database_clock)
    own_book.store.transact(lambda c: lease.claim(c, "another", SPAN))

    with pytest.raises(SealHeld):
        sealer.seal()
    sealer.seal_if_possible()
    assert 0 == counts(own_book)[1]

    own_book.clock.advance(seconds=61)
    assert sealer.seal().sealed == counts(own_book)[0]


def give_places(sealer):
    """Seal without a lease; who had to give way too often leaves the rest to the next seal."""
    with suppress(ConcurrentUpdate, SealHeld):
        sealer.sequencer.place("x", lambda _: None)


def test_two_sealers_without_a_lease_do_not_fork_the_log(own_book, monkeypatch):
    """The lease only spares work: where it fails, the database lets each place be given once."""
    monkeypatch.setattr(SealLease, "claim", lambda *_: None)
    monkeypatch.setattr("carrierflow.audit.log.sequencer.ROWS_AT_ONCE", 10)
    own_book.record(40)
    notaries = [own_book.sealer() for _ in range(2)]
    threads = [Thread(target=give_places, args=(each,)) for each in notaries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = notaries[0].seal()

    total, sealed = counts(own_book)
    assert total == sealed
    assert tree_of(own_book) == signed(done.checkpoint)


def test_without_a_key_places_are_given_and_nothing_is_signed(book):
    """A key adds signatures alone: the order stands without one, and a later key signs it."""
    sealer = book.sealer(key_file=False)
    book.record(1)

    done = sealer.seal()

    total, sealed = counts(book)
    assert (total, None, False) == (sealed, done.checkpoint, done.ok)
    book.record(1, first=9)
    sealer.seal_if_possible()
    assert counts(book)[0] == counts(book)[1] > total
    with pytest.raises(NotSealed):
        sealer.newest()
    with pytest.raises(MissingSealKey):
        sealer.key  # noqa: B018
    signed_later = signed(book.sealer().seal().checkpoint)
    assert tree_of(book) == signed_later


def test_an_entry_is_proven(own_book):
    """The proof of an entry holds, stands alone, and does not hold for another text."""
    sealer = own_book.sealer()
    own_book.record(45)
    sealer.seal()

    for fulfillment_id in ("1", "17", "45"):
        proof = sealer.prove(own_book.shop, fulfillment_id, Machine.DELIVERY, 2)
        assert proof.holds
        assert proof == Proof.parse(str(proof))
        forged = Proof(
            entry=proof.entry.replace("picking", "return"),
            index=proof.index,
            path=proof.path,
            checkpoint=proof.checkpoint,
        )
        assert not forged.holds


def test_what_is_not_sealed_is_not_proven(book):
    """An entry without a place, and one that there is not, each get their sentence."""
    sealer = book.sealer()
    book.record(1)
    with pytest.raises(NotSealed):
        sealer.prove(book.shop, "1", Machine.DELIVERY, 1)
    sealer.seal()
    book.record(1, first=50)

    with pytest.raises(NotSealed, match="delivery:1"):
        sealer.prove(book.shop, "50", Machine.DELIVERY, 1)
    with pytest.raises(InvalidInput, match="no entry"):
        sealer.prove(book.shop, "1", Machine.DELIVERY, 9)


@pytest.mark.parametrize("place", [8, 24])
def test_what_was_taken_out_of_the_log_is_no_crash_and_no_proof(attacked_book, place):
    """Where a row of the log is gone nothing is proven; only its last place can be given again."""
    sealer = attacked_book.sealer()
    attacked_book.record(3)
    sealer.seal()
    with intruder.broken_in(attacked_book) as connection:
        intruder.run(connection, "DELETE FROM log WHERE position = :place", place=place)

    with pytest.raises(HistoryBroken, match="missing"):
        sealer.prove(attacked_book.shop, "1", Machine.DELIVERY, 2)
    if place == 8:
        with pytest.raises(HistoryBroken, match="missing"):
            sealer.seal()
    else:
        assert sealer.seal().ok
        assert sealer.prove(attacked_book.shop, "1", Machine.DELIVERY, 2).holds


def test_an_entry_that_was_changed_is_not_proven(book):
    """No proof is handed out that does not hold."""
    sealer = book.sealer()
    book.record(3)
    sealer.seal()
    tamper(book, "history", "actor = 'x' WHERE fulfillment = 2 AND machine = 'cod' AND seq = 2")

    assert sealer.prove(book.shop, "1", Machine.COD, 2).holds
    with pytest.raises(HistoryBroken, match="not what was sealed"):
        sealer.prove(book.shop, "2", Machine.COD, 2)


@pytest.mark.parametrize("text", ["", "index 1\n\n", "old\n\n", "old x\n\nnote"])
def test_what_is_no_proof_is_refused(text):
    """Neither kind of proof is read from anything else."""
    with pytest.raises(InvalidInput):
        Proof.parse(text)
    with pytest.raises(InvalidInput):
        Consistency.parse(text)


def test_a_later_checkpoint_continues_an_earlier_one(book):
    """The proof between two checkpoints holds; for a log that is another one there is none."""
    sealer = book.sealer()
    book.record(37)
    old = sealer.seal().checkpoint.checkpoint
    book.record(90, first=100)
    sealer.seal()

    proof = sealer.prove_consistency(old)

    assert proof.holds(old)
    assert proof == Consistency.parse(str(proof))
    other = Checkpoint(origin=old.origin, size=old.size, root=bytes(32))
    assert not proof.holds(other)
    with pytest.raises(HistoryBroken, match="another history"):
        sealer.prove_consistency(other)
    with pytest.raises(HistoryBroken, match="rolled back"):
        sealer.prove_consistency(Checkpoint(origin=old.origin, size=10_000, root=bytes(32)))


def test_a_log_that_was_changed_is_not_signed(book):
    """Whoever changes what the last checkpoint covers gets no further signature."""
    sealer = book.sealer()
    book.record(3)
    sealer.seal()
    tamper(book, "log", f"leaf = '{'00' * 32}' WHERE position = 3")
    book.record(1, first=50)

    with pytest.raises(HistoryBroken, match="nothing is signed"):
        sealer.seal()


def test_a_key_of_another_log_signs_nothing(book, tmp_path):
    """The name of a log stays; a key that bears another one is refused."""
    book.record(1)
    book.sealer().seal()
    other = tmp_path / "other.key"
    SealKey.generate("another.example").save(other)
    book.record(1, first=9)

    with pytest.raises(ConfigurationError, match="make a key of the same name"):
        book.sealer(key_file=other).seal()


def test_an_entry_that_was_changed_is_named_and_sealed_as_it_is(book):
    """One bad row is reported and does not keep the rest from being sealed."""
    book.record(3)
    tamper(book, "history", "actor = 'x' WHERE fulfillment = 2 AND machine = 'cod' AND seq = 2")

    done = book.sealer().seal()

    assert (f"{book.shop}/2 cod:2",) == done.broken
    assert not done.ok
    total, sealed = counts(book)
    assert total == sealed
