"""A checkpoint is stamped by somebody else's clock; OpenSSL is the authority and the judge."""

from __future__ import annotations

import base64
import shutil

import pytest
from mail_server import served
from timestamp_authority import AuthorityServer, make_authority, openssl

from carrierflow.audit.log.checkpoint import SignedNote
from carrierflow.audit.log.sql import all_given
from carrierflow.audit.log.timestamps import TimestampAnchor, TimestampAuthority
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.errors import AnchorUnavailable, ConfigurationError

from . import intruder


pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs OpenSSL")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An authority's directory."""
    return make_authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture
def desk(authority):
    """The authority behind HTTP on loopback."""
    with AuthorityServer(authority) as server, served(server):
        yield server


@pytest.fixture
def anchor(desk, authority):
    """The way to it."""
    url = f"http://127.0.0.1:{desk.server_port}/tsr"
    return TimestampAnchor(url, TimestampAuthority(authority / "root.pem"))


def seal(book, anchor, number):
    """Record a parcel, and have its checkpoint stamped."""
    book.record(1, first=number)
    return book.sealer(anchors=[anchor]).seal()


def stamps(book):
    """Return the last checkpoint that was stamped, and its stamp."""
    with book.store.reading() as connection:
        (*_, last) = all_given(connection)
    return SignedNote.parse(last.note), base64.b64decode(last.receipt)


def verified(book, anchor):
    """Verify a ledger that is stamped."""
    return DatabaseVerifier(book.store, book.sealer(anchors=[anchor])).verify()


def test_openssl_accepts_the_stamp_and_refuses_it_for_another_text(book, anchor, authority):
    """What is kept is what `openssl ts -verify` reads; it is of this checkpoint and no other."""
    assert seal(book, anchor, 1).ok
    note, raw = stamps(book)
    (authority / "stamp.tsr").write_bytes(raw)
    (authority / "checkpoint.txt").write_text(note.text)
    (authority / "forged.txt").write_text(note.text.replace("\ntime 2026", "\ntime 2025"))

    judge = ("ts", "-verify", "-in", "stamp.tsr", "-CAfile", "root.pem", "-data")
    openssl(*judge, "checkpoint.txt", folder=authority)
    openssl(*judge, "forged.txt", folder=authority, code=1)
    assert verified(book, anchor).ok


def test_a_stamp_of_another_checkpoint_is_found(book, anchor):
    """Stamps that changed places, or were made by somebody else, are named."""
    seal(book, anchor, 1)
    _, first = stamps(book)
    seal(book, anchor, 2)
    with intruder.broken_in(book) as connection:
        values = {"r": base64.b64encode(first).decode()}
        one = "UPDATE carrierflow_anchorings SET receipt = :r WHERE size = 19"
        intruder.run(connection, one, **values)

    done = verified(book, anchor)

    found = [("timestamp 19", "it is no time-stamp of this checkpoint: it was forged")]
    assert found == [(p.where, p.what) for p in done.problems]
    assert "anchor" == done.reason


def test_an_authority_that_is_not_the_right_one_stamps_nothing(book, desk, tmp_path, anchor):
    """An answer under another root, an old one again, and nonsense are all refused."""
    other = make_authority(tmp_path / "other")
    wrong = TimestampAnchor(anchor._url, TimestampAuthority(other / "root.pem"))
    seal(book, anchor, 1)
    _, old = stamps(book)

    for chosen, says in ((wrong, b""), (anchor, old), (anchor, b"nonsense")):
        desk.says = says
        done = seal(book, chosen, 2 + len(says))
        assert "no time-stamp of this checkpoint" in str(done.anchored[0].problem)


def test_an_old_answer_is_none_to_a_new_request(book, desk, anchor):
    """A stamp of this very checkpoint, made for an earlier request, says an earlier moment."""
    book.record(1)
    note = book.sealer().seal().checkpoint
    checkpoints = [(note.checkpoint.size, str(note))]
    (old,) = anchor.keep(checkpoints)
    desk.says = base64.b64decode(old)

    with pytest.raises(AnchorUnavailable, match="no time-stamp of this checkpoint"):
        anchor.keep(checkpoints)


def test_a_checkpoint_that_says_a_later_moment_than_its_stamp_is_found(book, anchor):
    """The carrier's clock ran ahead: the stamp is from before the moment that was signed."""
    book.clock.advance(days=365 * 30)
    seal(book, anchor, 1)

    assert "it was stamped before" in verified(book, anchor).problems[0].what


def test_roots_that_are_none_are_said(tmp_path):
    """A file that holds no certificates is a sentence."""
    (tmp_path / "none.pem").write_text("nothing")

    with pytest.raises(ConfigurationError, match="holds no certificates"):
        TimestampAuthority(tmp_path / "none.pem")
