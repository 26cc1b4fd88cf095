"""What each kind of fault does to a request at Sapo, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.odd_replies import bared
from carrierflow.sandbox.sapo.admin_lists import SapoReading
from carrierflow.sandbox.sapo.admin_routes import answer
from carrierflow.sandbox.sapo.data_errors import (
    SapoRefusal,
    cannot_be_received,
    cannot_be_shipped,
    message_error,
)
from carrierflow.sandbox.sapo.fulfillment_states import TRANSITIONS, SapoAction, SapoState
from carrierflow.sandbox.sapo.odd_fulfillments import (
    with_odd_date,
    with_odd_row,
    with_word,
)
from carrierflow.sandbox.sapo.sapo_orders import SapoRef
from carrierflow.sandbox.wire_faults import WIRE_EFFECTS, after, before, page, rewriting


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.sapo.sapo_shop import SapoShop
    from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = ["LIMIT_HEADER", "SapoFault", "befall", "throttled"]

LIMIT_HEADER = "X-Sapo-Api-Call-Limit"
_AN_HOUR = "3600"
_OVERFULL = "999999/40"
_NONSENSE = "teleported"
_CLOUDFLARE = (403, 429, 503)
"""The statuses with which integrators met a page of Cloudflare's in Sapo's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoFault:
    """A fault and the request that it befalls."""

    fault: Fault
    world: SapoWorld
    shop: SapoShop
    request: HttpRequest
    chance: random.Random

    @property
    def platform_name(self) -> str:
        """How the platform calls itself on a page."""
        return "Sapo"

    def answer(self, reading: SapoReading | None = None) -> HttpReply:
        """Do what the request asks, in earnest."""
        return answer(self.world, self.shop, self.request, reading or SapoReading())

    def answer_later(self) -> None:
        """Do it when the seconds of the fault are over."""
        self.world.later(self.fault.seconds, self.answer)

    def broken(self) -> HttpReply:
        """Return a 500; how Sapo words it is not documented."""
        return message_error(500, "Internal Server Error").reply()

    def refused(self) -> HttpReply:
        """Return the refusal of an action, whatever was asked."""
        is_receive = "/receive" in self.request.path
        return (cannot_be_received() if is_receive else cannot_be_shipped()).reply()


def befall(befallen: SapoFault) -> Outcome:
    """Let a fault befall a request and return what its client sees."""
    return EFFECTS[befallen.fault.kind](befallen)


def throttled(shop: SapoShop, retry_after: str | None = None) -> HttpReply:
    """Return the refusal of one request too many; the pause is how long one takes to leak."""
    reply = message_error(429, "Too Many Requests").reply()
    headers = {**reply.headers, "Retry-After": retry_after or _pause(shop)}
    if shop.options.tells_limit:
        headers[LIMIT_HEADER] = shop.bucket.full_header
    return replace(reply, headers=headers)


def _pause(shop: SapoShop) -> str:
    return str(-(-60 // shop.options.leak_per_minute))


def _throttle(befallen: SapoFault) -> Outcome:
    return throttled(befallen.shop)


def _throttle_bare(_befallen: SapoFault) -> Outcome:
    return message_error(429, "Too Many Requests").reply()


def _throttle_long(befallen: SapoFault) -> Outcome:
    return throttled(befallen.shop, _AN_HOUR)


def _count_oddly(befallen: SapoFault) -> Outcome:
    reply = befallen.answer()
    return replace(reply, headers={**reply.headers, LIMIT_HEADER: _OVERFULL})


def _intercept(befallen: SapoFault) -> Outcome:
    status = befallen.fault.status or befallen.chance.choice(_CLOUDFLARE)
    return page(status, "Attention Required! | Cloudflare")


def _intercept_after(befallen: SapoFault) -> Outcome:
    befallen.answer()
    return _intercept(befallen)


def _read_stale(befallen: SapoFault) -> Outcome:
    moment = befallen.world.now() - round(befallen.fault.seconds * TICKS_PER_SECOND)
    return befallen.answer(SapoReading(as_of=moment))


def _omit_orders(befallen: SapoFault) -> Outcome:
    named, chance, share = frozenset(befallen.fault.ids), befallen.chance, befallen.fault.share
    if named:
        return befallen.answer(SapoReading(omits=named.__contains__))
    return befallen.answer(SapoReading(omits=lambda _order_id: chance.random() < share))


def _ignore_ids(befallen: SapoFault) -> Outcome:
    query = {name: value for name, value in befallen.request.query.items() if name != "ids"}
    return replace(befallen, request=replace(befallen.request, query=query)).answer()


def _speak_nonsense(body: bytes, befallen: SapoFault) -> bytes:
    return with_word(body, befallen.fault.word or _NONSENSE)


def _edit(befallen: SapoFault) -> None:
    """Do by hand the action that the fault names, or any that the parcel's state allows."""
    ref = _parcel_of(befallen)
    if ref is not None:
        word = befallen.fault.word or befallen.chance.choice(_possible(befallen, ref))
        _by_hand(befallen, ref, word)


def _cancel(befallen: SapoFault) -> None:
    ref = _parcel_of(befallen)
    if ref is not None:
        _by_hand(befallen, ref, SapoAction.CANCEL)


def _by_hand(befallen: SapoFault, ref: SapoRef, word: str) -> None:
    """Move a parcel as the merchant would; one whom Sapo refuses gives up."""
    try:
        if word == SapoState.RETRY_DELIVERY:
            befallen.world.link_says(ref, SapoState.RETRY_DELIVERY)
        else:
            befallen.world.act_by_hand(ref, SapoAction(word))
    except SapoRefusal:
        return


def _possible(befallen: SapoFault, ref: SapoRef) -> list[str]:
    _, parcel = befallen.shop.parcel(ref)
    allowed: list[str] = [action for state, action in TRANSITIONS if state is parcel.state]
    return allowed or [SapoAction.CANCEL]


def _parcel_of(befallen: SapoFault) -> SapoRef | None:
    """The parcel that the path names, or else one of an order that the request asks for."""
    numbers = [int(each) for each in re.findall(r"\d+", befallen.request.path)]
    named = re.findall(r"\d+", befallen.request.query.get("ids", ""))
    wanted = {*numbers, *(int(each) for each in named)}
    refs = [
        SapoRef(befallen.shop.code, order.id, parcel.id)
        for order in befallen.shop.orders()
        for parcel in order.fulfillments
        if parcel.id in wanted or order.id in wanted
    ]
    exact = [ref for ref in refs if ref.fulfillment_id in wanted]
    return befallen.chance.choice(exact or refs) if refs else None


EFFECTS: Mapping[FaultKind, Callable[[SapoFault], Outcome]] = {
    **WIRE_EFFECTS,
    FaultKind.PROXY_BEFORE: _intercept,
    FaultKind.PROXY_AFTER: _intercept_after,
    FaultKind.THROTTLE_429: _throttle,
    FaultKind.THROTTLE_429_BARE: _throttle_bare,
    FaultKind.THROTTLE_LONG: _throttle_long,
    FaultKind.ODD_HEADER: _count_oddly,
    FaultKind.STALE_READ: _read_stale,
    FaultKind.MISSING_IDS: _omit_orders,
    FaultKind.BARE_ORDERS: rewriting(lambda body, _: bared(body)),
    FaultKind.IDS_IGNORED: _ignore_ids,
    FaultKind.NONSENSE_WORD: rewriting(
        lambda body, it: with_word(body, it.fault.word or _NONSENSE)
    ),
    FaultKind.ODD_ROW: rewriting(lambda body, it: with_odd_row(body, it.chance)),
    FaultKind.ODD_DATE: rewriting(lambda body, it: with_odd_date(body, it.chance)),
    FaultKind.MERCHANT_EDIT_BEFORE: before(_edit),
    FaultKind.MERCHANT_EDIT_AFTER: after(_edit),
    FaultKind.MERCHANT_CANCEL_BEFORE: before(_cancel),
    FaultKind.MERCHANT_CANCEL_AFTER: after(_cancel),
}
