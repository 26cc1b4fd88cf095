"""Sapo itself: every rule by which it changes orders, parcels and prepayments.

No sockets, no threads and no sleeping: time comes from the clock that is passed in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.sapo.action_judge import ReceivedAction, SapoHand, SapoTouch
from carrierflow.sandbox.sapo.data_errors import (
    ALREADY_CANCELLED,
    ALREADY_FINALIZED,
    ALREADY_FINISHED,
    DRAFT_CANNOT_FINISH,
    NO_SUCH_METHOD,
    NO_SUCH_PREPAYMENT,
    NOT_FINALIZED,
    SapoRefusal,
    cannot_be_shipped,
    data_error,
    not_there,
)
from carrierflow.sandbox.sapo.fulfillment_states import SapoAction, SapoState
from carrierflow.sandbox.sapo.parcel_actions import ActionContext, acted, handed_over
from carrierflow.sandbox.sapo.posted_fields import (
    order_details,
    order_lines,
    packed_parcel,
    refuse_incomplete,
)
from carrierflow.sandbox.sapo.sapo_numbers import amount, moment
from carrierflow.sandbox.sapo.sapo_orders import Prepayment, SapoFulfillment, SapoOrder, SapoRef
from carrierflow.sandbox.sapo.sapo_store import SapoStore


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.sapo.sapo_shop import SapoShop


__all__ = ["SapoWorld"]

_TOPICS: Mapping[SapoAction, tuple[str, ...]] = {
    SapoAction.SHIP: ("orders/fulfilled",),
    SapoAction.RECEIVE: ("orders/received",),
    SapoAction.CANCEL: (),
    SapoAction.TAKE_BACK: (),
}
_LINKED = {
    (SapoState.FULFILLED, SapoState.RETRY_DELIVERY),
    (SapoState.RETRY_DELIVERY, SapoState.FULFILLED),
}


class SapoWorld(SapoStore):
    """Every shop of the platform, and the only code that changes one."""

    def act(self, ref: SapoRef, action: SapoAction) -> tuple[SapoOrder, SapoFulfillment]:
        """Do an action to a parcel, as a call of the app's does.

        Raises:
            SapoRefusal: if the parcel is not there, or the action is not allowed.
        """
        _, before = self.shop(ref.shop).parcel(ref)
        try:
            order, after = self._act(ref, action)
        except SapoRefusal:
            self._note_action(ref, action, before.state, None)
            raise
        self._note_action(ref, action, before.state, after.state)
        return order, after

    def act_by_hand(self, ref: SapoRef, action: SapoAction) -> SapoFulfillment:
        """Do an action as a merchant in the shop's admin does.

        Raises:
            SapoRefusal: if the parcel is not there, or the action is not allowed.
        """
        self.settle()
        _, before = self.shop(ref.shop).parcel(ref)
        _, after = self._act(ref, action)
        self._note_touch(ref, before.state, after.state, SapoHand.MERCHANT)
        return after

    def hand_over(self, ref: SapoRef) -> SapoFulfillment:
        """Give a packed parcel to its buyer at the counter: shipped and received at one moment.

        Raises:
            SapoRefusal: if the parcel is not there, or not packed.
        """
        self.settle()
        shop = self.shop(ref.shop)
        order, before = shop.parcel(ref)
        if before.state is not SapoState.PACKED:
            raise cannot_be_shipped()
        after = handed_over(before, self._context(shop))
        self.save_parcel(shop, order, after, "orders/fulfilled", "orders/received")
        self._note_touch(ref, before.state, after.state, SapoHand.MERCHANT)
        return after

    def link_says(self, ref: SapoRef, state: SapoState) -> SapoFulfillment:
        """Set `retry_delivery`, or end it, as only Sapo's own link to a carrier can.

        Raises:
            SapoRefusal: if the parcel is not there, or not on its way.
        """
        self.settle()
        shop = self.shop(ref.shop)
        order, before = shop.parcel(ref)
        if (before.state, state) not in _LINKED:
            raise cannot_be_shipped()
        after = replace(before, state=state, modified_on=self.second())
        self.save_parcel(shop, order, after)
        self._note_touch(ref, before.state, state, SapoHand.CARRIER_LINK)
        return after

    def collate(self, ref: SapoRef, word: str) -> None:
        """Set `collation_status`, of whose words only `unresolved` is known; no call can."""
        shop = self.shop(ref.shop)
        order, parcel = shop.parcel(ref)
        if parcel.shipment is not None:
            details = {**parcel.shipment.details, "collation_status": word}
            shipment = replace(parcel.shipment, details=details)
            self.save_parcel(shop, order, replace(parcel, shipment=shipment))

    def give_back(self, shop: str, order_id: int, slip: Mapping[str, Any]) -> SapoOrder:
        """Write a return slip for goods that had arrived, as a merchant does; parcels stay.

        Raises:
            SapoRefusal: if the shop has no such order.
        """
        self.settle()
        store = self.shop(shop)
        order = store.order(order_id)
        slips = [*order.details.get("order_returns", ()), slip]
        details = {**order.details, "return_status": "returned", "order_returns": slips}
        return self.save(store, replace(order, modified_on=self.second(), details=details))

    def pack_anew(self, ref: SapoRef) -> tuple[int, int]:
        """Pack a cancelled parcel's goods once more; the order keeps both. Return both numbers.

        Raises:
            SapoRefusal: if the parcel is not there, or its order takes no parcel any more.
        """
        self.settle()
        _, old = self.shop(ref.shop).parcel(ref)
        shipment = old.shipment
        fields: dict[str, Any] = {
            "delivery_type": old.delivery_type,
            "fulfillment_line_items": [
                {"order_line_item_id": each.line.id, "quantity": each.quantity}
                for each in old.lines
            ],
        }
        if shipment is not None:
            fields["shipment"] = {**shipment.details, "cod_amount": shipment.cod_amount}
        _, parcel = self.create_fulfillment(ref.shop, ref.order_id, fields)
        return ref.order_id, parcel.id

    def create_order(self, shop: str, fields: Mapping[str, Any]) -> SapoOrder:
        """Make an order as a POST does: a draft unless it says otherwise, with numbers of its own.

        A code that another order has is replaced, which the seed's sample does with one of its own.

        Raises:
            SapoRefusal: if a field is missing.
        """
        refuse_incomplete(fields)
        store, at = self.shop(shop), self.second()
        code, status = str(fields.get("code") or ""), str(fields.get("status") or "draft")
        issued = fields.get("issued_on")
        order = SapoOrder(
            id=self.ids.order(),
            code=code if code and not store.has_code(code) else self.ids.code("SO", at),
            status=status,
            created_on=at,
            modified_on=at,
            issued_on=moment(issued) if issued else at,
            lines=order_lines(fields.get("order_line_items", ()), self.ids, at),
            finalized_on=None if status == "draft" else at,
            details=order_details(fields, self.ids),
        )
        return self.save(store, order, "orders/create")

    def change_order(self, shop: str, order_id: int, fields: Mapping[str, Any]) -> SapoOrder:
        """Change plain fields of an order as a PUT does; items and quantities stay as they are.

        Raises:
            SapoRefusal: if the shop has no such order.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        lines = tuple(replace(line, modified_on=at) for line in order.lines)
        details = {**order.details, **order_details(fields, self.ids)}
        return self.save(store, replace(order, modified_on=at, lines=lines, details=details))

    def finalize(self, shop: str, order_id: int) -> SapoOrder:
        """Confirm a draft.

        Raises:
            SapoRefusal: if there is no such order, or it is no draft any more.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        if order.status != "draft":
            is_cancelled = order.status == "cancelled"
            raise data_error({"": ALREADY_CANCELLED if is_cancelled else ALREADY_FINALIZED})
        done = replace(order, status="finalized", finalized_on=at, modified_on=at)
        return self.save(store, done, "orders/finalized")

    def finish_order(self, shop: str, order_id: int) -> SapoOrder:
        """Close an order's case; its parcels stay as they are.

        Raises:
            SapoRefusal: if there is no such order, or it is a draft, cancelled or finished.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        if order.status != "finalized":
            raise data_error({"": _NOT_FINISHABLE.get(order.status, ALREADY_FINISHED)})
        return self.save(store, replace(order, status="finished", finished_on=at, modified_on=at))

    def cancel_order(self, shop: str, order_id: int) -> SapoOrder:
        """Cancel an order and, where the shop does so, its parcels that have not arrived.

        Raises:
            SapoRefusal: if there is no such order, or it is cancelled or finished.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        if order.status in {"cancelled", "finished"}:
            is_cancelled = order.status == "cancelled"
            raise data_error({"": ALREADY_CANCELLED if is_cancelled else ALREADY_FINISHED})
        parcels = tuple(self._swept(store, order, each) for each in order.fulfillments)
        done = replace(order, status="cancelled", modified_on=at, fulfillments=parcels)
        return self.save(store, done, "orders/cancelled")

    def remove_order(self, shop: str, order_id: int) -> None:
        """Make an order vanish with everything in it."""
        self.settle()
        self.shop(shop).remove(order_id)

    def create_fulfillment(
        self, shop: str, order_id: int, fields: Mapping[str, Any]
    ) -> tuple[SapoOrder, SapoFulfillment]:
        """Pack a parcel as a POST does.

        Raises:
            SapoRefusal: if there is no such order, it takes no parcel, or the carrier is unknown.
        """
        store = self.shop(shop)
        order = store.order(order_id)
        if order.status != "finalized":
            raise data_error({"": _NOT_PACKABLE.get(order.status, NOT_FINALIZED)})
        parcel = packed_parcel(store, order, fields, self.ids, self.second())
        at = self.second() if store.options.bumps_orders else order.modified_on
        parcels = (*order.fulfillments, parcel)
        return self.save(store, replace(order, fulfillments=parcels, modified_on=at)), parcel

    def prepay(self, shop: str, order_id: int, fields: Mapping[str, Any]) -> Prepayment:
        """Book what a buyer paid in advance.

        Raises:
            SapoRefusal: if there is no such order or payment method.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        method = fields.get("payment_method_id")
        if method not in store.payment_methods:
            raise data_error({"payment_method": NO_SUCH_METHOD})
        paid = fields.get("paid_on")
        made = Prepayment(
            id=self.ids.prepayment(),
            payment_method_id=method,
            amount=amount(fields.get("amount")),
            paid_on=moment(paid) if paid else at,
            note=fields.get("note"),
            created_on=at,
            modified_on=at,
        )
        self.save(store, replace(order, prepayments=(*order.prepayments, made), modified_on=at))
        return made

    def cancel_prepayment(self, shop: str, order_id: int, number: int) -> Prepayment:
        """Take back what was booked; one that is cancelled already counts as not there.

        Raises:
            SapoRefusal: if it is not there.
        """
        store, at = self.shop(shop), self.second()
        order = store.order(order_id)
        for each in order.prepayments:
            if each.id == number and not each.is_cancelled:
                done = replace(each, is_cancelled=True, modified_on=at)
                rows = tuple(done if row is each else row for row in order.prepayments)
                self.save(store, replace(order, prepayments=rows, modified_on=at))
                return done
        raise not_there(NO_SUCH_PREPAYMENT)

    def _act(self, ref: SapoRef, action: SapoAction) -> tuple[SapoOrder, SapoFulfillment]:
        shop = self.shop(ref.shop)
        order, before = shop.parcel(ref)
        after = acted(before, action, self._context(shop))
        topics = _TOPICS[action]
        if after.payments != before.payments:
            topics += ("orders/paid",)
        return self.save_parcel(shop, order, after, *topics), after

    def _swept(self, shop: SapoShop, order: SapoOrder, parcel: SapoFulfillment) -> SapoFulfillment:
        """Return a parcel as its order's cancel leaves it."""
        if not shop.options.cancels_parcels:
            return parcel
        try:
            after = acted(parcel, SapoAction.CANCEL, self._context(shop))
        except SapoRefusal:
            return parcel
        ref = SapoRef(shop.code, order.id, parcel.id)
        self._note_touch(ref, parcel.state, after.state, SapoHand.ORDER_CANCEL)
        return after

    def _context(self, shop: SapoShop) -> ActionContext:
        return ActionContext(
            at=self.second(),
            account_id=shop.account_id,
            ids=self.ids,
            has_deposit=shop.options.puts_down_deposits,
        )

    def _note_action(
        self, ref: SapoRef, action: SapoAction, before: SapoState, after: SapoState | None
    ) -> None:
        self.recorder.saw_action(
            ReceivedAction(at=self.now(), ref=ref, action=action, from_state=before, to_state=after)
        )

    def _note_touch(
        self, ref: SapoRef, before: SapoState, after: SapoState, hand: SapoHand
    ) -> None:
        self.recorder.saw_touch(
            SapoTouch(at=self.now(), ref=ref, from_state=before, to_state=after, hand=hand)
        )


_NOT_FINISHABLE = {"draft": DRAFT_CANNOT_FINISH, "cancelled": ALREADY_CANCELLED}
_NOT_PACKABLE = {"cancelled": ALREADY_CANCELLED, "finished": ALREADY_FINISHED}
