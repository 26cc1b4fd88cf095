"""Four eyes: which decisions wait until somebody else approves them, and what they rest on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from carrierflow.domain.canonical import digest, quoted
from carrierflow.domain.model import Status


__all__ = [
    "AMEND",
    "BOOKS_CASH",
    "CORRECTION",
    "REJECTED",
    "ApprovalPolicy",
    "Proposal",
    "facts_digest",
    "same_person",
]

AMEND = "amend"
"""The act of correcting where a parcel stands, beside those that resolve an incident."""

CORRECTION = "correction_proposed"
"""The kind of incident that a correction is while it waits."""

REJECTED = "rejected"
"""What became of a correction that nobody wanted."""

BOOKS_CASH = frozenset({Status.CODRECEIPT, Status.CODPAID})
"""What says of cash that somebody has it; a step to or from it books cash."""

TWO = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A decision that waits until others than its author approve it."""

    action: str
    actor: str
    reason: str
    proposed_at: datetime
    facts_digest: str
    """What its author looked at; it is carried out only while that is so."""
    approved_by: tuple[str, ...] = ()
    """Who approved it so far."""

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who stands behind it."""
        return self.actor, *self.approved_by


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalPolicy:
    """How many people each decision takes, its author among them."""

    people: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """By action; one for what is not named."""

    @property
    def amends_alone(self) -> bool:
        """Tell whether one person's correction is entered at once."""
        return self.needed(AMEND) == 1

    def needed(self, action: str, *, corrects: bool = False, books_cash: bool = False) -> int:
        """Return how many people a decision takes that would write this.

        A decision that corrects takes as many as a correction; one that books cash, two.
        """
        acts = {action, AMEND} if corrects else {action}
        least = TWO if books_cash else 1
        return max(least, *(self.people.get(act, 1) for act in acts))


def same_person(one: str, other: str) -> bool:
    """Tell whether two codes stand for one person, however they are spelled."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def facts_digest(facts: Iterable[str | None]) -> str:
    """Return what tells some facts from others: the texts as one JSON list."""
    return digest(f"[{','.join(map(quoted, facts))}]")
