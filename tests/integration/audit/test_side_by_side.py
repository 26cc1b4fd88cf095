"""Several processes find what one finds, in the same order, whatever was changed and where."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine
from terminals import runner

from carrierflow.audit.verify import side_by_side
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.audit.verify.places import Places
from carrierflow.audit.verify.side_by_side import SharedReplay
from carrierflow.cli import cli
from carrierflow.errors import InvalidInput

from . import intruder
from .desk import verified_ledger
from .test_attacks import ATTACKS


TWO = ("--processes", "2")


HISTORY, HEADS = "carrierflow_history", "carrierflow_fulfillments"
LAST = f"(SELECT max(id) FROM (SELECT id FROM {HEADS}) AS heads)"
FIRST = f"(SELECT min(id) FROM (SELECT id FROM {HEADS}) AS heads)"
AT_THE_BORDERS = {
    "the first head": f"DELETE FROM {HEADS} WHERE id = {FIRST}",
    "the last head": f"DELETE FROM {HEADS} WHERE id = {LAST}",
    "all heads": f"DELETE FROM {HEADS}",
    "the history of the first": f"DELETE FROM {HISTORY} WHERE fulfillment = {FIRST}",
    "the history of the last": f"DELETE FROM {HISTORY} WHERE fulfillment = {LAST}",
    "all of the history": f"DELETE FROM {HISTORY}",
    "each entry": f"UPDATE {HISTORY} SET actor = 'x'",
    "the last entries": f"UPDATE {HISTORY} SET reason = 'x' WHERE fulfillment >= {LAST} - 1",
    "the log": "DELETE FROM carrierflow_log WHERE position = 7",
}


@pytest.fixture
def sealed(attacked_book):
    """A ledger of some parcels, sealed but for the last."""
    attacked_book.record(3)
    attacked_book.record(20, first=10)
    attacked_book.sealer().seal()
    attacked_book.record(1, first=50)
    return attacked_book


@pytest.fixture
def in_threads(monkeypatch):
    """SharedReplay are done by threads: they find the same, and begin at once."""

    def pool(workers, **_):
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", pool)


def told(book, *arguments):
    """Return the exit code and all that was said, but for how fast."""
    answer = verified_ledger(book, *arguments)
    assert answer.document.pop("rows_per_second")
    return answer


def test_processes_say_what_one_says(sealed):
    """Every entry is counted once, whoever read it; and what was changed is found by all."""
    alone = told(sealed)

    assert 0 == alone.code
    assert alone == told(sealed, *TWO)

    with intruder.broken_in(sealed) as connection:
        intruder.edit(connection)
    alone = told(sealed)

    assert 1 == alone.code
    assert alone == told(sealed, *TWO)


def test_it_does_not_matter_how_many_there_are(sealed, in_threads):
    """More processes than parcels leave some without work, and nothing out."""
    assert told(sealed) == told(sealed, *TWO) == told(sealed, "--processes", "64")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_each_attack_is_found_alike(sealed, in_threads, attack):
    """Two processes say word for word what one says, and name the same first bad row."""
    with intruder.broken_in(sealed) as connection:
        attack(connection)

    alone = told(sealed)

    assert alone.document["first_bad"]
    assert alone == told(sealed, *TWO)


@pytest.mark.parametrize("statement", AT_THE_BORDERS.values(), ids=AT_THE_BORDERS)
def test_what_lies_at_the_border_of_a_part_is_found_alike(sealed, in_threads, statement):
    """No range leaves out an end, a gap, or what has no head; and a hundred findings are enough."""
    with intruder.broken_in(sealed) as connection:
        intruder.run(connection, statement)

    alone = told(sealed)

    assert alone.document["first_bad"]
    assert alone == told(sealed, *TWO)


def test_what_cannot_be_read_is_named_alike(make_book, sqlite_database, in_threads):
    """A cell that holds what we never wrote is named once, and nothing is called in order."""
    book = make_book(sqlite_database)
    book.record(12)
    book.sealer().seal()
    with intruder.broken_in(book) as connection:
        intruder.run(
            connection, f"UPDATE {HISTORY} SET seq = 'x' WHERE fulfillment = {FIRST} AND seq = 2"
        )

    alone = told(book)

    assert 1 == alone.code
    assert alone == told(book, *TWO)


def test_a_database_in_memory_is_not_split():
    """Another process would see an empty one, so it is refused with a sentence."""
    engine = create_engine("sqlite://")

    with Places(1) as places, pytest.raises(InvalidInput, match="seen by this process alone"):
        SharedReplay(engine, places, processes=2, timeouts=None)


def test_an_engine_of_a_host_is_not_split(tmp_path):
    """Another process might read another database under the same URL, so it is refused."""
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")

    with Places(1) as places, pytest.raises(InvalidInput, match="engine of your own"):
        SharedReplay(engine, places, processes=2, timeouts=None)


def test_no_process_at_all_is_refused(sealed):
    """What nobody looks at is not verified."""
    with pytest.raises(InvalidInput, match="at least one process"):
        DatabaseVerifier(sealed.store, sealed.sealer()).verify(processes=0)


def test_an_export_is_read_by_one(tmp_path):
    """An export is not split, and says so instead of being slow in silence."""
    outcome = runner().invoke(cli, ["audit", "verify", "--export", str(tmp_path), *TWO])

    assert 2 == outcome.exit_code
    assert "one process" in outcome.stderr
