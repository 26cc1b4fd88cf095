"""How much text there is room for: one table, from which columns, doors and readers are made.

Lengths are in characters. SQLite holds any text, PostgreSQL and MariaDB do not, and none of a
driver's errors is a sentence; so whoever takes a text in asks here first. What a person or a
program of the carrier's hands over is refused when it is too long; what a platform says is cut
where it is told to people, and refused where it names something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


__all__ = [
    "ACTOR",
    "CODE",
    "FILE_NAME",
    "ID",
    "KEY",
    "MOST_CASH",
    "NOTE",
    "REASON",
    "SCOPES",
    "SENTENCE",
    "SUBJECT",
    "TOKEN",
    "TOPIC",
    "TRACKING_NUMBER",
    "URL",
    "WORD",
    "cut",
    "cut_words",
    "fits",
    "held",
    "is_name",
    "is_storable",
]

CODE = 32
"""A word of ours: a status, a verdict, a kind of incident."""
WORD = 64
"""A word or a time as a platform prints it."""
ID = 64
"""An id of a platform's, or the code of a shop."""
KEY = 128
"""An idempotency key."""
ACTOR = 128
"""Who did something, or looks after it."""
REASON = 255
SCOPES = 4000
"""Everything that a shop granted, with a blank between any two."""
SENTENCE = 512
SUBJECT = 255
"""What an act was about: an id, a role, a public key."""
TRACKING_NUMBER = 128
URL = 512
TOKEN = 16 * 1024
"""A bearer token or a refresh token, in ASCII."""
NOTE = 64 * 1024
"""A note to an event; it is encrypted."""
OPTIONS = 1000
"""What was chosen for one shop, as JSON."""
TOPIC = 96
PROCESS = 255
"""Where a process runs, its number and its start."""
FILE_NAME = 255
MOST_CASH = 10**12
"""The largest sum, in đồng; beyond it somebody took another unit."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CUT = "…"


def is_storable(text: str) -> bool:
    """Tell whether each of the databases can hold a text: no NUL, no half of a character.

    Neither of the two is printable, and a text that is printable throughout is soon seen.
    """
    return text.isprintable() or not _UNSTORABLE.search(text)


def fits(text: str, longest: int) -> bool:
    """Tell whether a text says something, can be held, and has no more than so many characters."""
    return len(text) <= longest and bool(text.strip()) and is_storable(text)


def is_name(text: str, longest: int) -> bool:
    """Tell whether something can be found again by a text that `fits`.

    Not every database tells outer blanks apart, so it has none.
    """
    return bool(text) and text == text.strip() and len(text) <= longest and is_storable(text)


def cut(text: str, longest: int) -> str:
    """Return a text of somebody else's as it can be held, its end left out where it is too long."""
    whole = held(text)
    return whole if len(whole) <= longest else whole[: longest - len(_CUT)] + _CUT


def held(text: str) -> str:
    """Return a text of somebody else's with a sign in place of what no database can hold."""
    return text if text.isprintable() else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def cut_words(words: Iterable[str], longest: int) -> str:
    """Return as many words, with blanks between them, as there is room for; none is cut."""
    kept = ""
    for word in map(held, words):
        if len(kept) + len(word) < longest:
            kept += f"{word} "
    return kept.rstrip()
