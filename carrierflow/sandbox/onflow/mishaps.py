"""What each kind of fault does to a request at Onflow, beside what goes wrong on any wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.onflow.envelope import OnflowProblem
from carrierflow.sandbox.refusals import BadInput, SandboxError
from carrierflow.sandbox.wire_faults import WIRE_EFFECTS, after, before


if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.exchange import HttpReply, Outcome
    from carrierflow.sandbox.onflow.b2c_endpoints import OnflowCall, OnflowRoutes


__all__ = ["EFFECTS", "OnflowMishap", "befall", "throttled"]

_WAIT, _LONG_WAIT = "2", "3600"
_UNHEARD_OF = "777"
_TIMES = ("created_time", "updated_time", "picked_time", "packed_time", "handover_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowMishap:
    """A fault and the request that it befalls."""

    fault: Fault
    call: OnflowCall
    routes: OnflowRoutes
    chance: random.Random

    @property
    def platform_name(self) -> str:
        """How the platform calls itself on a page."""
        return "Onflow"

    def answer(self) -> HttpReply:
        """Do what the request asks, in earnest."""
        return self.routes.answer(self.call)

    def answer_later(self) -> None:
        """Do it when the seconds of the fault are over."""
        self.call.world.later(self.fault.seconds, self.answer)

    def broken(self) -> HttpReply:
        """Return a 500 as Onflow words it."""
        return self.call.failed(OnflowProblem.INTERNAL_SERVER_ERROR, status=500)

    def refused(self) -> HttpReply:
        """Return a refusal of this account, in a 200 or not."""
        return self.call.refused(OnflowProblem.BAD_REQUEST)


def befall(mishap: OnflowMishap) -> Outcome:
    """Let a fault befall a request and return what its client sees.

    Raises:
        BadInput: if nothing at Onflow corresponds to the fault.
    """
    effect = EFFECTS.get(mishap.fault.kind)
    if effect is None:
        raise BadInput(f"Onflow has no fault {mishap.fault.kind}.")
    return effect(mishap)


def throttled(call: OnflowCall, wait: str | None) -> HttpReply:
    """Return a 429; its body is an assumption, and so is that it tells how long to wait."""
    reply = call.failed(OnflowProblem.TOO_MANY_REQUESTS, status=429)
    return replace(reply, headers={**reply.headers, **({"Retry-After": wait} if wait else {})})


def _throttle(mishap: OnflowMishap) -> Outcome:
    return throttled(mishap.call, _WAIT)


def _throttle_bare(mishap: OnflowMishap) -> Outcome:
    return throttled(mishap.call, None)


def _throttle_long(mishap: OnflowMishap) -> Outcome:
    return throttled(mishap.call, _LONG_WAIT)


def _read_stale(mishap: OnflowMishap) -> Outcome:
    moment = mishap.call.world.now() - round(mishap.fault.seconds * TICKS_PER_SECOND)
    return mishap.routes.answer(replace(mishap.call, as_of=moment))


def _hide(mishap: OnflowMishap) -> Outcome:
    """Leave shipments out of a list, and know nothing of the one that is asked for."""
    is_single = mishap.routes.code_in(mishap.call.request.path) is not None
    share = 1.0 if is_single else mishap.fault.share
    return mishap.routes.answer(
        replace(mishap.call, hides=lambda _code: mishap.chance.random() < share)
    )


def _say_nonsense(mishap: OnflowMishap) -> Outcome:
    number = int(mishap.fault.word or _UNHEARD_OF)
    return _changed(mishap, _with_status("value", number), every=True)


def _damage(mishap: OnflowMishap) -> Outcome:
    return _changed(mishap, mishap.chance.choice(_DAMAGES))


def _misdate(mishap: OnflowMishap) -> Outcome:
    name, odd = mishap.chance.choice(_TIMES), mishap.chance.choice(_ODD_TIMES)
    return _changed(mishap, lambda row: {**row, name: odd})


def _move_on(mishap: OnflowMishap) -> None:
    """Let the warehouse do its next step for the shipment in the path."""
    _by_hand(mishap, mishap.call.world.move_on)


def _cancel(mishap: OnflowMishap) -> None:
    """Let somebody cancel it in the web portal."""
    _by_hand(mishap, mishap.call.world.cancel_by_hand)


def _by_hand(mishap: OnflowMishap, act: Callable[[str], object]) -> None:
    code = mishap.routes.code_in(mishap.call.request.path)
    try:
        act(code or "")
    except SandboxError:
        return  # it is not there, or no longer may be moved


def _changed(
    mishap: OnflowMishap, change: Callable[[dict[str, Any]], Any], *, every: bool = False
) -> HttpReply:
    """Answer, with one row of the answer changed or all of them; no row, no change."""
    reply = mishap.answer()
    document = json.loads(reply.body)
    rows = document["data"] if isinstance(document["data"], list) else [document["data"]]
    if not any(rows):
        return reply
    chosen = range(len(rows)) if every else (mishap.chance.randrange(len(rows)),)
    changed = [change(row) if place in chosen else row for place, row in enumerate(rows)]
    document["data"] = changed if isinstance(document["data"], list) else changed[0]
    return replace(reply, body=encode(document))


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {key: value for key, value in row.items() if key != name}


def _with_status(name: str, value: object) -> Callable[[dict[str, Any]], Any]:
    return lambda row: {**row, "status_info": {**row["status_info"], name: value}}


_DAMAGES: tuple[Callable[[dict[str, Any]], Any], ...] = (
    _without("status_info"),
    _without("tracking_code"),
    _without("handover_time"),
    lambda row: {**row, "status_info": None},
    lambda row: {**row, "status_info": {"label": row["status_info"]["label"]}},
    lambda row: {**row, "tracking_code": {}},
    _with_status("value", "300"),
    _with_status("value", None),
    lambda _row: None,
    lambda _row: "a shipment",
)
_ODD_TIMES: tuple[object, ...] = (0, -1, 1, 1773367301000, 99999999999999, "1773367301", "soon", [])
"""No time, before time, milliseconds for seconds, the year three million, and what is no number."""

EFFECTS: Mapping[FaultKind, Callable[[OnflowMishap], Outcome]] = {
    **WIRE_EFFECTS,
    FaultKind.THROTTLE_429: _throttle,
    FaultKind.THROTTLE_429_BARE: _throttle_bare,
    FaultKind.THROTTLE_LONG: _throttle_long,
    FaultKind.STALE_READ: _read_stale,
    FaultKind.MISSING_IDS: _hide,
    FaultKind.NONSENSE_WORD: _say_nonsense,
    FaultKind.ODD_ROW: _damage,
    FaultKind.ODD_DATE: _misdate,
    FaultKind.MERCHANT_EDIT_BEFORE: before(_move_on),
    FaultKind.MERCHANT_EDIT_AFTER: after(_move_on),
    FaultKind.MERCHANT_CANCEL_BEFORE: before(_cancel),
    FaultKind.MERCHANT_CANCEL_AFTER: after(_cancel),
}
