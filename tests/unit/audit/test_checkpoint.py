"""Checkpoints are signed notes that others read, and a changed one is refused."""

from __future__ import annotations

import base64
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote, VerifierKey, split_notes
from carrierflow.audit.log.keys import SealKey, is_signature
from carrierflow.audit.verify.database import read_kept
from carrierflow.errors import ConfigurationError, InvalidInput


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


def signature(name, raw):
    """Return a signature line of some bytes."""
    return f"\u2014 {name} {base64.b64encode(raw).decode()}"


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


def test_signatures_of_others_are_left_alone(key, note):
    """A note that witnesses signed too, with keys and kinds nobody here knows, is still ours."""
    ours = str(note).splitlines()[-1]
    witness = SealKey.generate("witness.example").sign(note.text)
    lookalike = SealKey.generate("log.example").sign(note.text)
    others = [
        str(witness).splitlines()[-1],
        str(lookalike).splitlines()[-1],
        signature("witness.example/cosigned", bytes(4) + bytes(72)),
        signature("log.example", key.verifier.hash[::-1] + bytes(64)),
        signature("post-quantum.example", bytes(5_000)),
    ]

    for place in range(len(others) + 1):
        lines = [*others[:place], ours, *others[place:]]
        read = SignedNote.parse(f"{note.text}\n" + "".join(f"{line}\n" for line in lines))
        assert read.is_signed_by([key.verifier], is_signature)
        assert note.text == read.text
    alone = SignedNote.parse(f"{note.text}\n" + "".join(f"{line}\n" for line in others))
    assert not alone.is_signed_by([key.verifier], is_signature)


def test_a_known_key_that_signed_something_else_rejects_the_note(key, note):
    """Where one signature of a known key fails, no other one saves the note."""
    other = SealKey.generate("other.example")
    broken = signature("log.example", key.verifier.hash + bytes(64))
    short = signature("log.example", key.verifier.hash + bytes(3))

    for bad in (broken, short):
        read = SignedNote.parse(
            f"{note}{bad}\n" + str(other.sign(note.text)).splitlines()[-1] + "\n"
        )
        assert not read.is_signed_by([key.verifier, other.verifier], is_signature)
        assert read.is_signed_by([other.verifier], is_signature)


@pytest.mark.parametrize(("count", "good"), [(16, True), (100, True), (101, False)])
def test_a_note_bears_only_so_many_signatures(note, count, good):
    """Sixteen must be taken and a hundred are; more are refused before any is looked at."""
    text = f"{note.text}\n" + str(note).splitlines()[-1] + "\n"
    text += (signature("w.example", bytes(68)) + "\n") * (count - 1)

    if good:
        assert count == len(SignedNote.parse(text).signatures)
        return
    with pytest.raises(InvalidInput, match="more than 100"):
        SignedNote.parse(text)


@pytest.mark.parametrize(
    "line",
    ["\u2014 a", "\u2014 a ", "\u2014  AAAAAAA=", "\u2014 a+b AAAAAAA=", "\u2014 a AAAA====",
     "\u2014 a AAAAAA==", "- a AAAAAAA=", "\u2014 a AAAAAAA= x", "\u2014 a\u2003b AAAAAAA=", ""],
)  # fmt: skip
def test_a_line_that_is_no_signature_makes_no_note(note, line):
    """Unknown is not malformed: below the empty line stand signatures alone."""
    with pytest.raises(InvalidInput):
        SignedNote.parse(f"{note}{line}\n")


@given(at=st.integers(0, 200), letter=st.sampled_from("\x00\t\r\x0b\x1b\x1f"))
def test_a_control_character_makes_no_note(at, letter):
    """So line ends can be put right without a doubt what was signed."""
    with pytest.raises(InvalidInput):
        SignedNote.parse(GO_NOTE[:at] + letter + GO_NOTE[at:])


@pytest.mark.parametrize("before", ["", "\ufeff", "\ufeff\r\n", "\n\n"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_an_editor_does_to_a_file_is_no_forgery(note, tmp_path, before, between, end):
    """A byte-order mark or Windows' line ends leave each note what it was, to the byte."""
    file = tmp_path / "kept.txt"
    text = f"{before}{note}{between}{note}"
    file.write_bytes(text.replace("\r\n", "\n").replace("\n", end).encode())

    assert [note, note] == [each.note for each in read_kept(file, where="kept")]
    assert [str(note), str(note)] == list(split_notes(file.read_bytes().decode()))


@given(text=st.text())
def test_no_other_text_passes_for_the_one_that_was_signed(text):
    """Whatever is done to a note, it either is the text that was signed or is not signed."""
    key = VerifierKey.parse(GO_VERIFIER)
    signed = GO_NOTE.partition("\n\n")[0]
    below = GO_NOTE.partition("\n\n")[2]
    for note in split_notes(f"{text}{signed}\n\n{below}"):
        try:
            read = SignedNote.parse(note)
        except InvalidInput:
            continue
        assert read.is_signed_by([key], is_signature) == (read.text == f"{signed}\n")


@pytest.mark.parametrize("content", ["", "\n \n"[:1], "\ufeff", "\r\n\r\n"])
def test_a_file_without_a_checkpoint_is_no_success(content, tmp_path):
    """What is compared with nothing is not verified."""
    file = tmp_path / "kept.txt"
    file.write_bytes(content.encode())

    with pytest.raises(InvalidInput, match="holds no checkpoint"):
        read_kept(file, where="kept")


def test_notes_in_one_file_are_told_apart(note):
    """Notes that were appended, with or without empty lines between, come back one by one."""
    text = str(note)

    assert [text, text, text] == list(split_notes(f"{text}\n{text}{text}\n"))
    assert [] == list(split_notes(""))
