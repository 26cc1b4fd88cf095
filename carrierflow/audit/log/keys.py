"""Ed25519: the key that signs checkpoints, which lives in a file outside of the database."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carrierflow.audit.log.checkpoint import (
    ED25519,
    NAME,
    NoteKey,
    SignedNote,
    VerifierKey,
    split_key,
)
from carrierflow.domain.cleaning import cleaned
from carrierflow.errors import ConfigurationError, InvalidInput


__all__ = ["SealKey", "is_signature"]

PRIVATE = "PRIVATE+KEY+"
SEED_BYTES = 32


class SealKey:
    """The private half; its text is that of Go's `sumdb/note`, one line."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.verifier = VerifierKey(name=name, key=public)

    @classmethod
    def generate(cls, name: str) -> SealKey:
        """Make a new key for a log of some name.

        Raises:
            InvalidInput: if the name has blanks or a plus, or nothing at all.
        """
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r} cannot name a log; write it like history.mycarrier.example, "
                "without blanks or plus signs."
            )
        return cls(name, secrets.token_bytes(SEED_BYTES))

    @classmethod
    def load(cls, file: Path) -> SealKey:
        """Read the key from its file.

        Raises:
            ConfigurationError: if the file cannot be read, or holds no such key.
        """
        try:
            text = cleaned(file.read_text(encoding="utf-8"))
            own = text.removeprefix(PRIVATE)
            name, hashed, seed = split_key(own, ED25519, no_key=VerifierKey.no_key)
            made = cls(name, seed)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The seal key file {file} cannot be read: {error}.") from None
        except InvalidInput:
            made, hashed = None, ""
        if made is None or not text.startswith(PRIVATE) or made.verifier.hash.hex() != hashed:
            raise ConfigurationError(
                f"{file} holds no seal key; `carrierflow keys generate-seal` makes one."
            )
        return made

    def save(self, file: Path) -> None:
        """Write the key into a new file that only its owner may read.

        Raises:
            InvalidInput: if the file is there already, or cannot be written.
        """
        coded = base64.b64encode(ED25519 + self._seed).decode()
        line = f"{PRIVATE}{self.verifier.name}+{self.verifier.hash.hex()}+{coded}\n"
        try:
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as opened:
                opened.write(line)
        except OSError as error:
            raise InvalidInput(f"The seal key cannot be written: {error}.") from error

    def sign(self, text: str) -> SignedNote:
        """Return a text with our signature under it."""
        signature = self._key.sign(text.encode())
        ours = self.verifier
        return SignedNote(text=text, signatures=((ours.name, ours.hash, signature),))


def is_signature(key: NoteKey, message: bytes, signature: bytes) -> bool:
    """Tell whether a key made a signature over a message."""
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
