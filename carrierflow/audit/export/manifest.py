"""The manifest: what an export says of itself, under the signature of the log's key.

What is signed is a text of three lines: what it is, the name of the log, and the SHA-256 of
`manifest.json`. It cannot be taken for a checkpoint, whose second line is a number.
"""

from __future__ import annotations

from hashlib import sha256

from carrierflow.audit.log.checkpoint import SignatureCheck, SignedNote, VerifierKey


__all__ = ["is_manifest_signed", "manifest_text"]

HEAD = "carrierflow export manifest"


def manifest_text(origin: str, manifest: bytes) -> str:
    """Return what is signed of a manifest."""
    return f"{HEAD}\n{origin}\n{sha256(manifest).hexdigest()}\n"


def is_manifest_signed(
    note: SignedNote, origin: str, manifest: bytes, keys: list[VerifierKey], check: SignatureCheck
) -> bool:
    """Tell whether one of some keys signed this manifest."""
    return note.text == manifest_text(origin, manifest) and note.is_signed_by(keys, check)
