"""Which request goes wrong, and how: by a mix of probabilities from a seed, or by a script."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum
from typing import TYPE_CHECKING

from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


__all__ = ["Fault", "FaultKind", "FaultMix", "Faults", "Rule"]


class FaultKind(StrEnum):
    """Everything that may happen to a request on its way there, at the platform, and back."""

    LOST_REQUEST = "lost_request"  # never applied; the connection is dropped
    LOST_REPLY = "lost_reply"  # applied; the connection is dropped
    LATE_APPLY = "late_apply"  # dropped or 504 now, applied `seconds` later
    ERROR_500_BEFORE = "error_500_before"  # not applied
    ERROR_502_AFTER = "error_502_after"  # applied; the gateway's HTML comes back
    THROTTLE_429 = "throttle_429"  # not applied; with Retry-After and a full bucket
    THROTTLE_429_BARE = "throttle_429_bare"  # not applied; the header looks empty
    THROTTLE_LONG = "throttle_long"  # not applied; Retry-After is an hour
    ODD_HEADER = "odd_header"  # applied; the bucket's header counts far beyond the bucket
    PROXY_BEFORE = "proxy_before"  # not applied; something in between answers `status`
    PROXY_AFTER = "proxy_after"  # applied; something in between answers `status`
    REFUSAL_BEFORE = "refusal_before"  # not applied, though it could be; the platform's own refusal
    REFUSAL_AFTER = "refusal_after"  # applied; the platform's own refusal comes back all the same
    SLOW = "slow"  # applied; the answer takes `seconds`
    HTML = "html"  # applied; 200 with a page
    EMPTY_BODY = "empty_body"  # applied; 200 with nothing
    TRUNCATED_BODY = "truncated_body"  # applied; the connection breaks half-way through
    HUGE_BODY = "huge_body"  # applied; the JSON is `size` bytes longer
    STALE_READ = "stale_read"  # a GET sees the world as it was `seconds` ago
    MISSING_IDS = "missing_ids"  # a GET does not see some orders
    BARE_ORDERS = "bare_orders"  # a GET shows orders, and no fulfillment in any of them
    IDS_IGNORED = (
        "ids_ignored"  # a GET of orders by their ids answers with whatever orders it likes
    )
    NONSENSE_WORD = "nonsense_word"  # a GET shows `word` for every delivery status
    ODD_ROW = "odd_row"  # a GET shows one fulfillment that cannot be read
    ODD_DATE = "odd_date"  # a GET shows one date of one fulfillment in the year one
    MERCHANT_EDIT_BEFORE = "merchant_edit_before"  # `word` is set by hand, then the request
    MERCHANT_EDIT_AFTER = "merchant_edit_after"
    MERCHANT_CANCEL_BEFORE = "merchant_cancel_before"
    MERCHANT_CANCEL_AFTER = "merchant_cancel_after"
    CALL_LOST = "call_lost"  # a callback or webhook never sent
    CALL_REPLY_LOST = "call_reply_lost"  # sent; the answer is not heard
    CALL_LATE = "call_late"  # sent `seconds` later
    CALL_DOUBLED = "call_doubled"  # sent twice
    CALL_REORDERED = "call_reordered"  # a webhook that the next one overtakes, within `seconds`
    CALL_UNSIGNED = "call_unsigned"  # sent without a signature
    CALL_MISSIGNED = "call_missigned"  # sent with the signature of another secret


_FOR_READS = frozenset(
    {
        FaultKind.STALE_READ,
        FaultKind.MISSING_IDS,
        FaultKind.BARE_ORDERS,
        FaultKind.IDS_IGNORED,
        FaultKind.NONSENSE_WORD,
        FaultKind.ODD_ROW,
        FaultKind.ODD_DATE,
    }
)
_FOR_WRITES = frozenset({FaultKind.LATE_APPLY})
_FOR_CALLS = frozenset(kind for kind in FaultKind if kind.startswith("call_"))
_DEFAULT_LATE_LIMIT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong; each field matters to the kinds that name it in their comment.

    `gateway_timeout` answers a late request with 504 instead of dropping it. `ids` are the orders
    left out; without any, each order is left out with the probability `share`.
    """

    kind: FaultKind
    seconds: float = 5.0
    size: int = 1 << 20
    word: str | None = None
    status: int | None = None
    gateway_timeout: bool = False
    ids: tuple[int, ...] = ()
    share: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The next `times` requests that match get this fault; `path` is searched as a pattern."""

    fault: Fault
    method: str | None = None
    path: str = ""
    shop: str | None = None
    times: int = 1

    def matches(self, method: str, path: str, shop: str) -> bool:
        """Whether a request is one of those that this rule is for."""
        return (
            self.method in {None, method}
            and self.shop in {None, shop}
            and re.search(self.path, path) is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMix:
    """How probable each kind of fault is, and between which bounds its length is drawn."""

    rates: Mapping[FaultKind, float] = field(default_factory=dict)
    late_seconds: tuple[float, float] = (1.0, _DEFAULT_LATE_LIMIT)
    stale_seconds: tuple[float, float] = (1.0, 20.0)
    slow_seconds: tuple[float, float] = (0.1, 2.0)
    missing_share: float = 0.3
    huge_size: int = 1 << 20

    def __post_init__(self) -> None:
        if any(rate < 0 for rate in self.rates.values()) or fsum(self.rates.values()) > 1:
            raise BadInput("The rates of a mix are probabilities whose sum is at most 1.")

    def draw(self, method: str, chance: random.Random, *, is_call: bool = False) -> Fault | None:
        """Draw what happens to one request; a kind that does not fit its method is no fault."""
        mark = chance.random()
        for kind, rate in self.rates.items():
            mark -= rate
            if mark < 0:
                fits = _fits(kind, method, is_call=is_call)
                return self._fault(kind, chance) if fits else None
        return None

    def _fault(self, kind: FaultKind, chance: random.Random) -> Fault:
        bounds = {
            FaultKind.LATE_APPLY: self.late_seconds,
            FaultKind.STALE_READ: self.stale_seconds,
        }.get(kind, self.slow_seconds)
        return Fault(
            kind=kind,
            seconds=chance.uniform(*bounds),
            size=self.huge_size,
            gateway_timeout=chance.choice((False, True)),
            share=self.missing_share,
        )


@dataclass(slots=True)
class _Turn:
    rule: Rule
    left: int


class Faults:
    """Decides for each request which fault it gets; a script goes before the mix.

    `late_limit` bounds every late request. It must stay below the settle window of the client under
    test, because that window is the client's assumption about the platform.
    """

    def __init__(
        self,
        *,
        mix: FaultMix | None = None,
        seed: int = 0,
        script: Iterable[Rule] = (),
        late_limit: float = _DEFAULT_LATE_LIMIT,
    ) -> None:
        self.late_limit = late_limit
        self.given: Counter[FaultKind] = Counter()
        self.plan(mix=mix, seed=seed, script=script)

    def plan(
        self, *, mix: FaultMix | None = None, seed: int = 0, script: Iterable[Rule] = ()
    ) -> None:
        """Replace mix, seed and script by new ones; without any, nothing goes wrong any more.

        Raises:
            BadInput: if a late request would be later than the limit, or a pattern is none.
        """
        rules = tuple(script)
        self._check(mix, rules)
        self.chance = random.Random(seed)  # noqa: S311 - faults must be repeatable, not secret
        self._mix = mix
        self._script = [_Turn(rule, rule.times) for rule in rules]

    def add(self, rule: Rule) -> None:
        """Put one more rule at the end of the script."""
        self._check(None, (rule,))
        self._script.append(_Turn(rule, rule.times))

    def choose(self, method: str, path: str, shop: str) -> Fault | None:
        """Return the fault that this request gets, and count it."""
        return self._choose(method, path, shop, is_call=False)

    def choose_for_call(self, method: str, path: str, shop: str) -> Fault | None:
        """Return the fault that a call to the carrier gets, and count it."""
        return self._choose(method, path, shop, is_call=True)

    def _choose(self, method: str, path: str, shop: str, *, is_call: bool) -> Fault | None:
        fault = self._scripted(method, path, shop, is_call=is_call)
        if fault is None and self._mix is not None:
            fault = self._mix.draw(method, self.chance, is_call=is_call)
        if fault is not None:
            self.given[fault.kind] += 1
        return fault

    def _scripted(self, method: str, path: str, shop: str, *, is_call: bool) -> Fault | None:
        for turn in self._script:
            is_meant = (turn.rule.fault.kind in _FOR_CALLS) == is_call
            if is_meant and turn.left > 0 and turn.rule.matches(method, path, shop):
                turn.left -= 1
                return turn.rule.fault
        return None

    def _check(self, mix: FaultMix | None, rules: tuple[Rule, ...]) -> None:
        late = [rule.fault.seconds for rule in rules if rule.fault.kind is FaultKind.LATE_APPLY]
        if mix is not None and mix.rates.get(FaultKind.LATE_APPLY):
            late.append(mix.late_seconds[1])
        if max(late, default=0.0) > self.late_limit:
            raise BadInput(f"No request may be applied later than {self.late_limit} seconds.")
        for rule in rules:
            try:
                re.compile(rule.path)
            except re.error as error:
                raise BadInput(f"{rule.path!r} is no pattern: {error}.") from error


def _fits(kind: FaultKind, method: str, *, is_call: bool) -> bool:
    if is_call or kind in _FOR_CALLS:
        return is_call and kind in _FOR_CALLS
    is_read = method == "GET"
    return not (kind in _FOR_READS and not is_read) and not (kind in _FOR_WRITES and is_read)
