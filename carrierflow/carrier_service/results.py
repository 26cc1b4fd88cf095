"""What became of each request, for whoever counts: metrics, tests, a host's own log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.carrier_service.routes import Call


__all__ = ["CallRecord", "OnAnswer", "Result"]


class Result(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"
    """Understood or not: it will not be done, and the answer says why."""
    UNSIGNED = "unsigned"
    """The signature does not hold; nothing was read or stored."""
    FAILED = "failed"
    """Something here or at the carrier failed; the same request may succeed later."""
    NO_SUCH_PATH = "no_such_path"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """One request that was answered; it holds nothing personal."""

    call: Call | None
    """None where the path is none of ours."""
    result: Result
    seconds: float
    shop: str = ""
    topic: str = ""
    """Of a webhook: what it told."""


OnAnswer = Callable[[CallRecord], None]
"""Called after each answer, in the thread that made it; it must be quick and must not raise."""
