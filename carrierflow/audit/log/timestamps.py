"""Time-stamps of others: that a checkpoint was there at a moment of somebody else's clock.

Requests and answers are those of RFC 3161, so that `openssl ts -verify` reads what is kept. What
is stamped is the text of the checkpoint, which is what its key signs.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request

from carrierflow.audit.log.checkpoint import SignedNote, decoded
from carrierflow.audit.log.delivery import answer_of, told_as
from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import AnchorUnavailable, ConfigurationError, InvalidInput


__all__ = ["TIMESTAMP", "TimestampAnchor", "TimestampAuthority"]

TIMESTAMP = "timestamp"
MOST_BYTES = 256 * 1024


class TimestampAuthority:
    """Whose time-stamps count, by the certificates that stand above them."""

    def __init__(self, roots: Path) -> None:
        """`roots` is a PEM file of the authority's root and, if need be, what lies between.

        Raises:
            ConfigurationError: if it cannot be read, or the extra is not installed.
        """
        self._library = _library()
        from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - as the library

        try:
            self._roots = load_pem_x509_certificates(roots.read_bytes())
        except (OSError, ValueError):
            raise ConfigurationError(
                f"{roots} holds no certificates; it must be a PEM file of the authority's root."
            ) from None

    def when_stamped(self, text: str, receipt: str) -> datetime | None:
        """Return when an answer of the authority says that a text was there; None if none does."""
        try:
            answer = self._verified(decoded(receipt), text)
        except InvalidInput:
            return None
        if answer is None:
            return None
        moment: datetime = answer.tst_info.gen_time
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _verified(self, raw: bytes, text: str, nonce: int | None = None) -> Any:
        """Return an answer of the authority about a text; None if it is none."""
        verifier = self._library.VerifierBuilder(roots=list(self._roots), nonce=nonce).build()
        try:
            answer = self._library.decode_timestamp_response(raw)
            return answer if verifier.verify_message(answer, text.encode()) else None
        except (ValueError, self._library.VerificationError):
            return None

    def request(self, text: str) -> tuple[bytes, int]:
        """Return a request for a stamp on a text, and the number that the answer must repeat."""
        builder = self._library.TimestampRequestBuilder()
        made = builder.data(text.encode()).hash_algorithm(self._library.HashAlgorithm.SHA256)
        asked = made.build()
        return asked.as_bytes(), asked.nonce

    def is_answer(self, raw: bytes, text: str, nonce: int) -> bool:
        """Tell whether bytes are the answer to a request."""
        return self._verified(raw, text, nonce) is not None


class TimestampAnchor:
    """Has the newest checkpoint stamped by an authority, and keeps what it answers."""

    name = TIMESTAMP

    def __init__(self, url: str, authority: TimestampAuthority) -> None:
        if not (is_safe_url(url) or url.startswith("http://")) or "@" in url:
            raise ConfigurationError("timestamp_url must be the http or https URL of an authority.")
        self._url = url
        self._authority = authority

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> Sequence[str]:
        """Have the newest one stamped: what it covers was there, and so were those before it.

        Raises:
            AnchorUnavailable: if the authority cannot be reached, or its answer is none.
        """
        text = SignedNote.parse(checkpoints[-1][1]).text
        asked, nonce = self._authority.request(text)
        with told_as(lambda reason: AnchorUnavailable(self.name, reason)):
            _, raw = answer_of(self._request(asked), most=MOST_BYTES)
        if not self._authority.is_answer(raw, text, nonce):
            reason = "its answer is no time-stamp of this checkpoint under timestamp_roots"
            raise AnchorUnavailable(self.name, reason)
        return [*("" for _ in checkpoints[:-1]), base64.b64encode(raw).decode()]

    def when_stamped(self, note: SignedNote, receipt: str) -> datetime | None:
        """Return when a receipt says that a checkpoint was there; None if it is none of it."""
        return self._authority.when_stamped(note.text, receipt)

    def _request(self, asked: bytes) -> Request:
        headers = {"Content-Type": "application/timestamp-query"}
        return Request(self._url, data=asked, headers=headers, method="POST")  # noqa: S310


def _library() -> Any:
    try:
        import rfc3161_client  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(
            "Time-stamps need one more library: pip install 'carrierflow[timestamps]'."
        ) from None
    return rfc3161_client
