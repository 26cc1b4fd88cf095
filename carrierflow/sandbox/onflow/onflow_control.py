"""Control over HTTP, as far as it is Onflow's own: accounts, shipments, the warehouse's work."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.control_calls import ControlCalls, body_of
from carrierflow.sandbox.faults import FaultKind
from carrierflow.sandbox.onflow.api_user import OnflowOptions
from carrierflow.sandbox.onflow.mishaps import EFFECTS
from carrierflow.sandbox.onflow.shipment_json import unix_seconds
from carrierflow.sandbox.onflow.status_numbers import OnflowStage
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.exchange import HttpRequest
    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.onflow.api_user import OnflowAccount
    from carrierflow.sandbox.onflow.outbound import OnflowShipment
    from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = ["OnflowControl"]

_SHOP = tuple(spec.name for spec in fields(OnflowOptions) if spec.name != "numbers")
_SHIPMENT = ("tracking_code", "stage", "reference")
_KINDS = frozenset({*EFFECTS, *(kind for kind in FaultKind if kind.startswith("call_"))})


class OnflowControl(ControlCalls):
    """Answers the control calls; an account is a `shop` here as everywhere."""

    def __init__(self, world: OnflowWorld, faults: Faults) -> None:
        self._onflow = world
        calls: Mapping[tuple[str, str], Callable[[HttpRequest], Any]] = {
            ("GET", "state"): self._state,
            ("GET", "judge"): self._judge,
            ("POST", "reset"): self._reset,
            ("POST", "shops"): self._add_account,
            ("POST", "shipments"): self._add_shipment,
            ("POST", "edit"): self._edit,
        }
        super().__init__(world, faults, calls, kinds=_KINDS)

    def _state(self, request: HttpRequest) -> dict[str, Any]:
        only = request.query.get("shop")
        known = [self._account(only)] if only else list(self._onflow.accounts.values())
        return {
            "now": self.now(),
            "shops": [self._account_state(account) for account in known],
            "faults_given": self.faults_given(),
        }

    def _judge(self, _request: HttpRequest) -> dict[str, Any]:
        return asdict(self._onflow.recorder.report())

    def _reset(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, optional=("shops",))
        self.end_faults()
        self._onflow.reset()
        if body.get("shops", False):
            self._onflow.accounts.clear()
        return {"ok": True}

    def _add_account(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("code", "token"), optional=_SHOP)
        if body.get("pace") is not None:
            picked, packed, handed_over = map(float, body["pace"])
            body["pace"] = (picked, packed, handed_over)
        return {"code": self._onflow.add_account(**body).code}

    def _add_shipment(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("shop",), optional=_SHIPMENT)
        account = self._account(body.pop("shop"))
        if "stage" in body:
            body["stage"] = OnflowStage(body["stage"])
        return _shipment_state(self._onflow.add_shipment(account=account.code, **body))

    def _edit(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("tracking_code", "action"))
        return _shipment_state(_EDITS[body["action"]](self._onflow, str(body["tracking_code"])))

    def _account(self, code: str) -> OnflowAccount:
        if code not in self._onflow.accounts:
            raise BadInput(f"There is no shop {code!r}.")
        return self._onflow.accounts[code]

    def _account_state(self, account: OnflowAccount) -> dict[str, Any]:
        mine = (each for each in self._onflow.shipments.values() if each.account == account.code)
        return {
            "code": account.code,
            "options": asdict(account.options),
            "shipments": [_shipment_state(each) for each in mine],
        }


def _shipment_state(shipment: OnflowShipment) -> dict[str, Any]:
    return {
        "tracking_code": shipment.tracking_code,
        "reference": shipment.reference,
        "stage": shipment.stage,
        "updated_time": unix_seconds(shipment.updated_at),
    }


_EDITS: Mapping[str, Callable[[OnflowWorld, str], OnflowShipment]] = {
    "pick": lambda world, code: world.pick(code),
    "pack": lambda world, code: world.pack(code),
    "hand_over": lambda world, code: world.hand_over(code),
    "cancel": lambda world, code: world.cancel_by_hand(code),
}
