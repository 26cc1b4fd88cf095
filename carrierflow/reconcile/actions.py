"""What a row of the decision table can say to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from carrierflow.domain.model import Status
from carrierflow.domain.publication import PlatformWrite, PublishableStep


__all__ = [
    "Action",
    "Adopt",
    "Await",
    "Confirm",
    "Decision",
    "Discard",
    "Freeze",
    "InSync",
    "Observe",
    "OpenIncident",
    "ReadAgain",
    "ReadAlone",
    "Rewind",
    "Wait",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Discard:
    """Forget the observation; a newer one is known."""


@dataclass(frozen=True, slots=True)
class Observe:
    """Keep the observation, and do nothing."""


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing is to be told now: the platform leads, or the policy holds what is one-way."""


@dataclass(frozen=True, slots=True)
class InSync:
    """Both sides agree."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Decide later."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """The observation is too old to act on."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """The platform shows this step; the unconfirmed ones before it are subsumed."""

    step: PublishableStep


@dataclass(frozen=True, slots=True)
class Write:
    """Lead the platform on to this step."""

    step: PublishableStep
    by: PlatformWrite


@dataclass(frozen=True, slots=True)
class Adopt:
    """Record what the platform shows as history, with the platform as its source."""

    status: Status


@dataclass(frozen=True, slots=True)
class Rewind:
    """Publish again from after this entry: the platform was moved back to it."""

    seq: int
    healed: bool


@dataclass(frozen=True, slots=True)
class Freeze:
    """No more writes until a person resolves the incident."""

    kind: str
    sentence: str
    about: PlatformWrite | None = None
    """What could not be told, where a write is the matter."""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """Open an incident, and go on."""

    kind: str
    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What tells this cause from another one, where all that both sides say would tell too much."""
    awaits: bool = False
    """Whether nothing can be told until somebody has seen to it."""


@dataclass(frozen=True, slots=True)
class ReadAlone:
    """Ask the platform for this one order by itself."""


Action = (
    Discard
    | Observe
    | Await
    | InSync
    | Wait
    | ReadAgain
    | Confirm
    | Write
    | Adopt
    | Rewind
    | Freeze
    | OpenIncident
    | ReadAlone
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of the table, and what it says to do."""

    row: str
    action: Action
