"""What each kind of fault does to a request, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.exchange import HTML, Dropped, HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.haravan.call_limit import HEADER
from carrierflow.sandbox.haravan.damage import bared, damaged, misdated, spoken
from carrierflow.sandbox.haravan.endpoints import answer, parcel_of
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.list_queries import Reading
from carrierflow.sandbox.haravan.vocabulary import CANCEL, DELIVERED
from carrierflow.sandbox.refusals import SandboxError


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.parcels import ParcelRef
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["AT_THE_DOOR", "NEVER_REACHED", "RETRY_AFTER", "FaultContext", "apply"]

RETRY_AFTER = "2.0"
_LONG_RETRY_AFTER = "3600"
_OVERFULL = "999999/80"
_NONSENSE = "teleported"
_STRANGE = (301, 302, 303, 307, 308, 404, 408, 409, 410, 422, 425, 499)
"""What proxies, gateways and firewalls were seen to answer in somebody else's place."""
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


def apply(context: FaultContext) -> Outcome:
    """Let a fault befall a request and return what its client sees."""
    return EFFECTS[context.fault.kind](context)


def _lose_request(_fault_effect: FaultContext) -> Outcome:
    return Dropped(reason="The request never arrived.")


def _lose_reply(context: FaultContext) -> Outcome:
    context.answer()
    return Dropped(reason="The reply was lost.")


def _apply_late(context: FaultContext) -> Outcome:
    context.world.later(context.fault.seconds, context.answer)
    if context.fault.gateway_timeout:
        return _page(504, "504 Gateway Timeout")
    return Dropped(reason="The request is still on its way.")


def _fail_before(_fault_effect: FaultContext) -> Outcome:
    return failed(500, "Internal Server Error")


def _fail_after(context: FaultContext) -> Outcome:
    context.answer()
    return _page(502, "502 Bad Gateway")


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


def _intercept(context: FaultContext) -> Outcome:
    status = context.fault.status or context.chance.choice(_STRANGE)
    return _page(status, f"{status} from a proxy")


def _intercept_after(context: FaultContext) -> Outcome:
    context.answer()
    return _intercept(context)


def _slow_down(context: FaultContext) -> Outcome:
    return replace(context.answer(), delay_seconds=context.fault.seconds)


def _answer_page(context: FaultContext) -> Outcome:
    context.answer()
    return _page(200, "Haravan is being maintained")


def _answer_nothing(context: FaultContext) -> Outcome:
    return replace(context.answer(), status=200, body=b"")


def _truncate(context: FaultContext) -> Outcome:
    return replace(context.answer(), is_truncated=True)


def _inflate(context: FaultContext) -> Outcome:
    reply = context.answer()
    padding = b',"padding":"' + b"x" * context.fault.size + b'"}'
    return replace(reply, body=reply.body[:-1] + padding)


def _read_stale(context: FaultContext) -> Outcome:
    moment = context.world.now() - round(context.fault.seconds * TICKS_PER_SECOND)
    return context.answer(Reading(as_of=moment))


def _omit_orders(context: FaultContext) -> Outcome:
    named, chance, share = frozenset(context.fault.ids), context.chance, context.fault.share
    if named:
        return context.answer(Reading(omits=named.__contains__))
    return context.answer(Reading(omits=lambda _order_id: chance.random() < share))


def _show_bare_orders(context: FaultContext) -> Outcome:
    reply = context.answer()
    return replace(reply, body=bared(reply.body))


def _ignore_ids(context: FaultContext) -> Outcome:
    query = {name: value for name, value in context.request.query.items() if name != "ids"}
    return replace(context, request=replace(context.request, query=query)).answer()


def _speak_nonsense(context: FaultContext) -> Outcome:
    reply = context.answer()
    return replace(reply, body=spoken(reply.body, context.fault.word or _NONSENSE))


def _damage_row(context: FaultContext) -> Outcome:
    reply = context.answer()
    return replace(reply, body=damaged(reply.body, context.chance))


def _misdate(context: FaultContext) -> Outcome:
    reply = context.answer()
    return replace(reply, body=misdated(reply.body, context.chance))


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


def _before(action: Callable[[FaultContext], None]) -> Callable[[FaultContext], Outcome]:
    def act(context: FaultContext) -> Outcome:
        action(context)
        return context.answer()

    return act


def _after(action: Callable[[FaultContext], None]) -> Callable[[FaultContext], Outcome]:
    def act(context: FaultContext) -> Outcome:
        reply = context.answer()
        action(context)
        return reply

    return act


def _page(status: int, title: str) -> HttpReply:
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return HttpReply(status=status, body=body.encode(), headers={"Content-Type": HTML})


EFFECTS: Mapping[FaultKind, Callable[[FaultContext], Outcome]] = {
    FaultKind.LOST_REQUEST: _lose_request,
    FaultKind.LOST_REPLY: _lose_reply,
    FaultKind.LATE_APPLY: _apply_late,
    FaultKind.ERROR_500_BEFORE: _fail_before,
    FaultKind.ERROR_502_AFTER: _fail_after,
    FaultKind.THROTTLE_429: _throttle,
    FaultKind.THROTTLE_429_BARE: _throttle_bare,
    FaultKind.THROTTLE_LONG: _throttle_long,
    FaultKind.ODD_HEADER: _count_oddly,
    FaultKind.PROXY_BEFORE: _intercept,
    FaultKind.PROXY_AFTER: _intercept_after,
    FaultKind.SLOW: _slow_down,
    FaultKind.HTML: _answer_page,
    FaultKind.EMPTY_BODY: _answer_nothing,
    FaultKind.TRUNCATED_BODY: _truncate,
    FaultKind.HUGE_BODY: _inflate,
    FaultKind.STALE_READ: _read_stale,
    FaultKind.MISSING_IDS: _omit_orders,
    FaultKind.BARE_ORDERS: _show_bare_orders,
    FaultKind.IDS_IGNORED: _ignore_ids,
    FaultKind.NONSENSE_WORD: _speak_nonsense,
    FaultKind.ODD_ROW: _damage_row,
    FaultKind.ODD_DATE: _misdate,
    FaultKind.MERCHANT_EDIT_BEFORE: _before(_edit),
    FaultKind.MERCHANT_EDIT_AFTER: _after(_edit),
    FaultKind.MERCHANT_CANCEL_BEFORE: _before(_cancel),
    FaultKind.MERCHANT_CANCEL_AFTER: _after(_cancel),
}

AT_THE_DOOR = frozenset(
    {
        FaultKind.LOST_REQUEST,
        FaultKind.THROTTLE_429,
        FaultKind.THROTTLE_429_BARE,
        FaultKind.THROTTLE_LONG,
        FaultKind.PROXY_BEFORE,
    }
)
NEVER_REACHED = frozenset(
    {FaultKind.LOST_REQUEST, FaultKind.ERROR_500_BEFORE, FaultKind.PROXY_BEFORE}
)
