"""Whoever owns the database can change it; each way of doing so is found, and named."""

from __future__ import annotations

import shutil

import pytest
from databases import copy_of
from sqlalchemy.engine import make_url

from carrierflow.audit.log.anchors import FileAnchor
from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.sql import Log, add_checkpoint
from carrierflow.audit.verify.database import DatabaseVerifier, read_kept
from carrierflow.domain.lifecycle import GROUPS, define
from carrierflow.errors import ConfigurationError, HistoryBroken
from carrierflow.storage.definitions import Definitions

from . import intruder
from .conftest import ACTS
from .desk import verified_ledger


ATTACKS = {
    intruder.edit: ("/2 delivery:3", "its content does not hash to its hash"),
    intruder.delete: ("/2 delivery:4", "an entry is missing before it"),
    intruder.insert_in_the_past: ("/2 delivery:2", "its content does not hash to its hash"),
    intruder.reorder: ("/2 delivery:2", "its content does not hash to its hash"),
    intruder.truncate_the_tail: ("delivery:4", "and is gone"),
    intruder.forget_a_parcel: ("log", "an entry was taken out of the log"),
    intruder.swap_two_parcels: ("/2 ", "its content does not hash to its hash"),
    intruder.replace_a_definition: ("definition", "its text does not hash to its id"),
    intruder.redefine: ("definition", "its stored steps are not those of its text"),
    intruder.rehash: ("checkpoint", "are not those it covers"),
}
"""Each attack, where it shows, and what is said of it."""


FORGED = "its signature is not by the verifier key: it was forged"


def audited(book, *, keys=(), kept=(), anchor=None):
    """Verify a ledger as `audit verify` does."""
    anchors = [FileAnchor(anchor)] if anchor else []
    return DatabaseVerifier(
        book.store, book.sealer(anchors=anchors), retired_anchors=() if anchor else ["file"]
    ).verify(keys=keys, kept=kept)


@pytest.fixture
def sealed(attacked_book):
    """A ledger of some parcels, sealed in two goes."""
    attacked_book.record(3)
    attacked_book.sealer().seal()
    attacked_book.record(3, first=10)
    attacked_book.sealer().seal()
    return attacked_book


def test_what_nobody_touched_is_as_it_was_written(sealed):
    """Everything is counted, and nothing is found."""
    done = audited(sealed)

    assert done.ok, done.problems
    assert (6, 36, ACTS + 42, 2) == (done.fulfillments, done.rows, done.sealed, done.checkpoints)
    assert () == done.remarks


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_is_found_and_named(sealed, attack):
    """What was changed is found by the command, and it says where and what."""
    with intruder.broken_in(sealed) as connection:
        attack(connection)

    told = verified_ledger(sealed)

    assert 1 == told.code
    assert told.names(*ATTACKS[attack]), told.found


def resigned(book):
    """Let whoever has the key as well sign what the log is now, in the place of what it was."""
    key = SealKey.load(book.key_file)
    with intruder.broken_in(book) as connection:
        tree = Log(connection)
        intruder.run(connection, "DELETE FROM carrierflow_anchorings")
        intruder.run(connection, "DELETE FROM carrierflow_checkpoints")
        for size in {tree.size // 2, tree.size}:
            text = Checkpoint(origin="log.example", size=size, root=tree.root(size)).text
            add_checkpoint(connection, key.sign(text), now=book.clock())


def test_a_history_that_was_hashed_anew_contradicts_the_anchor(attacked_book, tmp_path):
    """With database and key in one hand all inside fits; the checkpoint elsewhere does not."""
    anchor = tmp_path / "elsewhere.txt"
    attacked_book.record(3)
    attacked_book.sealer(anchors=[FileAnchor(anchor)]).seal()
    with intruder.broken_in(attacked_book) as connection:
        intruder.rehash(connection)
    resigned(attacked_book)

    assert audited(attacked_book).ok
    done = audited(attacked_book, anchor=anchor)
    found = {problem.where: problem.what for problem in done.problems}
    assert {f"anchored checkpoint {ACTS + 21}", "anchor file"} == set(found)
    assert "another history was put in their place" in found[f"anchored checkpoint {ACTS + 21}"]
    assert "which is written down no longer" in found["anchor file"]
    assert not audited(attacked_book, kept=read_kept(anchor, where="mail")).ok


def test_a_database_of_last_week_contradicts_the_anchor(make_book, sqlite_database, tmp_path):
    """A backup that was put back verifies by itself; the checkpoint elsewhere covers more."""
    anchor = tmp_path / "elsewhere.txt"
    book = make_book(sqlite_database)
    sealer = book.sealer(anchors=[FileAnchor(anchor)])
    book.record(3)
    sealer.seal()
    book.store.engine.dispose()
    backup = copy_of(sqlite_database, tmp_path)
    book.clock.advance(days=7)
    book.record(2, first=50)
    sealer.seal()
    book.store.engine.dispose()
    shutil.copyfile(make_url(backup.url).database, make_url(sqlite_database.url).database)

    assert audited(book).ok
    done = audited(book, anchor=anchor)
    assert [f"anchored checkpoint {ACTS + 36}"] == [problem.where for problem in done.problems]
    sizes = f"it covers {ACTS + 36} entries, the log only {ACTS + 21}"
    assert f"{sizes}: it was rolled back" in done.problems[0].what


def test_a_checkpoint_by_another_key_is_forged(book, tmp_path):
    """A checkpoint counts only under a key that the auditor has from elsewhere."""
    book.record(1)
    book.sealer().seal()
    other = SealKey.generate("log.example").verifier

    named = book.sealer(verifier_keys=[str(other)])
    for done in (audited(book, keys=[other]), DatabaseVerifier(book.store, named).verify()):
        assert [(f"checkpoint {ACTS + 7}", FORGED)] == [(p.where, p.what) for p in done.problems]


def test_without_a_key_it_is_said_that_no_signature_was_checked(book):
    """Nothing passes for proven that was not looked at."""
    book.record(1)
    book.sealer().seal()

    done = DatabaseVerifier(book.store, book.sealer(key_file=False)).verify()

    assert done.ok
    assert "No signature was checked" in done.remarks[0]


def rewritten(book, forger):
    """Change history, hash it anew, and let another key's owner sign all of it as his."""
    with intruder.broken_in(book) as connection:
        intruder.rehash(connection)
    book.key_file = forger
    resigned(book)


def test_a_log_that_another_key_signed_is_refused_by_whoever_knows_the_right_one(
    attacked_book, tmp_path
):
    """A forger's seal key makes nothing good that the right key never signed."""
    book = attacked_book
    book.record(3)
    book.sealer().seal()
    right = SealKey.load(book.key_file).verifier
    forger = tmp_path / "forger.key"
    SealKey.generate("log.example").save(forger)
    rewritten(book, forger)

    assert 0 == verified_ledger(book).code
    for told in (
        verified_ledger(book, "--verifier-key", right),
        verified_ledger(book, verifier_keys=right),
    ):
        assert (1, {FORGED}) == (told.code, {what for _, what in told.found})
    with pytest.raises(ConfigurationError, match="none of those in verifier_keys"):
        book.sealer(verifier_keys=[str(right)]).seal()


def test_nothing_is_signed_on_top_of_what_another_key_signed(book, tmp_path):
    """The right key does not continue a log that somebody else signed meanwhile."""
    book.record(3)
    book.sealer().seal()
    own, forger = book.key_file, tmp_path / "forger.key"
    SealKey.generate("log.example").save(forger)
    rewritten(book, forger)
    book.record(1, first=9)
    book.key_file = own

    with pytest.raises(HistoryBroken, match="not signed by a key that is known here"):
        book.sealer().seal()


def test_a_change_of_keys_is_named_once_and_then_holds(book, tmp_path):
    """Both keys stand in the settings: old checkpoints verify under one, new under the other."""
    book.record(1)
    book.sealer().seal()
    old = SealKey.load(book.key_file).verifier
    book.key_file = tmp_path / "new.key"
    SealKey.generate("log.example").save(book.key_file)
    new = SealKey.load(book.key_file).verifier
    book.record(1, first=7)
    with pytest.raises(HistoryBroken, match="name the old and the new one"):
        book.sealer().seal()
    sealer = book.sealer(verifier_keys=[str(old), str(new)])

    assert sealer.seal().ok
    assert DatabaseVerifier(book.store, sealer).verify().ok
    assert audited(book, keys=[old, new]).ok
    assert [f"checkpoint {ACTS + 7}"] == [problem.where for problem in audited(book).problems]
    assert [f"checkpoint {ACTS + 15}"] == [p.where for p in audited(book, keys=[old]).problems]


def test_a_lifecycle_that_no_setting_names_is_found(attacked_book):
    """Steps that a wider lifecycle made legal are not legal because it is there."""
    book = attacked_book
    book.record(1)
    wider = define(sorted(GROUPS))
    with book.store.begin() as connection:
        Definitions([wider], clock=book.clock).ensure(connection)
    book.sealer().seal()

    told = verified_ledger(book)

    assert (1, [f"definition {wider.id[:12]}"]) == (told.code, [where for where, _ in told.found])
    assert 0 == verified_ledger(book, earlier_lifecycles=wider.id).code
