"""Witnesses: others who sign a checkpoint once they saw that it continues the last one.

A log that shows one history to one and another to the next cannot get both cosigned by the same
witness. Protocol and signature are C2SP's `tlog-witness` and `tlog-cosignature`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.request import Request

from carrierflow.audit.log.checkpoint import DASH, NoteKey, SignedNote
from carrierflow.audit.log.delivery import answer_of, told_as
from carrierflow.audit.log.keys import is_signature
from carrierflow.audit.log.proof import Consistency
from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import AnchorUnavailable, ConfigurationError, InvalidInput


__all__ = ["HttpWitness", "WitnessKey"]

COSIGNATURE = b"\x04"
TIME_BYTES = 8
SIGNATURE_BYTES = 64
CONFLICT = 409
OK = 200
MOST_BYTES = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class WitnessKey(NoteKey):
    """The public key of a witness, with its name, as witnesses publish it."""

    algorithm = COSIGNATURE
    no_key = "This is no key of a witness; theirs are for cosignatures."
    changed = "The witness's key was changed on its way: its hash does not fit."

    def when_cosigned(self, note: SignedNote) -> datetime | None:
        """Return when the witness signed a note, by its own clock; None if it did not."""
        for name, hashed, raw in note.signatures:
            if (name, hashed) == (self.name, self.hash):
                return self._when(note.text, raw)
        return None

    def _when(self, text: str, raw: bytes) -> datetime | None:
        if len(raw) != TIME_BYTES + SIGNATURE_BYTES:
            return None
        seconds = int.from_bytes(raw[:TIME_BYTES])
        message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        if not is_signature(self, message, raw[TIME_BYTES:]):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None


class HttpWitness:
    """A witness behind HTTP, which is asked for its cosignature when a checkpoint is made."""

    def __init__(self, url: str, key: WitnessKey) -> None:
        if not is_safe_url(url) or not url.isascii() or "?" in url or "#" in url:
            raise ConfigurationError(
                "The address of a witness must be https (http only on this machine), with neither "
                "a password nor a query in it."
            )
        self._url = f"{url.rstrip('/')}/add-checkpoint"
        self.key = key
        self.name = f"witness:{key.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> HttpWitness:
        """Read a witness as settings name it: its address, a blank, and its key.

        Raises:
            ConfigurationError: if it is none.
        """
        url, _, key = text.strip().partition(" ")
        try:
            return cls(url, WitnessKey.parse(key))
        except InvalidInput as error:
            raise ConfigurationError(
                f"A witness is named by its URL and its key: {error}"
            ) from None

    def cosign(self, old: int, path: Sequence[bytes], note: SignedNote) -> str | int:
        """Return its signature line under a checkpoint, or which size it has seen instead.

        Raises:
            AnchorUnavailable: if it cannot be reached, or does not sign.
        """
        asked = Consistency(old_size=old, path=tuple(path), checkpoint=note)
        with told_as(lambda reason: AnchorUnavailable(self.name, reason)):
            code, body = answer_of(self._request(str(asked)), most=MOST_BYTES, also=CONFLICT)
        answer = body.decode(errors="replace")
        if code == CONFLICT and answer.strip().isdecimal():
            return int(answer)
        line = next((each for each in answer.splitlines() if self._is_ours(note, each)), None)
        if line is None:
            reason = "its answer bears no cosignature of its key under this checkpoint"
            raise AnchorUnavailable(self.name, reason)
        return line

    def when_cosigned(self, note: SignedNote, line: str) -> datetime | None:
        """Return when a signature line under a note was made; None if it is none of ours."""
        if not line.startswith(DASH):
            return None
        try:
            return self.key.when_cosigned(SignedNote.parse(f"{note}{line}\n"))
        except InvalidInput:
            return None

    def _is_ours(self, note: SignedNote, line: str) -> bool:
        return self.when_cosigned(note, line) is not None

    def _request(self, body: str) -> Request:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return Request(self._url, data=body.encode(), headers=headers, method="POST")  # noqa: S310
