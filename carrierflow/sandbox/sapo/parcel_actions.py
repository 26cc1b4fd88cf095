"""What each action does to a parcel: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carrierflow.sandbox.sapo.data_errors import (
    NOT_A_DELIVERY,
    SapoRefusal,
    cannot_be_cancelled,
    cannot_be_received,
    cannot_be_shipped,
    cannot_be_taken_back,
    message_error,
)
from carrierflow.sandbox.sapo.fulfillment_states import TRANSITIONS, SapoAction, SapoState
from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoPayment, ShipperDeposit


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.sapo.id_supply import IdSupply


__all__ = ["ActionContext", "acted", "handed_over"]

COURIER = "courier"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """When an action happens, who does it, and where the ids of what it makes come from.

    `has_deposit` says whether the shipper puts the cash down as he takes the parcel. The seed's
    sample shows a deposit of the whole COD amount after a `ship` that is printed without a body.
    """

    at: int
    account_id: int
    ids: IdSupply
    has_deposit: bool = True


def acted(parcel: SapoFulfillment, action: SapoAction, context: ActionContext) -> SapoFulfillment:
    """Return the parcel after an action.

    Raises:
        SapoRefusal: if its state, or the way it is delivered, does not allow the action.
    """
    if action is SapoAction.SHIP and parcel.delivery_type != COURIER:
        raise message_error(422, NOT_A_DELIVERY)
    to = TRANSITIONS.get((parcel.state, action))
    if to is None:
        raise _refusal(parcel, action)
    moved = replace(parcel, state=to, modified_on=context.at)
    return _EFFECTS[action](moved, context)


def handed_over(parcel: SapoFulfillment, context: ActionContext) -> SapoFulfillment:
    """Return a parcel that its buyer took at the counter: out and received at one moment.

    As in the seed's sample, nobody is named as the one who received it.
    """
    return replace(
        parcel,
        state=SapoState.RECEIVED,
        shipped_on=context.at,
        received_on=context.at,
        modified_on=context.at,
        stock_out_account_id=context.account_id,
    )


def _shipped(parcel: SapoFulfillment, context: ActionContext) -> SapoFulfillment:
    shipment = parcel.shipment
    if shipment is not None:
        deposits = shipment.deposits
        if context.has_deposit and shipment.cod_amount:
            put_down = ShipperDeposit(
                id=context.ids.deposit(), amount=shipment.cod_amount, paid_on=context.at
            )
            deposits = (*deposits, put_down)
        shipment = replace(shipment, modified_on=context.at, deposits=deposits)
    return replace(
        parcel,
        shipped_on=context.at,
        stock_out_account_id=context.account_id,
        shipment=shipment,
    )


def _received(parcel: SapoFulfillment, context: ActionContext) -> SapoFulfillment:
    """Mark the parcel received and, if cash was to be collected, the goods paid.

    The row of the payment is the total of the goods, whatever the COD amount was.
    """
    payments = parcel.payments
    if parcel.cod_amount:
        paid = SapoPayment(
            id=context.ids.payment(),
            prepayment_id=context.ids.prepayment(),
            amount=parcel.total,
            paid_on=context.at,
        )
        payments = (*payments, paid)
    return replace(
        parcel,
        received_on=context.at,
        receive_account_id=context.account_id,
        payments=payments,
    )


def _cancelled(parcel: SapoFulfillment, context: ActionContext) -> SapoFulfillment:
    """Cancel a parcel; one that never left is back at the same moment, and by nobody's hand."""
    is_back = parcel.state is SapoState.PACKED_CANCELLED
    return replace(
        parcel,
        cancel_date=context.at,
        cancel_account_id=context.account_id,
        receive_cancellation_on=context.at if is_back else None,
    )


def _taken_back(parcel: SapoFulfillment, context: ActionContext) -> SapoFulfillment:
    return replace(
        parcel,
        receive_cancellation_on=context.at,
        receive_cancellation_account_id=context.account_id,
    )


def _refusal(parcel: SapoFulfillment, action: SapoAction) -> SapoRefusal:
    if action is SapoAction.CANCEL:
        is_delivered = parcel.state is SapoState.RECEIVED
        return cannot_be_cancelled(parcel.id, is_delivered=is_delivered)
    return _REFUSALS[action]()


_EFFECTS: Mapping[SapoAction, Callable[[SapoFulfillment, ActionContext], SapoFulfillment]] = {
    SapoAction.SHIP: _shipped,
    SapoAction.RECEIVE: _received,
    SapoAction.CANCEL: _cancelled,
    SapoAction.TAKE_BACK: _taken_back,
}
_REFUSALS: Mapping[SapoAction, Callable[[], SapoRefusal]] = {
    SapoAction.SHIP: cannot_be_shipped,
    SapoAction.RECEIVE: cannot_be_received,
    SapoAction.TAKE_BACK: cannot_be_taken_back,
}
