"""What people paste and files end with, taken off at the door: blanks, line ends, an editor's mark.

A secret with a line end behind it is another secret, and one that is nothing but a line end is one
that everybody knows. So each text of a setting, a secret file or an option passes here first, and
whatever compares a signature or a token asks here which secrets count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


__all__ = ["cleaned", "in_force", "is_token"]

_OUTER = re.compile(r"\A[\s\ufeff]+|[\s\ufeff]+\Z")
_TOKEN = re.compile(r"[!-~]+", flags=re.ASCII)


def cleaned(text: str) -> str:
    """Return a text without outer blanks, line ends and byte-order mark; its inside is kept."""
    return _OUTER.sub("", text)


def in_force(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return the secrets that let somebody in, cleaned: an empty one lets nobody in."""
    return tuple(secret for secret in map(cleaned, secrets) if secret)


def is_token(text: str) -> bool:
    """Tell whether a text can be a bearer token: something, and all of it printable ASCII."""
    return _TOKEN.fullmatch(text) is not None
