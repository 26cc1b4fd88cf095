"""Checkpoints are signed notes that others read, and a changed one is refused."""

from __future__ import annotations

import stat

import pytest

from carrierflow.audit.note import Checkpoint, SignedNote, VerifierKey, split_notes
from carrierflow.errors import ConfigurationError, InvalidInput
from carrierflow.signing import SealKey, is_signature


GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
    "fqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The key and the note in the documentation of Go's package."""


@pytest.fixture
def key():
    """A new seal key."""
    return SealKey.generate("log.example")


@pytest.fixture
def note(key):
    """A checkpoint that the key signed."""
    return key.sign(Checkpoint(origin="log.example", size=7, root=bytes(range(32))).text)


def test_gos_own_note_is_ours(tmp_path):
    """The same key signs the same text to the same note as Go's package."""
    file = tmp_path / "key"
    file.write_text(GO_KEY + "\n")
    made = SealKey.load(file)
    text = GO_NOTE.partition("\n\n")[0] + "\n"

    assert GO_VERIFIER == str(made.verifier)
    assert GO_NOTE == str(made.sign(text))
    read = SignedNote.parse(GO_NOTE)
    assert GO_NOTE == str(read)
    assert read.is_signed_by([VerifierKey.parse(GO_VERIFIER)], is_signature)


def test_a_checkpoint_comes_back(note):
    """What was written is read again."""
    assert Checkpoint(origin="log.example", size=7, root=bytes(range(32))) == note.checkpoint
    assert "log.example\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" == note.text
    assert note == SignedNote.parse(str(note))


def test_a_changed_note_is_not_signed(key, note):
    """Neither another size nor another signer passes."""
    changed = SignedNote.parse(str(note).replace("\n7\n", "\n8\n"))

    assert note.is_signed_by([key.verifier], is_signature)
    assert not changed.is_signed_by([key.verifier], is_signature)
    assert not note.is_signed_by([SealKey.generate("log.example").verifier], is_signature)
    assert not note.is_signed_by([], is_signature)


def test_a_key_comes_back_from_its_file(key, tmp_path):
    """A saved key signs as before, and only its owner may read it."""
    file = tmp_path / "seal.key"
    key.save(file)

    assert key.verifier == SealKey.load(file).verifier
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert key.verifier == VerifierKey.parse(str(key.verifier))
    with pytest.raises(InvalidInput, match="cannot be written"):
        key.save(file)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_notes_cannot_bear_is_refused(name):
    """Blanks and plus signs would make a note ambiguous."""
    with pytest.raises(InvalidInput, match="cannot name a log"):
        SealKey.generate(name)


@pytest.mark.parametrize("text", ["", "nonsense", GO_VERIFIER, GO_KEY.replace("c7", "c8")])
def test_a_file_without_a_key_is_named(text, tmp_path):
    """A file that holds no private key, or a changed one, is refused."""
    file = tmp_path / "key"
    file.write_text(text)

    with pytest.raises(ConfigurationError, match="holds no seal key"):
        SealKey.load(file)


@pytest.mark.parametrize("text", ["", "a+b+c", GO_VERIFIER.replace("c7", "c8"), GO_VERIFIER[:-4]])
def test_a_verifier_key_that_is_none_is_refused(text):
    """A verifier key that lost or changed a letter is found by its own hash."""
    with pytest.raises(InvalidInput):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n7\nAA==\n",
        "a\n7\n\n\u2014 a AAAA\n",
        "a\n7\n\nno signature\n",
        "a\n07\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n",
    ],
)
def test_what_is_no_note_is_refused(text):
    """Text without an envelope, or with a broken signature line, is no note."""
    with pytest.raises(InvalidInput):
        SignedNote.parse(text)


@pytest.mark.parametrize("text", ["a\n7\n", "a\n07\nAAAA\n", "a\n7\nAAAA\n", "\n7\nAAAA\n"])
def test_what_is_no_checkpoint_is_refused(text):
    """A signed text that is not a checkpoint is not taken for one."""
    with pytest.raises(InvalidInput):
        Checkpoint.parse(text)


def test_notes_in_one_file_are_told_apart(note):
    """Notes that were appended, with or without empty lines between, come back one by one."""
    text = str(note)

    assert [text, text, text] == list(split_notes(f"{text}\n{text}{text}\n"))
    assert [] == list(split_notes(""))
