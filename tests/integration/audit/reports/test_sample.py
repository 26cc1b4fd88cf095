"""A sample that nobody chose: it follows from a seed and a checkpoint, and each entry is proven."""

from __future__ import annotations

import hashlib
import json
import subprocess
from itertools import islice

import pytest
from sqlalchemy import select

from carrierflow.app.settings import Settings
from carrierflow.audit.log.proof import Proof
from carrierflow.audit.reports.reports import Reports
from carrierflow.audit.sampling.draws import drawn
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.errors import HistoryBroken, NotSealed
from carrierflow.storage.tables import log


ROOT = "ab" * 32


def reports_of(book):
    return Reports(
        book.store.snapshot, DEFAULT, verify_within=Settings().verify_within, clock=book.clock
    )


def test_a_sample_is_proven_and_can_be_drawn_again(own_book):
    """Each entry stands where it was drawn, as its proof says; the same seed draws the same."""
    own_book.record(30)
    own_book.sealer().seal()
    sample = reports_of(own_book).sample("lottery-0412", 20)

    assert sample == reports_of(own_book).sample("lottery-0412", 20)
    assert 20 == len({each.position for each in sample.entries})
    for each in sample.entries:
        proof = Proof.parse(str(each.proof))
        assert proof.holds
        assert each.position == proof.index
        assert each.entry.hash == hashlib.sha256(proof.entry.encode()).hexdigest()
        assert each.ref.fulfillment_id == json.loads(proof.entry)["fulfillment_id"]


def test_a_sample_does_not_change_when_the_history_grows(book):
    """Entries that are not sealed yet are not drawn from, and an old checkpoint's draw stays."""
    book.record(10)
    sealed = book.sealer().seal().checkpoint.checkpoint
    before = reports_of(book).sample("s", 5)
    book.record(10, first=11)

    assert before == reports_of(book).sample("s", 5)
    book.sealer().seal()
    with book.store.reading() as connection:
        steps = set(
            connection.execute(select(log.c.position).where(log.c.kind == "transition")).scalars()
        )
    found = [place for place in drawn("s", sealed.root.hex(), sealed.size) if place in steps]
    assert [each.position for each in before.entries] == found[:5]
    assert before != reports_of(book).sample("s", 5)


def test_places_are_those_that_a_shell_finds():
    """The draw is the one that the documentation says: coreutils and arithmetic find it too."""
    found = []
    for number in range(1, 9):
        line = f"lottery-0412 {ROOT} {number}"
        done = subprocess.run(
            ["sha256sum"],  # noqa: S607 - coreutils, wherever they are
            input=line,
            capture_output=True,
            text=True,
            check=True,
        )
        place = int(done.stdout.split()[0], 16) % 1000
        found += [place] if place not in found else []

    assert found == list(islice(drawn("lottery-0412", ROOT, 1000), len(found)))


def test_every_place_can_be_drawn():
    """A sample as large as the log is the whole log, in some other order."""
    places = list(drawn("s", ROOT, 100))

    assert list(range(100)) == sorted(places)
    assert places != sorted(places)
    assert [] == list(drawn("s", ROOT, 0))


def test_without_a_checkpoint_nothing_is_drawn(book):
    """What is not sealed cannot be proven, so it is not drawn either."""
    book.record(1)
    with pytest.raises(NotSealed):
        reports_of(book).sample("s", 1)


def test_an_entry_that_is_gone_is_named(book):
    """A place that was drawn and is empty is no reason to draw another one."""
    book.record(3)
    book.sealer().seal()
    with book.store.begin() as connection:
        for verb in ("delete", "update"):
            connection.exec_driver_sql(f"DROP TRIGGER carrierflow_log_no_{verb}")
        connection.execute(log.delete().where(log.c.position == 1))
    with pytest.raises(HistoryBroken, match="place 1 of the log is gone"):
        reports_of(book).sample("s", 100)
