"""Everything that the tour measured, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from carrierflow.demo.disagreement import Disagreement
from carrierflow.demo.naive_push import NaivePush
from carrierflow.domain.canonical import stamp
from carrierflow.ledger.files import VerdictCounts


__all__ = ["Frozen", "Move", "Planned", "Run", "Star", "TourFigures", "Verified"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What a dry run says that a reconcile would do."""

    lines: int
    classes: Mapping[str, int]
    puts: int
    gets: int
    first: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Of some lines: the fulfillment, the class, and what would be told or adopted."""
    held: tuple[tuple[str, str], ...]
    """Steps that are held because nothing takes them back: the fulfillment and the step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A reconcile, by its own report and by what the platform's recorder saw of it."""

    end_reason: str
    checked: int
    in_sync: int
    published: int
    adopted: int
    frozen: int
    waiting: int
    left: int
    gets: int
    puts: int
    naive_gets: int
    naive_puts: int
    virtual_seconds: float
    throttled: int
    judge_gets: int
    judge_puts: int
    judge_illegal: int
    """Illegal steps on parcels that nobody else had touched."""
    judge_repeated: int
    judge_after_cancel: int
    puts_of_second_run: int
    looks: tuple[tuple[str, str], ...]
    """The requests about one parcel with several steps, where it was read between them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One entry of a parcel's history."""

    machine: str
    from_status: str
    to_status: str
    occurred_at: datetime
    inferred: bool
    put: bool
    """Whether the reconcile told it to the shop; else a push had, or it needs no telling."""
    adopted: bool
    """Whether it came from the platform."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Star:
    """The parcel whose whole history is shown."""

    fulfillment_id: str
    cash: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """A parcel that waits for a person, and the command by which that person decides."""

    incident: str
    kind: str
    fulfillment_id: str
    sentence: str
    cash: int
    command: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What `audit verify` says."""

    ok: bool
    rows: int
    fulfillments: int
    first_bad: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TourFigures:
    """The whole tour."""

    platform: str
    seed: int
    parcels: int
    days: int
    began_at: datetime
    recorded: VerdictCounts
    filled_gaps: int
    pushed: NaivePush
    unpushed: int
    """Scans of the last evening, which wait for tomorrow's push."""
    cancels: int
    """By a merchant, on the platform."""
    edits: int
    """By a merchant, on the platform."""
    unlawful: int
    """Jumps and backward steps that the shop saw before carrierflow came."""
    before: Disagreement
    plan: Planned
    run: Run
    after: Disagreement
    star: Star
    frozen: tuple[Frozen, ...]
    verified: Verified

    def problems(self) -> list[str]:
        """Say in sentences what of the story did not come true; nothing if all of it did."""
        return [sentence for sentence, held in self._promises() if not held]

    def document(self) -> dict[str, Any]:
        """Return the figures as one JSON document."""
        problems = self.problems()
        return {"ok": not problems, "problems": problems, **_plain(asdict(self))}

    def _promises(self) -> list[tuple[str, bool]]:
        counts, run = self.recorded, self.run
        told = counts.accepted + counts.duplicate + counts.late + counts.refused + counts.rejected
        left = self.after.wrong - self.after.wrong_frozen - len(self.plan.held)
        return [
            ("Not every scan got a verdict.", told == counts.rows),
            (f"The reconcile ended early: {run.end_reason}.", run.end_reason == "done"),
            (
                f"The plan named {self.plan.puts} writes, and the reconcile made {run.puts}.",
                run.puts == self.plan.puts,
            ),
            (
                "The platform counted other requests than the reconcile.",
                (run.judge_gets, run.judge_puts) == (run.gets, run.puts),
            ),
            (f"The platform saw {run.judge_illegal} illegal steps.", not run.judge_illegal),
            (f"{run.judge_repeated} writes were repeated.", not run.judge_repeated),
            (
                f"{run.judge_after_cancel} writes went to cancelled parcels.",
                not run.judge_after_cancel,
            ),
            (f"{left} parcels are still shown wrongly, and nobody was asked.", not left),
            ("A second run found something to tell.", not run.puts_of_second_run),
            (f"The history is damaged: {self.verified.first_bad}.", self.verified.ok),
        ]


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime():
            return stamp(value)
        case _:
            return value
