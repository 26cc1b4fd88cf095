"""What goes wrong between a client and any platform, as one table.

What a platform itself says wrongly, like a word that nobody knows, is the platform's own business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from carrierflow.sandbox.exchange import HTML, Dropped, HttpReply, Outcome
from carrierflow.sandbox.faults import Fault, FaultKind


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


__all__ = [
    "AT_THE_DOOR",
    "NEVER_REACHED",
    "WIRE_EFFECTS",
    "FaultyRequest",
    "after",
    "before",
    "page",
    "rewriting",
]

AT_THE_DOOR = frozenset(
    {
        FaultKind.LOST_REQUEST,
        FaultKind.THROTTLE_429,
        FaultKind.THROTTLE_429_BARE,
        FaultKind.THROTTLE_LONG,
        FaultKind.PROXY_BEFORE,
    }
)
"""What befalls a request before it is counted in a bucket."""
NEVER_REACHED = frozenset(
    {
        FaultKind.LOST_REQUEST,
        FaultKind.ERROR_500_BEFORE,
        FaultKind.PROXY_BEFORE,
        FaultKind.REFUSAL_BEFORE,
    }
)

_STRANGE = (301, 302, 303, 307, 308, 404, 408, 409, 410, 422, 425, 499)
"""What proxies, gateways and firewalls were seen to answer in somebody else's place."""


class FaultyRequest(Protocol):
    """A request that a fault befalls, as its platform sees it."""

    @property
    def fault(self) -> Fault:
        """What goes wrong."""

    @property
    def chance(self) -> random.Random:
        """Where what is left open is drawn from."""

    @property
    def platform_name(self) -> str:
        """How the platform calls itself on a page."""

    def answer(self) -> HttpReply:
        """Do what the request asks, in earnest."""

    def answer_later(self) -> None:
        """Do it when the seconds of the fault are over."""

    def broken(self) -> HttpReply:
        """Return the platform's own word for a mistake of its own, a 500."""

    def refused(self) -> HttpReply:
        """Return the platform's own word for what it will not do."""


R = TypeVar("R", bound=FaultyRequest)


def before(action: Callable[[R], None]) -> Callable[[R], Outcome]:
    """Return the effect of something that happens just before the request is answered."""

    def act(request: R) -> Outcome:
        action(request)
        return request.answer()

    return act


def after(action: Callable[[R], None]) -> Callable[[R], Outcome]:
    """Return the effect of something that happens just after."""

    def act(request: R) -> Outcome:
        reply = request.answer()
        action(request)
        return reply

    return act


def rewriting(change: Callable[[bytes, R], bytes]) -> Callable[[R], Outcome]:
    """Return the effect of an answer whose body is changed on its way."""

    def act(request: R) -> Outcome:
        reply = request.answer()
        return replace(reply, body=change(reply.body, request))

    return act


def page(status: int, title: str) -> HttpReply:
    """Return a page for people where a client waits for JSON."""
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return HttpReply(status=status, body=body.encode(), headers={"Content-Type": HTML})


def _lose_request(_request: FaultyRequest) -> Outcome:
    return Dropped(reason="The request never arrived.")


def _lose_reply(request: FaultyRequest) -> Outcome:
    request.answer()
    return Dropped(reason="The reply was lost.")


def _apply_late(request: FaultyRequest) -> Outcome:
    request.answer_later()
    if request.fault.gateway_timeout:
        return page(504, "504 Gateway Timeout")
    return Dropped(reason="The request is still on its way.")


def _fail_before(request: FaultyRequest) -> Outcome:
    return request.broken()


def _fail_after(request: FaultyRequest) -> Outcome:
    request.answer()
    return page(502, "502 Bad Gateway")


def _refuse(request: FaultyRequest) -> Outcome:
    return request.refused()


def _refuse_after(request: FaultyRequest) -> Outcome:
    request.answer()
    return request.refused()


def _intercept(request: FaultyRequest) -> Outcome:
    status = request.fault.status or request.chance.choice(_STRANGE)
    return page(status, f"{status} from a proxy")


def _intercept_after(request: FaultyRequest) -> Outcome:
    request.answer()
    return _intercept(request)


def _slow_down(request: FaultyRequest) -> Outcome:
    return replace(request.answer(), delay_seconds=request.fault.seconds)


def _answer_page(request: FaultyRequest) -> Outcome:
    request.answer()
    return page(200, f"{request.platform_name} is being maintained")


def _answer_nothing(request: FaultyRequest) -> Outcome:
    return replace(request.answer(), status=200, body=b"")


def _truncate(request: FaultyRequest) -> Outcome:
    return replace(request.answer(), is_truncated=True)


def _inflate(request: FaultyRequest) -> Outcome:
    reply = request.answer()
    padding = b',"padding":"' + b"x" * request.fault.size + b'"}'
    return replace(reply, body=reply.body[:-1] + padding)


WIRE_EFFECTS: Mapping[FaultKind, Callable[[FaultyRequest], Outcome]] = {
    FaultKind.LOST_REQUEST: _lose_request,
    FaultKind.LOST_REPLY: _lose_reply,
    FaultKind.LATE_APPLY: _apply_late,
    FaultKind.ERROR_500_BEFORE: _fail_before,
    FaultKind.ERROR_502_AFTER: _fail_after,
    FaultKind.PROXY_BEFORE: _intercept,
    FaultKind.PROXY_AFTER: _intercept_after,
    FaultKind.REFUSAL_BEFORE: _refuse,
    FaultKind.REFUSAL_AFTER: _refuse_after,
    FaultKind.SLOW: _slow_down,
    FaultKind.HTML: _answer_page,
    FaultKind.EMPTY_BODY: _answer_nothing,
    FaultKind.TRUNCATED_BODY: _truncate,
    FaultKind.HUGE_BODY: _inflate,
}
