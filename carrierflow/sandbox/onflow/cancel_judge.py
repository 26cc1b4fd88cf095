"""The sandbox's own record of an Onflow: what reached it, and what of that was wrong.

It believes nothing that a client says about itself. What a client could know it takes from the
bytes of the replies that the client was sent, and where a shipment is from the warehouse's moves.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.onflow.status_numbers import OnflowStage


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


__all__ = [
    "OnflowExchange",
    "OnflowMove",
    "OnflowRecorder",
    "OnflowReport",
    "OnflowResult",
    "OnflowVerb",
    "OnflowWrite",
]

_WRITES = frozenset({"PUT", "POST"})


class OnflowVerb(StrEnum):
    """What a write wants."""

    CREATE = "create"
    CANCEL = "cancel"


class OnflowResult(StrEnum):
    """What Onflow did with a write."""

    APPLIED = "applied"
    NO_OP = "no_op"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowWrite:
    """One write that Onflow looked at; `subject` is a tracking code, or a new one's reference.

    `arrival` is the number of its request in the order of arrival, which for a late one is not the
    order of looking. The recorder adds the rest: whether an earlier write had done the same,
    whether the shipment was handed over by then, and whether its client could have known.
    """

    at: int
    arrival: int
    account: str
    verb: OnflowVerb
    subject: str
    result: OnflowResult
    is_repeated: bool = False
    is_after_handover: bool = False
    was_unknowable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowMove:
    """One stage that no request brought about: the warehouse's work, or a cancel by hand."""

    at: int
    account: str
    tracking_code: str
    stage: OnflowStage


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowExchange:
    """One request and what its client saw; `status` is None where the connection was dropped."""

    at: int
    account: str | None
    method: str
    path: str
    status: int | None
    usable: bool
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowReport:
    """What the recorder found; the lists hold the evidence, oldest first.

    `illegal` are cancels after the handover by a client that had been shown it, or had never
    looked. Those in `overtaken` were handed over between the look and the cancel, which no client
    can help.
    """

    writes_received: int
    writes_applied: int
    writes_refused: int
    writes_lost: int
    no_ops: int
    duplicates: tuple[OnflowWrite, ...]
    illegal: tuple[OnflowWrite, ...]
    overtaken: tuple[OnflowWrite, ...]
    ambiguous: tuple[OnflowExchange, ...]
    moves: tuple[OnflowMove, ...]
    gets: int
    throttled: int
    requests_by_account: Mapping[str, int]
    max_writes_per_subject: int

    @property
    def is_clean(self) -> bool:
        """Whether no write was repeated, and no cancel came after a handover that was known."""
        return not (self.illegal or self.duplicates)


@dataclass(slots=True)
class OnflowRecorder:
    """Listens to the world and to the front door, and reports."""

    writes: list[OnflowWrite] = field(default_factory=list)
    moves: list[OnflowMove] = field(default_factory=list)
    unusable: list[OnflowExchange] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _by_account: Counter[str] = field(default_factory=Counter)
    _arrivals: int = 0
    _done: set[tuple[str, OnflowVerb, str]] = field(default_factory=set)
    _handed_over: set[str] = field(default_factory=set)
    _looked: dict[str, int] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)

    def arrival(self) -> int:
        """Return the number of a request that has just come in."""
        self._arrivals += 1
        return self._arrivals

    def saw_write(self, write: OnflowWrite) -> None:
        """Note one write that Onflow looked at, and what had gone before it."""
        key = (write.account, write.verb, write.subject)
        is_late = write.verb is OnflowVerb.CANCEL and write.subject in self._handed_over
        noted = replace(
            write,
            is_repeated=key in self._done,
            is_after_handover=is_late,
            was_unknowable=is_late and self._could_not_know(write),
        )
        self.writes.append(noted)
        if write.result is OnflowResult.APPLIED:
            self._done.add(key)

    def saw_move(self, move: OnflowMove) -> None:
        """Note one stage that no request brought about."""
        self.moves.append(move)
        if move.stage is OnflowStage.HANDOVER:
            self._handed_over.add(move.tracking_code)

    def saw_exchange(self, exchange: OnflowExchange) -> None:
        """Note one request and what its client saw of it."""
        kind = "write" if exchange.method in _WRITES else exchange.method
        self._by_account[exchange.account or ""] += 1
        self._counts[kind] += 1
        self._counts[f"status {exchange.status}"] += 1
        if not exchange.reached:
            self._counts[f"lost {kind}"] += 1
        if not exchange.usable:
            self.unusable.append(exchange)

    def saw_reply(self, arrival: int, body: bytes) -> None:
        """Note which shipments a reply showed its client, and which of them as handed over."""
        for row in _rows(body):
            code = str(row["tracking_code"])
            self._looked.setdefault(code, arrival)
            if row.get("handover_time"):
                self._told.setdefault(code, arrival)

    def forget(self) -> None:
        """Start again with an empty record."""
        self._arrivals = 0
        for record in (self.writes, self.moves, self.unusable):
            record.clear()
        for index in (self._counts, self._by_account, self._looked, self._told):
            index.clear()
        self._done.clear()
        self._handed_over.clear()

    def report(self) -> OnflowReport:
        """Judge everything seen so far."""
        results = Counter(write.result for write in self.writes)
        late = [write for write in self.writes if write.is_after_handover]
        subjects = Counter((write.account, write.subject) for write in self.writes)
        return OnflowReport(
            writes_received=len(self.writes),
            writes_applied=results[OnflowResult.APPLIED],
            writes_refused=results[OnflowResult.REFUSED],
            writes_lost=self._counts["lost write"],
            no_ops=results[OnflowResult.NO_OP],
            duplicates=tuple(write for write in self.writes if write.is_repeated),
            illegal=tuple(write for write in late if not write.was_unknowable),
            overtaken=tuple(write for write in late if write.was_unknowable),
            ambiguous=tuple(seen for seen in self.unusable if seen.method in _WRITES),
            moves=tuple(self.moves),
            gets=self._counts["GET"],
            throttled=self._counts["status 429"],
            requests_by_account={name: n for name, n in self._by_account.items() if name},
            max_writes_per_subject=max(subjects.values(), default=0),
        )

    def _could_not_know(self, write: OnflowWrite) -> bool:
        """Whether its client had looked before it wrote, and had never been shown the handover."""
        has_looked = self._looked.get(write.subject, write.arrival) < write.arrival
        was_told = self._told.get(write.subject, write.arrival) < write.arrival
        return has_looked and not was_told


def _rows(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield each shipment in a reply; a row that is none has shown nothing."""
    shown = json.loads(body)["data"]
    for row in shown if isinstance(shown, list) else [shown]:
        if isinstance(row, dict) and "tracking_code" in row:
            yield row
