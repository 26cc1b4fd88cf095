"""Encryption of what must not stand in the database in clear: AES-256-GCM, bound to its place.

The context (which shop, which note) is authenticated with the ciphertext, so that an encrypted
token copied to another shop's row does not open there.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from carrierflow.domain.cleaning import in_force
from carrierflow.errors import ConfigurationError, MissingSecretKey, WrongSecretKey


__all__ = ["KeyRing", "generate_key"]

KEY_BYTES = 32
NONCE_BYTES = 12
FORM = b"\x01"
"""The first byte of everything ciphertext: which form it has."""


def generate_key() -> str:
    """Make a new secret key, as text for CARRIERFLOW_SECRET_KEY."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class KeyRing:
    """Seals with the present key, and opens with it or with previous ones."""

    def __init__(self, *keys: str) -> None:
        self._ciphers = [AESGCM(_decoded(key)) for key in in_force(keys)]

    def encrypt(self, secret: bytes, *, context: str) -> bytes:
        """Encrypt; the result opens under the same context only.

        Raises:
            MissingSecretKey: if there is no key.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORM + nonce + self._required()[0].encrypt(nonce, secret, context.encode())

    def decrypt(self, ciphertext: bytes, *, context: str) -> bytes:
        """Decrypt.

        Raises:
            MissingSecretKey: if there is no key.
            WrongSecretKey: if no key opens it under this context.
        """
        form, nonce, body = (
            ciphertext[:1],
            ciphertext[1 : 1 + NONCE_BYTES],
            ciphertext[1 + NONCE_BYTES :],
        )
        for cipher in self._required() if form == FORM else ():
            try:
                return cipher.decrypt(nonce, body, context.encode())
            except InvalidTag:
                continue
        raise WrongSecretKey(f"What is encrypted for {context.partition(':')[0]}")

    def _required(self) -> Sequence[AESGCM]:
        if not self._ciphers:
            raise MissingSecretKey
        return self._ciphers


def _decoded(key: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(key.encode())
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ConfigurationError(
            "CARRIERFLOW_SECRET_KEY is not a key; `carrierflow keys generate` makes one."
        )
    return raw
