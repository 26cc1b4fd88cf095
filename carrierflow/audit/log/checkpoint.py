"""Checkpoints of the log as signed notes, in the forms that others read too.

The text of a checkpoint is C2SP's `tlog-checkpoint`; the envelope is the signed note of Go's
checksum database, with Ed25519; keys are written as that package writes them. Signing itself
needs a key, and is done elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Self

from carrierflow.domain.canonical import stamp
from carrierflow.domain.cleaning import cleaned
from carrierflow.errors import InvalidInput


__all__ = ["Checkpoint", "NoteKey", "SignatureCheck", "SignedNote", "VerifierKey", "split_notes"]

ED25519 = b"\x01"
KEY_BYTES = 32
HASH_BYTES = 4
ROOT_BYTES = 32
DASH = "\u2014 "
NAME = re.compile(r"[^\s+]+")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
BODY_LINES = 3
TIME = "time "
"""How the further line begins that says when a checkpoint was signed."""
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
MOST_SIGNATURES = 100
"""As in Go's package; a note of more is not one that anybody made in good faith."""

MARK = "\ufeff"
"""What some editors write at the beginning of a file."""
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteKey:
    """The public half of a key that signs notes, with the name that it signs under."""

    name: str
    key: bytes

    algorithm: ClassVar[bytes]
    """The byte that tells one kind of key from another."""
    no_key: ClassVar[str]
    changed: ClassVar[str]
    """What is said of what is none, and of one that was changed on its way."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as it is published: `name+hash+key`.

        Raises:
            InvalidInput: if it is none, or was changed on its way.
        """
        name, hashed, key = split_key(cleaned(text), cls.algorithm, no_key=cls.no_key)
        made = cls(name=name, key=key)
        if made.hash.hex() != hashed:
            raise InvalidInput(cls.changed)
        return made

    @property
    def hash(self) -> bytes:
        """The four bytes by which notes name this key."""
        named = self.name.encode() + b"\n" + self.algorithm + self.key
        return sha256(named).digest()[:HASH_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{_base64(self.algorithm + self.key)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifierKey(NoteKey):
    """The public half of a key that signs checkpoints, as `keys generate-seal` prints it."""

    algorithm = ED25519
    no_key = "This is no key for checkpoints; `keys generate-seal` makes one."
    changed = "The verifier key was changed on its way: its hash does not fit."


SignatureCheck = Callable[[NoteKey, bytes, bytes], bool]
"""Tells whether a key made a signature over a message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What a log was at one moment: how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes
    at: datetime | None = field(default=None, compare=False)
    """When it was signed, by the signer's clock; None if it does not say."""

    @property
    def text(self) -> str:
        """The text that is signed."""
        time = f"{TIME}{stamp(self.at)}\n" if self.at else ""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n{time}"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint; further lines than that of its time are left to others.

        Raises:
            InvalidInput: if it is none.
        """
        lines = text.split("\n")
        if len(lines) <= BODY_LINES or not lines[0] or not SIZE.fullmatch(lines[1]):
            raise InvalidInput("This is no checkpoint: its lines are not an origin and a size.")
        root = decoded(lines[2], of=ROOT_BYTES)
        return cls(origin=lines[0], size=int(lines[1]), root=root, at=_time_in(lines[3:]))


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedNote:
    """A text with the signatures under it."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """The signer's name, the hash of its key, the signature; of whatever kind it is."""

    @classmethod
    def parse(cls, note: str) -> SignedNote:
        """Read a note; whose signatures they are, and of which kind, does not matter here.

        Raises:
            InvalidInput: if it is none, or bears more than 100 signatures.
        """
        if CONTROL.search(note):
            raise InvalidInput("This is no signed note: a control character stands in it.")
        text, blank, below = note.rpartition("\n\n")
        if not blank or not below.endswith("\n"):
            raise InvalidInput("This is no signed note: signatures stand below an empty line.")
        lines = below[:-1].split("\n")
        if len(lines) > MOST_SIGNATURES:
            raise InvalidInput(f"This note bears more than {MOST_SIGNATURES} signatures.")
        return cls(text=f"{text}\n", signatures=tuple(_signature(line) for line in lines))

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint that the note is.

        Raises:
            InvalidInput: if it is of something else.
        """
        return Checkpoint.parse(self.text)

    def is_signed_by(self, keys: Iterable[VerifierKey], check: SignatureCheck) -> bool:
        """Tell whether some keys signed this text: one at least, and none of them another text.

        Signatures of other keys are left alone, whoever claims to have made them.
        """
        message, known = self.text.encode(), [(key.name, key.hash, key) for key in keys]
        looked_at = [
            any(check(key, message, signature) for key in named)
            for name, hashed, signature in self.signatures
            if (named := [key for *whose, key in known if whose == [name, hashed]])
        ]
        return bool(looked_at) and all(looked_at)

    def __str__(self) -> str:
        lines = (
            f"{DASH}{name} {_base64(hashed + signature)}\n"
            for name, hashed, signature in self.signatures
        )
        return f"{self.text}\n{''.join(lines)}"


def split_notes(text: str) -> Iterator[str]:
    """Return the notes that stand one after the other in a file.

    What editors and mail do to a file is undone: a byte-order mark before a note goes, and line
    ends become those that were signed. Neither can make one text of another: no note has a
    control character in it.
    """
    lines: list[str] = []
    signed = False
    for part in text.replace("\r\n", "\n").split("\n"):
        line = part if lines and not signed else part.removeprefix(MARK)
        is_signature = line.startswith(DASH) and (signed or lines[-1:] == [""])
        if signed and not is_signature:
            yield _joined(lines)
            lines, signed = [], False
        if line or lines:
            lines.append(line)
        signed = signed or is_signature
    if lines:
        yield _joined(lines)


def split_key(text: str, algorithm: bytes, *, no_key: str) -> tuple[str, str, bytes]:
    """Return the name, the hash and the bytes of a key in the notes' form.

    Raises:
        InvalidInput: if it is none of this algorithm.
    """
    name, _, rest = text.partition("+")
    hashed, _, coded = rest.partition("+")
    raw = decoded(coded, of=len(algorithm) + KEY_BYTES)
    if not NAME.fullmatch(name) or not raw.startswith(algorithm):
        raise InvalidInput(no_key)
    return name, hashed, raw[len(algorithm) :]


def decoded(text: str, *, of: int | None = None) -> bytes:
    """Return the bytes of a text in base 64, of which there must be so many if a number is given.

    Raises:
        InvalidInput: if it is none, or of another length.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or len(raw) != (of or len(raw)):
        raise InvalidInput(f"{text[:60]!r} is not {of or 'some'} bytes in base 64.")
    return raw


def _time_in(lines: Sequence[str]) -> datetime | None:
    said = [line.removeprefix(TIME) for line in lines if line.startswith(TIME)]
    if not said:
        return None
    if len(said) > 1 or not STAMP.fullmatch(said[0]):
        raise InvalidInput("This is no checkpoint: its time cannot be read.")
    try:
        return datetime.fromisoformat(said[0])
    except ValueError:
        raise InvalidInput("This is no checkpoint: its time cannot be read.") from None


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, coded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not NAME.fullmatch(name):
        raise InvalidInput("This is no signed note: below the empty line stand signatures alone.")
    raw = decoded(coded)
    if len(raw) <= HASH_BYTES:
        raise InvalidInput("This is no signed note: a signature in it is empty.")
    return name, raw[:HASH_BYTES], raw[HASH_BYTES:]


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
