"""Where the two sides drifted apart: when it was found, whether it healed, and how soon."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carrierflow.audit.calendar import day_of
from carrierflow.domain.model import FulfillmentRef


__all__ = ["Drift", "DriftDay", "DriftKind", "Episode"]

ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """Once that the two sides were not, or may not have been, in agreement."""

    kind: str
    """The kind of an incident; `unanswered`, `not_sent` or `other_status` for a PUT that did not
    do its work; `adopted` for a step of the platform's that the ledger took over."""
    shop: str
    ref: FulfillmentRef | None
    """None where a whole shop was concerned."""
    found_at: datetime
    healed_at: datetime | None
    frozen: bool
    """Whether the parcel waits for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftKind:
    """All episodes of one kind."""

    kind: str
    found: int
    healed: int
    open: int
    frozen: int
    """Of the open ones, those whose parcel waits for a person."""
    p50_seconds: int | None
    """Half of the healed ones took no longer than this."""
    p95_seconds: int | None
    longest_seconds: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftDay:
    """One day in Vietnam."""

    day: str
    found: int
    healed: int
    open: int
    """Episodes that were open when the day ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """All drift that was found in a time."""

    since: datetime | None
    until: datetime | None
    found: int
    healed: int
    open: int
    frozen: int
    kinds: tuple[DriftKind, ...]
    days: tuple[DriftDay, ...]
    """Each day on which something was found or healed."""
    episodes: tuple[Episode, ...] | None = None
    """Each of them, where they were asked for, oldest first."""

    @classmethod
    def of(
        cls,
        episodes: Iterable[Episode],
        *,
        since: datetime | None,
        until: datetime | None,
        named: bool,
    ) -> Drift:
        """Sort and count what was found."""
        found = sorted(episodes, key=lambda each: each.found_at)
        kinds: dict[str, list[Episode]] = defaultdict(list)
        for episode in found:
            kinds[episode.kind].append(episode)
        rows = tuple(_kind(name, kinds[name]) for name in sorted(kinds))
        return cls(
            since=since,
            until=until,
            found=len(found),
            healed=sum(row.healed for row in rows),
            open=sum(row.open for row in rows),
            frozen=sum(row.frozen for row in rows),
            kinds=rows,
            days=tuple(_days(found)),
            episodes=tuple(found) if named else None,
        )


def _kind(name: str, episodes: Sequence[Episode]) -> DriftKind:
    spans = sorted(
        max(0, (each.healed_at - each.found_at) // ONE_SECOND)
        for each in episodes
        if each.healed_at is not None
    )
    return DriftKind(
        kind=name,
        found=len(episodes),
        healed=len(spans),
        open=len(episodes) - len(spans),
        frozen=sum(each.frozen and each.healed_at is None for each in episodes),
        p50_seconds=_nearest(spans, 0.5),
        p95_seconds=_nearest(spans, 0.95),
        longest_seconds=spans[-1] if spans else None,
    )


def _nearest(ordered: Sequence[int], share: float) -> int | None:
    """Return the percentile of the nearest rank."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _days(episodes: Iterable[Episode]) -> Iterator[DriftDay]:
    found: Counter[str] = Counter()
    healed: Counter[str] = Counter()
    for each in episodes:
        found[day_of(each.found_at)] += 1
        if each.healed_at is not None:
            healed[day_of(max(each.found_at, each.healed_at))] += 1
    left = 0
    for day in sorted({*found, *healed}):
        left += found[day] - healed[day]
        yield DriftDay(day=day, found=found[day], healed=healed[day], open=left)
