"""What an anchor was given it must still have: missing, cut off, exchanged or unset is found."""

from __future__ import annotations

import pytest

from carrierflow.audit.log.anchors import FileAnchor
from carrierflow.audit.log.checkpoint import split_notes
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.cli.session import ANCHOR_BROKEN
from carrierflow.errors import HistoryBroken

from . import intruder
from .desk import verified_ledger


class Kept:
    """A ledger that was sealed three times, and the file that has the checkpoints."""

    def __init__(self, book, file):
        self.book, self.file = book, file
        self.named = True
        for number in (1, 10, 20):
            self.seal(number)

    def sealer(self):
        """Return a sealer as the settings name it now."""
        return self.book.sealer(anchors=[FileAnchor(self.file)] if self.named else [])

    def seal(self, number):
        """Record a parcel and seal."""
        self.book.record(1, first=number)
        return self.sealer().seal()

    def verified(self, **settings):
        """Verify the ledger with its anchor, by the command."""
        anchor = {"anchor_file": self.file} if self.named else {}
        return verified_ledger(self.book, **anchor | settings)

    @property
    def notes(self):
        """What the file has."""
        return list(split_notes(self.file.read_text("utf-8")))

    def keep(self, notes):
        """Put some notes in the place of those in the file."""
        self.file.write_text("".join(f"{note}\n" for note in notes), encoding="utf-8")


@pytest.fixture
def kept(attacked_book, tmp_path):
    """Three checkpoints that lie elsewhere."""
    return Kept(attacked_book, tmp_path / "elsewhere.txt")


def remove(kept):
    """Let the file vanish."""
    kept.file.unlink()


def empty(kept):
    """Leave the file there, with nothing in it."""
    kept.file.write_text("")


def cut_off(kept):
    """Take the newest checkpoint out of it."""
    kept.keep(kept.notes[:-1])


def thin_out(kept):
    """Take one out of the middle."""
    kept.keep([kept.notes[0], kept.notes[2]])


def exchange(kept):
    """Put the file of another log in its place."""
    kept.keep([str(SealKey.generate("log.example").sign(f"log.example\n7\n{'A' * 43}=\n"))])


def garble(kept):
    """Put something else there."""
    kept.file.write_bytes(b"\xff\xfe nothing\n\n")


def unset(kept):
    """Take the setting away."""
    kept.named = False


def forget(kept):
    """Take away what the database has written of the anchor, and the setting."""
    kept.named = False
    with intruder.broken_in(kept.book) as connection:
        intruder.run(connection, "DELETE FROM carrierflow_anchorings")


def take_out_a_checkpoint(kept):
    """Take one out of the database, with what was written of it."""
    with intruder.broken_in(kept.book) as connection:
        intruder.run(connection, "DELETE FROM carrierflow_anchorings WHERE size = 19")
        intruder.run(connection, "DELETE FROM carrierflow_checkpoints WHERE size = 19")


LOST = "it was cut off or exchanged"
ATTACKS = {
    remove: ("anchor file", "it is gone, with the 3 checkpoints that it was given"),
    empty: ("anchor file", "3 checkpoints that it was given are gone"),
    cut_off: ("anchor file", LOST),
    thin_out: ("anchor file", LOST),
    exchange: ("anchored checkpoint 7", "it was forged"),
    garble: ("anchor file", "it cannot be read"),
    unset: ("anchor file", "no setting names it any more"),
    forget: ("anchor file", "which is written down no longer"),
    take_out_a_checkpoint: ("anchored checkpoint 19", "the database has no such checkpoint"),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_on_what_lies_elsewhere_is_found_and_named(kept, attack):
    """Nothing that an anchor was given vanishes in silence: it has a word and a code of its own."""
    assert 0 == kept.verified().code
    attack(kept)

    told = kept.verified()

    assert told.names(*ATTACKS[attack]), told.found
    assert (ANCHOR_BROKEN, "anchor") == (told.code, told.document["reason"])


@pytest.mark.parametrize("attack", [remove, empty, cut_off])
def test_a_seal_does_not_cover_up_what_an_anchor_lost(kept, attack):
    """Nothing is appended to a file that lost its end; the seal says so, and stands."""
    attack(kept)

    done = kept.seal(30)

    assert not done.ok
    assert "no longer ends with the checkpoint of 26 entries" in str(done.anchored[0].problem)
    assert 33 == done.checkpoint.checkpoint.size
    assert ANCHOR_BROKEN == kept.verified().code


def test_nothing_is_signed_against_what_an_anchor_keeps(kept):
    """Where its newest checkpoint is of another history, the log is not continued."""
    exchange(kept)

    with pytest.raises(HistoryBroken, match="a checkpoint of 7 entries that is none of this log"):
        kept.seal(30)


def test_an_anchor_that_is_retired_is_told_and_no_more(kept):
    """Whoever names it as retired is reminded, and that is all."""
    unset(kept)

    told = kept.verified(retired_anchors="file")

    assert 0 == told.code
    assert "The file anchor is retired" in told.document["remarks"][0]


def test_an_anchor_that_was_restored_is_whole_again(kept):
    """With the bytes that it had, everything agrees, and it gets what it missed meanwhile."""
    before = kept.file.read_bytes()
    cut_off(kept)
    kept.seal(30)
    kept.file.write_bytes(before)

    assert kept.seal(40).ok
    assert [11, 19, 26, 33, 40] == [int(note.splitlines()[1]) for note in kept.notes]
    assert 0 == kept.verified().code


def test_a_checkpoint_says_when_it_was_signed(book):
    """The moment stands in what is signed, and entries after it were not written then."""
    book.record(1)
    note = book.sealer().seal().checkpoint

    assert book.clock() == note.checkpoint.at
    assert note.text.splitlines()[3].startswith("time 2026-")


def test_checkpoints_whose_times_run_backwards_are_found(book):
    """A checkpoint that says an earlier moment than one of fewer entries is named."""
    book.record(1)
    book.sealer().seal()
    book.record(1, first=2)
    book.clock.advance(days=-2)
    book.sealer().seal()

    found = {p.where: p.what for p in DatabaseVerifier(book.store, book.sealer()).verify().problems}

    assert "before one of fewer entries" in found["checkpoint 18"]
