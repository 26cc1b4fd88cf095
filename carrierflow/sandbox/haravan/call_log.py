"""The last calls that Haravan made to the carrier, for whoever wants to look."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

    from carrierflow.sandbox.faults import FaultKind


__all__ = ["CallEntry", "CallKind", "CallLog"]

_REMEMBERED = 500
_REFUSAL = re.compile(r'^\s*\{[^{]*"error":\s*true')


class CallKind(StrEnum):
    """What Haravan calls a carrier for."""

    RATES = "rates"
    CREATE = "create"
    DETAIL = "detail"
    CANCEL = "cancel"
    WEBHOOK = "webhook"
    CHALLENGE = "challenge"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEntry:
    """One call; `status` is None where no answer came, and `problem` says why."""

    number: int
    at: int
    shop: str | None
    kind: CallKind
    topic: str | None
    method: str
    url: str
    body: str
    is_signed: bool
    status: int | None
    answer: str
    problem: str | None
    fault: FaultKind | None
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether the carrier answered, and said yes."""
        if self.status is None or self.status >= HTTPStatus.MULTIPLE_CHOICES:
            return False
        return _REFUSAL.search(self.answer) is None


class CallLog:
    """Remembers the last few hundred calls."""

    def __init__(self) -> None:
        self._made: deque[CallEntry] = deque(maxlen=_REMEMBERED)
        self._numbers = count(1)

    def __iter__(self) -> Iterator[CallEntry]:
        return iter(tuple(self._made))

    def next_number(self) -> int:
        """Return the number of the next call."""
        return next(self._numbers)

    def note(self, made: CallEntry) -> None:
        """Remember a call."""
        self._made.append(made)
