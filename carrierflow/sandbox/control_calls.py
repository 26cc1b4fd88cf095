"""Control over HTTP, under `/_sandbox/`: what every sandbox lets be looked at, planned and moved.

These calls need no token and are not counted in any bucket.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import ManualClock, to_datetime
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, json_reply
from carrierflow.sandbox.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.refusals import BadInput, SandboxError


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from carrierflow.sandbox.world_clock import WorldClock


__all__ = ["ControlCalls", "body_of"]

_PREFIX = "/_sandbox/"


class ControlCalls:
    """Answers control calls; bad input gets 400 with one sentence.

    `calls` are a platform's own, by method and name. While one is answered its world is locked,
    but for those in `unlocked`, which call somebody themselves. `kinds` are the faults that can
    befall a request there.
    """

    def __init__(
        self,
        world: WorldClock,
        faults: Faults,
        calls: Mapping[tuple[str, str], Callable[[HttpRequest], Any]],
        *,
        kinds: Collection[FaultKind] = tuple(FaultKind),
        unlocked: Collection[str] = (),
        prints: Callable[[int], str | None] = lambda ticks: to_datetime(ticks).isoformat(),
    ) -> None:
        self._world = world
        self._faults = faults
        self._kinds = kinds
        self._unlocked = {f"{_PREFIX}{name}" for name in unlocked}
        self._prints = prints
        self._calls = {
            ("GET", "health"): self._health,
            ("POST", "faults"): self._plan_faults,
            ("POST", "advance"): self._advance,
            **calls,
        }

    def owns(self, request: HttpRequest) -> bool:
        """Whether a request is a control call."""
        return request.path.startswith(_PREFIX)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Do what a control call asks."""
        call = self._calls.get((request.method, request.path.removeprefix(_PREFIX)))
        if call is None:
            return _failed(404, f"There is no control call {request.method} {request.path}.")
        try:
            if request.path in self._unlocked:
                return json_reply(200, call(request))
            with self._world.lock:
                self._world.settle()
                return json_reply(200, call(request))
        except (SandboxError, KeyError, TypeError, ValueError) as error:
            return _failed(400, _sentence(error))

    def now(self) -> str | None:
        """Return the sandbox's time as it prints it."""
        return self._prints(self._world.now())

    def end_faults(self) -> None:
        """Let nothing go wrong any more, and forget what did."""
        self._faults.plan()
        self._faults.given.clear()

    def faults_given(self) -> dict[str, int]:
        """Return how often each kind of fault befell a request."""
        return {str(kind): times for kind, times in self._faults.given.items()}

    def _health(self, _request: HttpRequest) -> dict[str, Any]:
        return {"ok": True, "now": self.now()}

    def _plan_faults(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, optional=("mix", "seed", "script"))
        mix = None if body.get("mix") is None else _mix(body["mix"])
        script = [_rule(each) for each in body.get("script", ())]
        self._check_kinds([*(mix.rates if mix else ()), *(rule.fault.kind for rule in script)])
        self._faults.plan(mix=mix, seed=int(body.get("seed", 0)), script=script)
        return {"ok": True}

    def _check_kinds(self, kinds: Collection[FaultKind]) -> None:
        for kind in kinds:
            if kind not in self._kinds:
                raise BadInput(f"Nothing on this platform corresponds to the fault {kind}.")

    def _advance(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("seconds",))
        if not isinstance(self._world.clock, ManualClock):
            raise BadInput("Only a sandbox with a manual clock can be advanced.")
        self._world.clock.advance(float(body["seconds"]))
        self._world.settle()
        return {"now": self.now()}


def body_of(
    request: HttpRequest, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the fields of a control call.

    Raises:
        BadInput: if one is missing, or nobody knows one.
    """
    payload = request.payload()
    missing = [name for name in required if name not in payload]
    unknown = sorted(set(payload) - {*required, *optional})
    if missing or unknown:
        what = f"needs {missing[0]!r}" if missing else f"does not know {unknown[0]!r}"
        raise BadInput(f"{request.path} {what}.")
    return payload


def _mix(body: Mapping[str, Any]) -> FaultMix:
    rates = {FaultKind(kind): float(rate) for kind, rate in body.get("rates", {}).items()}
    plain = {name: value for name, value in body.items() if name != "rates"}
    bounds = {name: tuple(pair) for name, pair in plain.items() if isinstance(pair, list)}
    return FaultMix(rates=rates, **{**plain, **bounds})


def _rule(body: Mapping[str, Any]) -> Rule:
    """Read one flat object: the fields of a rule and those of its fault side by side."""
    own = {spec.name for spec in fields(Rule)} - {"fault"}
    fault = {name: value for name, value in body.items() if name not in own}
    fault |= {"kind": FaultKind(fault["kind"]), "ids": tuple(fault.get("ids", ()))}
    return Rule(fault=Fault(**fault), **{name: body[name] for name in own & set(body)})


def _failed(status: int, sentence: str) -> HttpReply:
    return json_reply(status, {"errors": sentence})


def _sentence(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown."
    return str(error)
