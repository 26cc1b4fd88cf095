"""What needs a person: opened once per cause, with its evidence, and closed by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from carrierflow.domain.approval import Proposal
from carrierflow.domain.canonical import digest, quoted
from carrierflow.domain.limits import held
from carrierflow.domain.model import FulfillmentRef, RequestSketch
from carrierflow.domain.publication import PlatformWrite


__all__ = [
    "ONE_PER_CAUSE",
    "REFUSES_WRITES",
    "Finding",
    "Incident",
    "OpenIncidents",
    "ResolveAction",
    "content_digest",
]

ONE_PER_CAUSE = frozenset({"unknown_here", "unreadable"})
"""Kinds that concern no fulfillment of the ledger, and of which a shop may have many at once."""

REFUSES_WRITES = "refuses_writes"
"""The evidence of `access_denied` that tells whether it was a write that was not accepted."""


class ResolveAction(StrEnum):
    """What a person may decide about an incident."""

    UNFREEZE = "unfreeze"
    """The cause is gone: look again, and go on."""
    ADOPT = "adopt"
    """The platform is right: correct the ledger to what it shows."""
    REASSERT = "reassert"
    """The ledger is right: tell the platform where the parcel stands."""
    ABANDON = "abandon"
    """Nobody will mend it: stop looking after this fulfillment."""
    RESUME = "resume"
    """It was abandoned, and is to be looked after again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A cause for an incident, found while reconciling."""

    kind: str
    sentence: str
    ref: FulfillmentRef | None
    """The fulfillment; None where the whole shop is concerned."""
    evidence: Mapping[str, Any]
    """What both sides said; no personal data, no token."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """More evidence, which does not tell this cause from another one."""
    request: RequestSketch | None = None
    about: PlatformWrite | None = None
    """The write that a person can repeat, where the incident is about one."""
    freezes: bool = False
    """Whether the fulfillment is frozen by it until a person resolves it."""

    @property
    def text(self) -> str:
        """The evidence as canonical JSON."""
        return _canonical({**self._cause, **self.detail})

    @property
    def digest(self) -> str:
        """What tells this cause from another one of the same kind."""
        return digest(_canonical(self._cause))

    @property
    def _cause(self) -> dict[str, Any]:
        content = dict(self.evidence)
        if self.request is not None:
            content["request"] = {"method": self.request.method, "url": self.request.url}
        return content


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """An incident as it lies in the database."""

    id: str
    shop: str
    fulfillment_id: str | None
    order_id: str | None
    kind: str
    sentence: str
    evidence: Mapping[str, Any]
    opened_at: datetime
    last_seen_at: datetime
    times_seen: int
    state: str
    owner: str | None = None
    resolved_at: datetime | None = None
    action: str | None = None
    resolved_by: str | None = None
    resolved_reason: str | None = None
    evidence_digest: str = ""
    """What tells its cause from another one of the same kind."""
    proposal: Proposal | None = None
    """What was decided about it and waits until others approve it."""
    approved_by: tuple[str, ...] = ()
    """Who approved how it was resolved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenIncidents:
    """How many incidents of one kind are open in one shop, and the first of them."""

    shop: str
    kind: str
    count: int
    first_id: str
    first_sentence: str


def content_digest(sentence: str, evidence: str) -> str:
    """Return what tells one content of an incident from another: both texts as one JSON list."""
    return digest(f"[{quoted(sentence)},{quoted(evidence)}]")


def _canonical(content: Mapping[str, Any]) -> str:
    return held(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
