"""The sandbox's own record: what reached the platform, in which order, and what of it was wrong.

It believes nothing that a client says about itself. Which steps are legal it is told by whoever
asks for the report, and it never imports them.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carrierflow.sandbox.haravan.parcels import ParcelRef
    from carrierflow.sandbox.haravan.vocabulary import StatusMachine
    from carrierflow.sandbox.legal_steps import Legal


__all__ = [
    "Exchange",
    "PutResult",
    "ReceivedPut",
    "Recorder",
    "RecorderReport",
    "Touch",
    "TouchSource",
]

LAST_EXCHANGES = 1_000


class PutResult(StrEnum):
    """What the platform did with a PUT of a status."""

    APPLIED = "applied"
    NO_OP = "no_op"
    REFUSED = "refused"


class TouchSource(StrEnum):
    """Who moved a parcel without a PUT of a status."""

    MERCHANT = "merchant"
    POLL = "poll"
    ORDER_CANCEL = "order_cancel"
    LIFT = "lift"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPut:
    """One PUT of a status that the platform looked at, in the order in which it did.

    `repeated` marks a no-op whose status had been reached by an earlier PUT, not by another's hand.
    `touched` says whether somebody else had moved the parcel before.
    """

    at: int
    ref: ParcelRef
    machine: StatusMachine
    from_status: str
    to_status: str
    result: PutResult
    repeated: bool = False
    touched: bool = False
    after_cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One move that no PUT of a status made."""

    at: int
    ref: ParcelRef
    machine: StatusMachine
    from_status: str
    to_status: str
    source: TouchSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what its client saw; `status` is None where the connection was dropped."""

    at: int
    shop: str | None
    method: str
    path: str
    status: int | None
    usable: bool
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderReport:
    """What the recorder found; the lists hold the evidence, oldest first."""

    puts_received: int
    puts_applied: int
    puts_refused: int
    puts_lost: int
    no_ops: int
    duplicates: tuple[ReceivedPut, ...]
    illegal: tuple[ReceivedPut, ...]
    illegal_after_touch: tuple[ReceivedPut, ...]
    after_cancel: tuple[ReceivedPut, ...]
    ambiguous: tuple[Exchange, ...]
    touches: tuple[Touch, ...]
    illegal_polls: tuple[Touch, ...]
    gets: int
    throttled: int
    requests_by_shop: Mapping[str, int]
    max_puts_per_fulfillment: int
    max_puts_of_one_status: int

    @property
    def is_clean(self) -> bool:
        """Whether no PUT was illegal, repeated or too late, and no polled answer skipped a step."""
        return not (self.illegal or self.duplicates or self.after_cancel or self.illegal_polls)


@dataclass(slots=True)
class Recorder:
    """Listens to the world and to the front door, and reports."""

    puts: list[ReceivedPut] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    unusable: list[Exchange] = field(default_factory=list)
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=LAST_EXCHANGES))
    """The last requests of all shops, oldest first."""
    _counts: Counter[str] = field(default_factory=Counter)
    _by_shop: Counter[str] = field(default_factory=Counter)
    _reached_by_put: dict[tuple[ParcelRef, StatusMachine], bool] = field(default_factory=dict)
    _touched: set[ParcelRef] = field(default_factory=set)

    def saw_put(self, put: ReceivedPut) -> None:
        """Note one PUT of a status that the platform looked at, and what had gone before it."""
        key = (put.ref, put.machine)
        repeated = put.result is PutResult.NO_OP and self._reached_by_put.get(key, False)
        self.puts.append(replace(put, repeated=repeated, touched=put.ref in self._touched))
        if put.result is PutResult.APPLIED:
            self._reached_by_put[key] = True

    def saw_touch(self, touch: Touch) -> None:
        """Note one move that no PUT made; a lift by delivered is the platform's own and no edit."""
        self.touches.append(touch)
        self._reached_by_put[touch.ref, touch.machine] = False
        if touch.source is not TouchSource.LIFT:
            self._touched.add(touch.ref)

    def saw_exchange(self, exchange: Exchange) -> None:
        """Note one request and what its client saw of it."""
        self.exchanges.append(exchange)
        self._by_shop[exchange.shop or ""] += 1
        self._counts[exchange.method] += 1
        self._counts[f"status {exchange.status}"] += 1
        if not exchange.reached:
            self._counts[f"lost {exchange.method}"] += 1
        if not exchange.usable:
            self.unusable.append(exchange)

    def forget(self) -> None:
        """Start again with an empty record."""
        for record in (self.puts, self.touches, self.unusable, self.exchanges):
            record.clear()
        for index in (self._counts, self._by_shop, self._reached_by_put, self._touched):
            index.clear()

    def report(self, legal: Legal) -> RecorderReport:
        """Judge everything seen so far by the legal steps of each machine, as `(from, to)` pairs.

        A PUT of the status that the parcel already has is a no-op, never an illegal step.

        Raises:
            KeyError: if a machine whose PUTs were seen has no legal steps given.
        """
        applied = [put for put in self.puts if put.result is PutResult.APPLIED]
        illegal = [
            put for put in applied if (put.from_status, put.to_status) not in legal[put.machine]
        ]
        return RecorderReport(
            puts_received=len(self.puts),
            puts_applied=len(applied),
            puts_refused=sum(put.result is PutResult.REFUSED for put in self.puts),
            puts_lost=self._counts["lost PUT"],
            no_ops=sum(put.result is PutResult.NO_OP for put in self.puts),
            duplicates=tuple(put for put in self.puts if put.repeated),
            illegal=tuple(put for put in illegal if not put.touched),
            illegal_after_touch=tuple(put for put in illegal if put.touched),
            after_cancel=tuple(put for put in self.puts if put.after_cancel),
            ambiguous=tuple(seen for seen in self.unusable if seen.method == "PUT"),
            touches=tuple(self.touches),
            illegal_polls=tuple(
                touch
                for touch in self.touches
                if touch.source is TouchSource.POLL
                and (touch.from_status, touch.to_status) not in legal[touch.machine]
            ),
            gets=self._counts["GET"],
            throttled=self._counts["status 429"],
            requests_by_shop={shop: n for shop, n in self._by_shop.items() if shop},
            max_puts_per_fulfillment=_most(put.ref for put in self.puts),
            max_puts_of_one_status=_most(
                (put.ref, put.machine, put.to_status) for put in self.puts
            ),
        )


def _most(keys: Iterable[object]) -> int:
    return max(Counter(keys).values(), default=0)
