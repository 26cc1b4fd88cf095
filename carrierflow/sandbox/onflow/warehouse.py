"""Onflow itself: the accounts, their shipments, and the warehouse that moves them.

The merchant asks, the warehouse acts. No sockets, no threads and no sleeping: time comes from the
clock that is passed in.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from carrierflow.domain import clock as real_clock
from carrierflow.sandbox.onflow.api_user import OnflowAccount, OnflowOptions
from carrierflow.sandbox.onflow.cancel_judge import (
    OnflowMove,
    OnflowRecorder,
    OnflowResult,
    OnflowVerb,
    OnflowWrite,
)
from carrierflow.sandbox.onflow.outbound import OnflowReturn, OnflowShipment
from carrierflow.sandbox.onflow.status_hooks import OnflowHookQueue
from carrierflow.sandbox.onflow.status_numbers import OnflowStage
from carrierflow.sandbox.refusals import BadInput, NotFound, Unprocessable
from carrierflow.sandbox.world_clock import WorldClock


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


__all__ = ["OnflowWorld"]

_FIRST_SHIPMENT = 51_090_555
_FIRST_RETURN = 220_807_475
_ROAD = (OnflowStage.NEW, OnflowStage.PICKED, OnflowStage.PACKED, OnflowStage.HANDOVER)
_TIME_OF = {
    OnflowStage.PICKED: "picked_at",
    OnflowStage.PACKED: "packed_at",
    OnflowStage.HANDOVER: "handed_over_at",
}


class OnflowWorld(WorldClock):
    """Every account of Onflow with its shipments and returns, and the only code that changes one.

    A paced warehouse does its work when the world is next touched, as of the time it was due.
    """

    def __init__(self, *, clock: Callable[[], datetime] = real_clock.now) -> None:
        super().__init__(clock)
        self.recorder = OnflowRecorder()
        self.accounts: dict[str, OnflowAccount] = {}
        self.reset()

    def reset(self) -> None:
        """Forget shipments, returns, late requests and the record; the accounts stay."""
        self.shipments: dict[str, OnflowShipment] = {}
        self.returns: dict[str, OnflowReturn] = {}
        self.hooks = OnflowHookQueue()
        self.forget_late()
        self._shipment_numbers = count(_FIRST_SHIPMENT)
        self._return_numbers = count(_FIRST_RETURN)
        self._log_numbers = count(1)
        self.recorder.forget()
        for account in self.accounts.values():
            account.empty()

    def next_log_id(self) -> str:
        """Return the id under which Onflow's support would find a failure."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"onflow-log-{next(self._log_numbers)}").hex

    def add_account(self, *, code: str, token: str, **options: Any) -> OnflowAccount:
        """Open an account; `options` are the fields of `OnflowOptions`.

        Raises:
            BadInput: if the code or the token is taken.
        """
        if code in self.accounts or self.account_of(token) is not None:
            raise BadInput(f"An account {code!r}, or one with the same token, exists already.")
        account = OnflowAccount(
            code=code, token=token, number=len(self.accounts), options=OnflowOptions(**options)
        )
        self.accounts[code] = account
        return account

    def replace_token(self, code: str, token: str) -> None:
        """Give an account another token; the old one is refused from now on."""
        self.accounts[code].token = token

    def account_of(self, token: str) -> OnflowAccount | None:
        """Return the account that a bare token opens, if any."""
        return next((each for each in self.accounts.values() if each.token == token), None)

    def shipment(
        self, tracking_code: str, *, account: str | None = None, as_of: int | None = None
    ) -> OnflowShipment:
        """Return a shipment as it is, or as it was; one of another account is not there.

        Raises:
            NotFound: if there is no such shipment.
        """
        known = self.shipments.get(tracking_code)
        shipment = known.as_of(as_of) if known is not None else None
        if shipment is None or account not in {None, shipment.account}:
            raise NotFound(f"There is no shipment {tracking_code!r}.")
        return shipment

    def returned(self, tracking_code: str, *, account: str) -> OnflowReturn:
        """Return a return of an account.

        Raises:
            NotFound: if the account has no such return.
        """
        known = self.returns.get(tracking_code)
        if known is None or known.account != account:
            raise NotFound(f"There is no return {tracking_code!r}.")
        return known

    def add_shipment(
        self,
        *,
        account: str,
        tracking_code: str | None = None,
        stage: OnflowStage = OnflowStage.NEW,
        **details: Any,
    ) -> OnflowShipment:
        """Put a shipment into an account, at once as far as `stage`.

        `details` are further fields of `OnflowShipment`, such as `reference`.

        Raises:
            BadInput: if the tracking code is taken, or the stage is a cancelled one.
        """
        self.settle()
        code = tracking_code or f"OASC{next(self._shipment_numbers)}"
        if code in self.shipments or stage not in _ROAD:
            raise BadInput(f"No shipment {code!r} can be put in at {stage}.")
        at = details.pop("created_at", self.now())
        self._save(
            OnflowShipment(
                account=account, tracking_code=code, created_at=at, updated_at=at, **details
            )
        )
        for each in _ROAD[1 : _ROAD.index(stage) + 1]:
            self._move(code, each)
        return self.shipments[code]

    def add_return(self, *, account: str, shipment: str, **details: Any) -> OnflowReturn:
        """Put a return of a shipment into its account; there may be several of one shipment.

        Raises:
            NotFound: if the account has no such shipment.
        """
        self.shipment(shipment, account=account)
        code = details.pop("tracking_code", None) or f"OARSC{next(self._return_numbers)}"
        at = details.pop("updated_at", self.now())
        self.returns[code] = OnflowReturn(
            account=account,
            tracking_code=code,
            shipment_tracking_code=shipment,
            updated_at=at,
            **details,
        )
        return self.returns[code]

    def pick(self, tracking_code: str) -> OnflowShipment:
        """Take a new shipment's goods from the shelf.

        Raises:
            NotFound: if there is no such shipment.
            Unprocessable: if it is not new.
        """
        return self._by_hand(tracking_code, OnflowStage.PICKED)

    def pack(self, tracking_code: str) -> OnflowShipment:
        """Pack a picked shipment.

        Raises:
            NotFound: if there is no such shipment.
            Unprocessable: if it is not just picked.
        """
        return self._by_hand(tracking_code, OnflowStage.PACKED)

    def hand_over(self, tracking_code: str) -> OnflowShipment:
        """Hand a packed shipment over to the courier, after which nothing cancels it.

        Raises:
            NotFound: if there is no such shipment.
            Unprocessable: if it is not just packed.
        """
        return self._by_hand(tracking_code, OnflowStage.HANDOVER)

    def move_on(self, tracking_code: str) -> OnflowShipment:
        """Do the warehouse's next step for a shipment, if there is one."""
        stage = self.shipment(tracking_code).stage
        if stage not in _ROAD[:-1]:
            return self.shipments[tracking_code]
        return self._by_hand(tracking_code, _ROAD[_ROAD.index(stage) + 1])

    def touch(self, tracking_code: str) -> OnflowShipment:
        """Change something of a shipment that is not shown, which only `updated_time` tells."""
        touched = replace(self.shipment(tracking_code), updated_at=self.now())
        self.shipments[tracking_code] = touched
        return touched

    def cancel_by_hand(self, tracking_code: str) -> OnflowShipment:
        """Cancel a shipment as somebody in the web portal does.

        Raises:
            NotFound: if there is no such shipment.
            Unprocessable: if it is handed over or cancelled already.
        """
        self.settle()
        shipment = self.shipment(tracking_code)
        if shipment.is_cancelled or shipment.stage is OnflowStage.HANDOVER:
            raise Unprocessable(f"Shipment {tracking_code} is {shipment.stage}.")
        return self._saw_move(self._cancelled(shipment))

    def cancel(self, account: OnflowAccount, tracking_code: str, arrival: int) -> OnflowShipment:
        """Cancel a shipment as the API does.

        Raises:
            NotFound: if the account has no such shipment.
            Unprocessable: if it is handed over; or cancelled, where the account minds.
        """
        shipment = self.shipment(tracking_code, account=account.code)
        result = OnflowResult.APPLIED
        if shipment.is_cancelled and account.options.cancels_again:
            result = OnflowResult.NO_OP
        elif shipment.is_cancelled or shipment.stage is OnflowStage.HANDOVER:
            result = OnflowResult.REFUSED
        self._note(account, OnflowVerb.CANCEL, tracking_code, arrival, result)
        if result is OnflowResult.REFUSED:
            raise Unprocessable(f"Shipment {tracking_code} is {shipment.stage}.")
        return self._cancelled(shipment) if result is OnflowResult.APPLIED else shipment

    def create(
        self, account: OnflowAccount, arrival: int, reference: str, **details: Any
    ) -> OnflowShipment:
        """Make a new shipment as the API does.

        Raises:
            Unprocessable: if the account's references are unique and this one is taken.
        """
        mine = (each for each in self.shipments.values() if each.account == account.code)
        is_taken = any(each.reference == reference for each in mine)
        is_refused = is_taken and account.options.unique_references
        result = OnflowResult.REFUSED if is_refused else OnflowResult.APPLIED
        self._note(account, OnflowVerb.CREATE, reference, arrival, result)
        if is_refused:
            raise Unprocessable(f"The reference {reference} is taken.")
        return self.add_shipment(account=account.code, reference=reference, **details)

    def _by_hand(self, tracking_code: str, stage: OnflowStage) -> OnflowShipment:
        self.settle()
        before = self.shipment(tracking_code).stage
        if before is not _ROAD[_ROAD.index(stage) - 1]:
            raise Unprocessable(f"Shipment {tracking_code} is {before}, it cannot become {stage}.")
        return self._move(tracking_code, stage)

    def _by_clock(self, tracking_code: str, stage: OnflowStage) -> None:
        """Do what was planned, unless somebody was quicker."""
        if self.shipments[tracking_code].stage is _ROAD[_ROAD.index(stage) - 1]:
            self._move(tracking_code, stage)

    def _move(self, tracking_code: str, stage: OnflowStage) -> OnflowShipment:
        at = self.now()
        moved: dict[str, Any] = {_TIME_OF[stage]: at, "updated_at": at}
        return self._saw_move(self._save(replace(self.shipments[tracking_code], **moved)))

    def _cancelled(self, shipment: OnflowShipment) -> OnflowShipment:
        return self._save(replace(shipment, cancelled_at=self.now(), updated_at=self.now()))

    def _save(self, shipment: OnflowShipment) -> OnflowShipment:
        """Keep a shipment at its new stage, tell of it, and let the warehouse plan its next."""
        account = self.accounts[shipment.account]
        self.shipments[shipment.tracking_code] = shipment
        self.hooks.put(account, shipment, self.now())
        pace = account.options.pace
        if pace is not None and shipment.stage in _ROAD[:-1]:
            place, code = _ROAD.index(shipment.stage), shipment.tracking_code
            self.later(pace[place], lambda: self._by_clock(code, _ROAD[place + 1]))
        return shipment

    def _saw_move(self, shipment: OnflowShipment) -> OnflowShipment:
        self.recorder.saw_move(
            OnflowMove(
                at=self.now(),
                account=shipment.account,
                tracking_code=shipment.tracking_code,
                stage=shipment.stage,
            )
        )
        return shipment

    def _note(
        self,
        account: OnflowAccount,
        verb: OnflowVerb,
        subject: str,
        arrival: int,
        result: OnflowResult,
    ) -> None:
        self.recorder.saw_write(
            OnflowWrite(
                at=self.now(),
                arrival=arrival,
                account=account.code,
                verb=verb,
                subject=subject,
                result=result,
            )
        )
