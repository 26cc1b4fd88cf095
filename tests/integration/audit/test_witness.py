"""Witnesses cosign what continues what they saw, and nothing else counts as their signature."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mail_server import served
from witness_server import WitnessServer

from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.witness import HttpWitness, WitnessKey
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.errors import ConfigurationError

from . import intruder
from .conftest import ACTS
from .test_attacks import resigned


@pytest.fixture
def server():
    """A witness on loopback."""
    with WitnessServer() as made, served(made):
        yield made


@pytest.fixture
def witness(server):
    """The way to it, as a setting names it."""
    return HttpWitness.parse(f"http://127.0.0.1:{server.server_port} {server.key}")


def verified(book, witness):
    """Verify a ledger whose settings name a witness."""
    return DatabaseVerifier(book.store, book.sealer(witnesses=[witness])).verify()


def seal(book, witness, number):
    """Record a parcel, and seal with a witness."""
    book.record(1, first=number)
    return book.sealer(witnesses=[witness]).seal()


def test_a_witness_cosigns_every_checkpoint(book, server, witness):
    """It gets the proof from what it saw last, and its signature is kept."""
    for number in (1, 2, 3):
        assert seal(book, witness, number).ok

    assert ACTS + 1 + 21 == server.size
    assert verified(book, witness).ok


def test_a_witness_that_remembers_another_size_is_asked_from_there(book, server, witness):
    """What it saw by another way is continued, and what it lost comes again."""
    seal(book, witness, 1)
    book.record(1, first=2)
    book.sealer().seal()
    server.size, server.seen = 0, None

    assert seal(book, witness, 3).ok
    assert ACTS + 1 + 21 == server.size


def test_a_split_view_gets_no_cosignature(book, server, witness):
    """Who signed one history signs no other: the seal says so, and `verify` misses it."""
    seal(book, witness, 1)
    with intruder.broken_in(book) as connection:
        intruder.rehash(connection, parcel="1")
    resigned(book)
    book.record(1, first=2)

    done = book.sealer(witnesses=[witness]).seal()

    assert "HTTP status 422" in str(done.anchored[0].problem)
    found = {p.where: p.what for p in verified(book, witness).problems}
    assert f"it did not cosign the checkpoint of {ACTS + 15} entries" == found[witness.name]


def test_a_forged_cosignature_is_refused(book, server, witness):
    """Neither another key's signature nor one that was put into the database counts."""
    server.signs = Ed25519PrivateKey.generate()
    done = seal(book, witness, 1)
    assert "bears no cosignature of its key" in str(done.anchored[0].problem)
    server.signs, server.size, server.seen = server.private, 0, None
    seal(book, witness, 2)
    with intruder.broken_in(book) as connection:
        statement = "UPDATE carrierflow_anchorings SET receipt = replace(receipt, 'A', 'B')"
        intruder.run(connection, statement)

    done = verified(book, witness)

    assert (witness.name, "anchor") == (done.problems[0].where, done.reason)


def test_a_witness_that_is_down_is_told(book, witness, server):
    """The seal stands, and says what is missing."""
    key = str(server.key)
    gone = HttpWitness.parse(f"http://127.0.0.1:1 {key}")

    done = seal(book, gone, 1)

    assert (False, ACTS + 7) == (done.ok, done.checkpoint.checkpoint.size)
    assert not verified(book, gone).ok


def test_a_key_of_a_witness_is_checked(server):
    """A key that was changed, or is none of a witness, is refused in a sentence."""
    other = SealKey.generate("witness.example").verifier

    for text in (
        "https://w.example",
        f"https://w.example {other}",
        f"http://w.example {server.key}",
    ):
        with pytest.raises(ConfigurationError):
            HttpWitness.parse(text)
    assert server.key == WitnessKey.parse(str(server.key))
