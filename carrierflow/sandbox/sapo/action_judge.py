"""The sandbox's own record of what was done to parcels, and its judgement.

It believes neither the client nor the world: the legal steps are written down here once more, from
the documents and not from the rules that the world plays by.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from carrierflow.sandbox.sapo.fulfillment_states import SapoAction
from carrierflow.sandbox.sapo.sapo_orders import SapoRef


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


__all__ = [
    "ReceivedAction",
    "SapoExchange",
    "SapoHand",
    "SapoRecorder",
    "SapoReport",
    "SapoTouch",
]

_LEGAL = frozenset(
    {
        ("packed", "ship", "fulfilled"),
        ("packed", "cancel", "packed_cancelled"),
        ("fulfilled", "receive", "received"),
        ("fulfilled", "cancel", "fulfilled_cancelling"),
        ("retry_delivery", "receive", "received"),
        ("retry_delivery", "cancel", "fulfilled_cancelling"),
        ("fulfilled_cancelling", "receive_after_cancellation", "fulfilled_cancelled"),
    }
)
_FINAL = frozenset({"received", "packed_cancelled", "fulfilled_cancelled"})
_DONE_ALREADY: Mapping[str, frozenset[str]] = {
    "ship": frozenset({"fulfilled", "retry_delivery", "received"}),
    "receive": frozenset({"received"}),
    "cancel": frozenset({"packed_cancelled", "fulfilled_cancelling", "fulfilled_cancelled"}),
    "receive_after_cancellation": frozenset({"fulfilled_cancelled"}),
}
"""In which states there is nothing left for an action to do."""


class SapoHand(StrEnum):
    """Who moved a parcel without one of the app's calls."""

    MERCHANT = "merchant"
    ORDER_CANCEL = "order_cancel"
    CARRIER_LINK = "carrier_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAction:
    """One action that the platform looked at; `to_state` is None where it refused.

    `repeated` marks an action with nothing left to do because an earlier one of the app's had done
    it; `excused` one whose earlier call got no answer that the app could use. `touched` says
    whether somebody else had moved the parcel before.
    """

    at: int
    ref: SapoRef
    action: SapoAction
    from_state: str
    to_state: str | None
    repeated: bool = False
    excused: bool = False
    touched: bool = False

    @property
    def is_no_op(self) -> bool:
        """Whether it was refused with nothing left to do."""
        return self.to_state is None and self.from_state in _DONE_ALREADY[self.action]

    @property
    def is_illegal(self) -> bool:
        """Whether no document lets it be done, whatever the platform made of it."""
        if self.to_state is None:
            return not self.is_no_op
        return (self.from_state, str(self.action), self.to_state) not in _LEGAL

    @property
    def is_after_final(self) -> bool:
        """Whether the parcel was where nothing leads on."""
        return self.from_state in _FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoTouch:
    """One move that no call of the app's made."""

    at: int
    ref: SapoRef
    from_state: str
    to_state: str
    hand: SapoHand


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoExchange:
    """One request and what its client saw; `status` is None where the connection was dropped.

    `target` is the parcel and the action that the path names, if it names any.
    """

    at: int
    shop: str | None
    method: str
    path: str
    status: int | None
    usable: bool
    reached: bool
    target: tuple[SapoRef, SapoAction] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoReport:
    """What the recorder found; the lists hold the evidence, oldest first."""

    writes_received: int
    applied: int
    refused: int
    lost: int
    other_writes: int
    no_ops: tuple[ReceivedAction, ...]
    duplicates: tuple[ReceivedAction, ...]
    without_cause: tuple[ReceivedAction, ...]
    illegal: tuple[ReceivedAction, ...]
    illegal_after_touch: tuple[ReceivedAction, ...]
    after_final: tuple[ReceivedAction, ...]
    ambiguous: tuple[SapoExchange, ...]
    touches: tuple[SapoTouch, ...]
    gets: int
    throttled: int
    requests_by_shop: Mapping[str, int]
    max_writes_per_fulfillment: int

    @property
    def is_clean(self) -> bool:
        """Whether no action was illegal where nobody else had a hand in it, or done twice heard."""
        return not (self.illegal or self.without_cause)


@dataclass(slots=True)
class SapoRecorder:
    """Listens to the world and to the front door, and reports."""

    actions: list[ReceivedAction] = field(default_factory=list)
    touches: list[SapoTouch] = field(default_factory=list)
    unusable: list[SapoExchange] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _by_shop: Counter[str] = field(default_factory=Counter)
    _applied: set[tuple[SapoRef, SapoAction]] = field(default_factory=set)
    _unheard: set[tuple[SapoRef, SapoAction]] = field(default_factory=set)
    _touched: set[SapoRef] = field(default_factory=set)

    def saw_action(self, received: ReceivedAction) -> None:
        """Note one action that the platform looked at, and what had gone before it."""
        key = (received.ref, received.action)
        self.actions.append(
            replace(
                received,
                repeated=received.is_no_op and key in self._applied,
                excused=key in self._unheard,
                touched=received.ref in self._touched,
            )
        )
        if received.to_state is not None:
            self._applied.add(key)

    def saw_touch(self, touch: SapoTouch) -> None:
        """Note one move that no call made."""
        self.touches.append(touch)
        self._touched.add(touch.ref)

    def saw_exchange(self, exchange: SapoExchange) -> None:
        """Note one request and what its client saw of it."""
        kind = _kind(exchange)
        self._by_shop[exchange.shop or ""] += 1
        self._counts[kind] += 1
        self._counts[f"status {exchange.status}"] += 1
        if not exchange.reached:
            self._counts[f"lost {kind}"] += 1
        if exchange.usable:
            return
        self.unusable.append(exchange)
        if exchange.target is not None:
            self._unheard.add(exchange.target)

    def forget(self) -> None:
        """Start again with an empty record."""
        for record in (self.actions, self.touches, self.unusable):
            record.clear()
        for index in (self._counts, self._by_shop, self._applied, self._unheard, self._touched):
            index.clear()

    def report(self) -> SapoReport:
        """Judge everything seen so far."""
        illegal = [each for each in self.actions if each.is_illegal]
        repeated = [each for each in self.actions if each.repeated]
        applied = sum(each.to_state is not None for each in self.actions)
        return SapoReport(
            writes_received=len(self.actions),
            applied=applied,
            refused=len(self.actions) - applied,
            lost=self._counts["lost action"],
            other_writes=self._counts["write"],
            no_ops=tuple(each for each in self.actions if each.is_no_op),
            duplicates=tuple(repeated),
            without_cause=tuple(each for each in repeated if not each.excused),
            illegal=tuple(each for each in illegal if not each.touched),
            illegal_after_touch=tuple(each for each in illegal if each.touched),
            after_final=tuple(each for each in self.actions if each.is_after_final),
            ambiguous=tuple(each for each in self.unusable if _kind(each) == "action"),
            touches=tuple(self.touches),
            gets=self._counts["read"],
            throttled=self._counts["status 429"],
            requests_by_shop={shop: n for shop, n in self._by_shop.items() if shop},
            max_writes_per_fulfillment=_most(each.ref for each in self.actions),
        )


def _kind(exchange: SapoExchange) -> str:
    if exchange.method == "GET":
        return "read"
    return "write" if exchange.target is None else "action"


def _most(keys: Iterable[object]) -> int:
    return max(Counter(keys).values(), default=0)
