"""Control over HTTP, under `/_sandbox/`: look, reset, plant, break and judge.

These calls need no token and are not counted in any bucket.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, json_reply
from carrierflow.sandbox.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.haravan.dotnet_time import printed_fresh
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.parcels import ParcelRef, Recipient
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.state_json import call_state, parcel_state, shop_state
from carrierflow.sandbox.refusals import BadInput, SandboxError


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.recorder import Legal
    from carrierflow.sandbox.haravan.webhook_sender import WebhookSender
    from carrierflow.sandbox.haravan.world import World


__all__ = ["Control"]

_PREFIX = "/_sandbox/"
_UNLOCKED = frozenset({f"{_PREFIX}poll", f"{_PREFIX}challenge"})  # these call the carrier


class Control:
    """Answers the control calls; bad input gets 400 with one sentence."""

    def __init__(
        self, world: World, faults: Faults, legal: Legal | None, webhook_sender: WebhookSender
    ) -> None:
        self._webhook_sender = webhook_sender
        self._world = world
        self._faults = faults
        self._legal = legal
        self._calls: Mapping[tuple[str, str], Callable[[HttpRequest], Any]] = {
            ("GET", "health"): self._health,
            ("GET", "state"): self._state,
            ("GET", "judge"): self._judge,
            ("POST", "reset"): self._reset,
            ("POST", "shops"): self._add_shop,
            ("POST", "orders"): self._add_parcel,
            ("POST", "faults"): self._plan_faults,
            ("POST", "edit"): self._edit,
            ("POST", "poll"): self._poll,
            ("POST", "advance"): self._advance,
            ("POST", "app"): self._change_app,
            ("POST", "uninstall"): self._uninstall,
            ("POST", "challenge"): self._challenge,
            ("GET", "calls"): self._calls_made,
        }

    def owns(self, request: HttpRequest) -> bool:
        """Whether a request is a control call."""
        return request.path.startswith(_PREFIX)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Do what a control call asks."""
        call = self._calls.get((request.method, request.path.removeprefix(_PREFIX)))
        if call is None:
            return failed(404, f"There is no control call {request.method} {request.path}.")
        try:
            if request.path in _UNLOCKED:
                return json_reply(200, call(request))
            with self._world.lock:
                self._world.settle()
                return json_reply(200, call(request))
        except (SandboxError, KeyError, TypeError, ValueError) as error:
            return failed(400, _sentence(error))

    def _health(self, _request: HttpRequest) -> dict[str, Any]:
        return {"ok": True, "now": printed_fresh(self._world.now())}

    def _state(self, request: HttpRequest) -> dict[str, Any]:
        only = request.query.get("shop")
        shops = [self._world.shop(only)] if only else list(self._world.shops.values())
        return {
            "now": printed_fresh(self._world.now()),
            "app": asdict(self._world.app),
            "shops": [shop_state(self._world, shop) for shop in shops],
            "faults_given": dict(self._faults.given),
        }

    def _judge(self, _request: HttpRequest) -> dict[str, Any]:
        if self._legal is None:
            raise BadInput("This sandbox was started without legal steps to judge by.")
        return asdict(self._world.recorder.report(self._legal))

    def _reset(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, optional=("shops",))
        self._faults.plan()
        self._faults.given.clear()
        self._world.reset(keep_shops=not body.get("shops", False))
        return {"ok": True}

    def _add_shop(self, request: HttpRequest) -> dict[str, Any]:
        shop = self._world.add_shop(**_body(request, required=("code", "token"), optional=_SHOP))
        return {"code": shop.code, "org_id": shop.org_id}

    def _add_parcel(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, required=("shop",), optional=_PARCEL)
        body |= {name: int(body[name]) for name in _WHOLE if body.get(name) is not None}
        if "recipient" in body:
            body["recipient"] = Recipient(**body["recipient"])
        order_id, fulfillment_id = self._world.add_parcel(**body)
        return {"order_id": order_id, "fulfillment_id": fulfillment_id}

    def _plan_faults(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, optional=("mix", "seed", "script"))
        mix = body.get("mix")
        self._faults.plan(
            mix=None if mix is None else _mix(mix),
            seed=int(body.get("seed", 0)),
            script=[_rule(each) for each in body.get("script", ())],
        )
        return {"ok": True}

    def _edit(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, required=("shop", "order_id"), optional=_EDIT)
        shop, order_id = str(body["shop"]), int(body["order_id"])
        if "order" in body:
            _ORDER_EDITS[body["order"]](self._world, shop, order_id, body)
            return {"ok": True}
        ref = ParcelRef(shop, order_id, int(body["fulfillment_id"]))
        parcel = self._world.edit(
            ref, carrier_status=body.get("carrier_status"), cod_status=body.get("cod_status")
        )
        return parcel_state(parcel)

    def _change_app(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, optional=_APP)
        if "topics" in body:
            body["topics"] = tuple(str(topic) for topic in body["topics"])
        self._world.app = replace(self._world.app, **body)
        return asdict(self._world.app)

    def _uninstall(self, request: HttpRequest) -> dict[str, Any]:
        self._world.uninstall(str(_body(request, required=("shop",))["shop"]))
        return {"ok": True}

    def _challenge(self, _request: HttpRequest) -> dict[str, Any]:
        self._webhook_sender.challenge()
        return {"ok": True}

    def _calls_made(self, _request: HttpRequest) -> dict[str, Any]:
        return {"calls": [call_state(made) for made in self._world.calls]}

    def _poll(self, _request: HttpRequest) -> dict[str, Any]:
        return {"changed": self._world.poll_all()}

    def _advance(self, request: HttpRequest) -> dict[str, Any]:
        body = _body(request, required=("seconds",))
        if not isinstance(self._world.clock, ManualClock):
            raise BadInput("Only a sandbox with a manual clock can be advanced.")
        self._world.clock.advance(float(body["seconds"]))
        self._world.settle()
        return {"now": printed_fresh(self._world.now())}


def _cancel_order(world: World, shop: str, order_id: int, body: Mapping[str, Any]) -> None:
    ignore = body.get("ignore_cancel_fulfillment") is True
    world.cancel_order(shop, order_id, ignore_fulfillments=ignore)


def _close_order(world: World, shop: str, order_id: int, _body: Mapping[str, Any]) -> None:
    world.close_order(shop, order_id)


def _remove_order(world: World, shop: str, order_id: int, _body: Mapping[str, Any]) -> None:
    world.remove_order(shop, order_id)


_ORDER_EDITS = {"cancel": _cancel_order, "close": _close_order, "remove": _remove_order}
_APP = tuple(spec.name for spec in fields(App))
_SHOP = ("org_id", "bump_orders", "lifts_cod", "may_write", "bucket_size", "leak_per_second")
_PARCEL = (
    "cod_amount",
    "order_id",
    "fulfillment_id",
    "carrier_status",
    "cod_status",
    "tracking_number",
    "tracking_company",
    "tracking_company_code",
    "recipient",
)
_WHOLE = ("cod_amount", "order_id", "fulfillment_id")
_EDIT = ("fulfillment_id", "carrier_status", "cod_status", "order", "ignore_cancel_fulfillment")


def _body(
    request: HttpRequest, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, Any]:
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


def _sentence(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing or unknown."
    return str(error)
