"""What each kind of fault does to a request at Haravan, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.haravan.call_limit import HEADER
from carrierflow.sandbox.haravan.damage import damaged, misdated, spoken
from carrierflow.sandbox.haravan.endpoints import answer, parcel_of
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.list_queries import Reading
from carrierflow.sandbox.haravan.vocabulary import CANCEL, DELIVERED
from carrierflow.sandbox.odd_replies import bared
from carrierflow.sandbox.refusals import SandboxError
from carrierflow.sandbox.wire_faults import WIRE_EFFECTS, after, before, rewriting


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.parcels import ParcelRef
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["RETRY_AFTER", "FaultContext", "apply"]

RETRY_AFTER = "2.0"
_LONG_RETRY_AFTER = "3600"
_OVERFULL = "999999/80"
_NONSENSE = "teleported"
_EDITS = ("picking", "delivering", DELIVERED, "notmeetcustomer", "return")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultContext:
    """A fault and the request that it befalls."""

    fault: Fault
    world: World
    shop: SandboxShop
    request: HttpRequest
    chance: random.Random

    def answer(self, reading: Reading | None = None) -> HttpReply:
        """Do what the request asks, in earnest."""
        return answer(self.world, self.shop, self.request, reading or Reading())

    @property
    def platform_name(self) -> str:
        """How the platform calls itself on a page."""
        return "Haravan"

    def answer_later(self) -> None:
        """Do it when the seconds of the fault are over."""
        self.world.later(self.fault.seconds, self.answer)

    def broken(self) -> HttpReply:
        """Return a 500 as Haravan words it."""
        return failed(500, "Internal Server Error")

    def refused(self) -> HttpReply:
        """Return a 422 as Haravan words it."""
        return failed(422, "This cannot be done now.")


def apply(context: FaultContext) -> Outcome:
    """Let a fault befall a request and return what its client sees."""
    return EFFECTS[context.fault.kind](context)


def _throttle(context: FaultContext) -> Outcome:
    full = context.shop.bucket.full_header
    reply = failed(429, "Too Many Requests")
    return replace(reply, headers={**reply.headers, "Retry-After": RETRY_AFTER, HEADER: full})


def _throttle_bare(context: FaultContext) -> Outcome:
    reply = failed(429, "Too Many Requests")
    return replace(reply, headers={**reply.headers, HEADER: f"1/{context.shop.bucket.size}"})


def _throttle_long(_fault_effect: FaultContext) -> Outcome:
    reply = failed(429, "Too Many Requests")
    return replace(reply, headers={**reply.headers, "Retry-After": _LONG_RETRY_AFTER})


def _count_oddly(context: FaultContext) -> Outcome:
    reply = context.answer()
    return replace(reply, headers={**reply.headers, HEADER: _OVERFULL})


def _read_stale(context: FaultContext) -> Outcome:
    moment = context.world.now() - round(context.fault.seconds * TICKS_PER_SECOND)
    return context.answer(Reading(as_of=moment))


def _omit_orders(context: FaultContext) -> Outcome:
    named, chance, share = frozenset(context.fault.ids), context.chance, context.fault.share
    if named:
        return context.answer(Reading(omits=named.__contains__))
    return context.answer(Reading(omits=lambda _order_id: chance.random() < share))


def _ignore_ids(context: FaultContext) -> Outcome:
    query = {name: value for name, value in context.request.query.items() if name != "ids"}
    return replace(context, request=replace(context.request, query=query)).answer()


def _edit(context: FaultContext) -> None:
    _by_hand(context, context.fault.word or context.chance.choice(_EDITS))


def _cancel(context: FaultContext) -> None:
    _by_hand(context, CANCEL)


def _by_hand(context: FaultContext, status: str) -> None:
    """Set a status as the merchant would; one who finds the parcel cancelled or gone gives up."""
    ref = _target(context)
    if ref is None:
        return
    try:
        context.world.edit(ref, carrier_status=status)
    except SandboxError:
        return


def _target(context: FaultContext) -> ParcelRef | None:
    """The parcel in the path, or else one of an order that the request asks for."""
    named = parcel_of(context.shop, context.request.path)
    wanted = [int(each) for each in re.findall(r"\d+", context.request.query.get("ids", ""))]
    orders = [order for each in wanted if (order := context.shop.orders.get(each)) is not None]
    parcels = [parcel.ref for order in orders for parcel in context.shop.parcels_of(order)]
    return named or (context.chance.choice(parcels) if parcels else None)


EFFECTS: Mapping[FaultKind, Callable[[FaultContext], Outcome]] = {
    **WIRE_EFFECTS,
    FaultKind.THROTTLE_429: _throttle,
    FaultKind.THROTTLE_429_BARE: _throttle_bare,
    FaultKind.THROTTLE_LONG: _throttle_long,
    FaultKind.ODD_HEADER: _count_oddly,
    FaultKind.STALE_READ: _read_stale,
    FaultKind.MISSING_IDS: _omit_orders,
    FaultKind.BARE_ORDERS: rewriting(lambda body, _: bared(body)),
    FaultKind.IDS_IGNORED: _ignore_ids,
    FaultKind.NONSENSE_WORD: rewriting(lambda body, it: spoken(body, it.fault.word or _NONSENSE)),
    FaultKind.ODD_ROW: rewriting(lambda body, it: damaged(body, it.chance)),
    FaultKind.ODD_DATE: rewriting(lambda body, it: misdated(body, it.chance)),
    FaultKind.MERCHANT_EDIT_BEFORE: before(_edit),
    FaultKind.MERCHANT_EDIT_AFTER: after(_edit),
    FaultKind.MERCHANT_CANCEL_BEFORE: before(_cancel),
    FaultKind.MERCHANT_CANCEL_AFTER: after(_cancel),
}
