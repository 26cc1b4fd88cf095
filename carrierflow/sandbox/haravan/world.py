"""The platform itself: every rule by which Haravan changes orders and parcels.

No sockets, no threads and no sleeping: time comes from the clock that is passed in, so the same
world serves a laptop's server, a test with a standing clock and a simulation in virtual time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.inventory import Inventory
from carrierflow.sandbox.haravan.parcels import (
    Moved,
    Order,
    ParcelRef,
    SandboxFulfillment,
    moved,
)
from carrierflow.sandbox.haravan.recorder import PutResult, ReceivedPut, Touch, TouchSource
from carrierflow.sandbox.haravan.request_fields import details_of, whole
from carrierflow.sandbox.haravan.vocabulary import (
    BY_CODE,
    BY_WORD,
    CANCEL,
    StatusMachine,
    StatusWord,
    status_of,
)
from carrierflow.sandbox.haravan.webhook_queue import UNINSTALLED
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.refusals import NotFound, Unprocessable


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.shop_state import SandboxShop


__all__ = ["World"]

_FROM_THE_CARRIER = frozenset({TouchSource.POLL, TouchSource.AGREED})
_NOT_COLLECTED = frozenset({"none", "codpending"})
_CANCELLED = BY_CODE[StatusMachine.DELIVERY, CANCEL]


class World(Inventory):
    """Every shop of the platform, and the only code that changes one."""

    def create_fulfillment(self, shop: str, order_id: int, fields: Mapping[str, Any]) -> Moved:
        """Make a fulfillment as a POST does: ready to pick, and codpending if money is due.

        Raises:
            NotFound: if the shop has no such order.
            Refused: if the order is cancelled.
        """
        store = self.shop(shop)
        order = store.order(order_id)
        if order.cancelled_at is not None:
            raise Unprocessable(f"Order {order_id} is cancelled.")
        is_given = fields.get("cod_amount") is not None
        details = details_of({"tracking_company": None, **fields}, store.services.names())
        if details.get("tracking_number"):
            details["tracking_urls"] *= 2  # as in the documented reply to such a POST
        parcel = self.new_parcel(
            store,
            order,
            at=self.now(),
            cod_amount=whole(fields, "cod_amount") if is_given else order.total,
            **{"package_name": " - ", **details},
        )
        self.put_in(store, parcel)
        return Moved(parcel, frozenset({"created_at", "updated_at", "ready_to_pick_date"}))

    def put_status(self, ref: ParcelRef, to: StatusWord) -> Moved:
        """Move a parcel as a PUT of a status does.

        Any status may follow any other, backwards too. The status that the parcel has already is
        accepted and changes nothing.

        Raises:
            NotFound: if there is no such parcel.
            Refused: if the parcel is cancelled, for good.
        """
        store = self.shop(ref.shop)
        before = store.parcel(ref.order_id, ref.fulfillment_id)
        result = _result(before, to)
        self._note_put(before, to, result)
        if result is PutResult.REFUSED:
            # That a cancelled fulfillment takes no later update is documented; the reply is not.
            raise Unprocessable(f"Fulfillment {ref.fulfillment_id} is cancelled.")
        if result is PutResult.NO_OP:
            return Moved(before)
        # That a cancel by API also reaches the carrier's cancel callback is an assumption.
        self._tell_of_cancel(ref, to)
        return self._move(store, before, to)

    def update(self, ref: ParcelRef, fields: Mapping[str, Any], to: StatusWord | None) -> Moved:
        """Change plain fields of a parcel and, if asked, its status, as the plain PUT does.

        Raises:
            NotFound: if there is no such parcel.
            Refused: if the parcel is cancelled, for good.
        """
        store = self.shop(ref.shop)
        before = store.parcel(ref.order_id, ref.fulfillment_id)
        if to is not None:
            before = self.put_status(ref, to).parcel
        elif before.is_cancelled:
            raise Unprocessable(f"Fulfillment {ref.fulfillment_id} is cancelled.")
        after = replace(before, **details_of(fields, store.services.names()))
        if after != before:
            after = replace(after, updated_at=max(before.updated_at, self.now()))
            self.save(store, after)
        return Moved(after)

    def cancel_agreed(self, ref: ParcelRef) -> SandboxFulfillment:
        """Cancel a parcel after its carrier has agreed, who need not be told once more."""
        store = self.shop(ref.shop)
        parcel = store.parcel(ref.order_id, ref.fulfillment_id)
        self._touch(store, parcel, _CANCELLED, TouchSource.AGREED)
        return store.parcel(ref.order_id, ref.fulfillment_id)

    def cancel_order(
        self,
        shop: str,
        order_id: int,
        *,
        reason: str = "other",
        ignore_fulfillments: bool = False,
    ) -> Order:
        """Cancel an order and, unless told to ignore them, its fulfillments.

        Raises:
            NotFound: if the shop has no such order.
            Refused: if it is cancelled already.
        """
        self.settle()
        store, at = self.shop(shop), self.now()
        order = store.order(order_id)
        if order.cancelled_at is not None:
            raise Unprocessable(f"Order {order_id} is cancelled already.")
        cancelled = replace(order, cancelled_at=at, cancel_reason=reason)
        self.save_order(store, cancelled, updated_at=at)
        if not ignore_fulfillments:
            for parcel in store.parcels_of(order):
                self._touch(store, parcel, _CANCELLED, TouchSource.ORDER_CANCEL)
        self.announce(store, "orders/cancelled", store.order(order_id))
        return store.order(order_id)

    def close_order(self, shop: str, order_id: int) -> None:
        """Close an order, so that lists show it only for `status=closed` and `any`."""
        self.settle()
        store, at = self.shop(shop), self.now()
        self.save_order(store, replace(store.order(order_id), closed_at=at), updated_at=at)

    def remove_order(self, shop: str, order_id: int) -> None:
        """Make an order and its fulfillments vanish."""
        self.settle()
        store = self.shop(shop)
        self.announce(store, "orders/delete", store.order(order_id))
        store.remove_order(order_id)

    def uninstall(self, shop: str) -> None:
        """Take the app out of a shop: no token opens it any more, and one last webhook says so.

        What becomes of the carriers that the app registered is not documented; here they go.
        """
        self.settle()
        store = self.shop(shop)
        if UNINSTALLED in self.app.topics:
            body = encode({"org_id": store.org_id})
            self.webhook_queue.put(store, UNINSTALLED, None, body, self.now())
        self.webhook_queue.last_word(shop)
        self.grants.close(shop)
        self.accounts.forget(shop)
        store.services.clear()

    def edit(
        self, ref: ParcelRef, *, carrier_status: str | None = None, cod_status: str | None = None
    ) -> SandboxFulfillment:
        """Set statuses as a merchant in the shop's admin does; any word is taken, even nonsense.

        Raises:
            NotFound: if there is no such parcel.
            Refused: if the parcel is cancelled, for good.
        """
        self.settle()
        store = self.shop(ref.shop)
        wanted = ((StatusMachine.COD, cod_status), (StatusMachine.DELIVERY, carrier_status))
        for machine, code in wanted:
            parcel = store.parcel(ref.order_id, ref.fulfillment_id)
            if code is not None and parcel.is_cancelled:
                raise Unprocessable(f"Fulfillment {ref.fulfillment_id} is cancelled.")
            if code is not None:
                self._touch(store, parcel, status_of(machine, code), TouchSource.MERCHANT)
        return store.parcel(ref.order_id, ref.fulfillment_id)

    def poll(self, ref: ParcelRef) -> bool:
        """Ask the carrier for a parcel's words, apply them, and return whether anything changed.

        A word that Haravan cannot map changes nothing. COD goes first, so that the lift by
        delivered stands; money once collected is not made uncollected by an answer come late.
        """
        with self.lock:
            self.settle()
            asked = self.shop(ref.shop).parcel(ref.order_id, ref.fulfillment_id)
        words = self.callbacks.poll_detail(ref)
        with self.lock:
            return words is not None and self._hear(asked, words)

    def _hear(self, asked: SandboxFulfillment, words: tuple[str, str]) -> bool:
        """Apply the words of an answer, unless the parcel has moved since it was asked for."""
        store, ref = self.shop(asked.ref.shop), asked.ref
        if store.parcel(ref.order_id, ref.fulfillment_id) is not asked:
            return False
        for machine, word in ((StatusMachine.COD, words[1]), (StatusMachine.DELIVERY, words[0])):
            status = BY_WORD.get((machine, word.lower()))
            parcel = store.parcel(ref.order_id, ref.fulfillment_id)
            if status is not None and not parcel.is_cancelled and not _uncollects(status):
                self._touch(store, parcel, status, TouchSource.POLL)
        return store.parcel(ref.order_id, ref.fulfillment_id) is not asked

    def poll_all(self) -> int:
        """Poll every external parcel that is not cancelled; return how many changed."""
        with self.lock:
            refs = [
                parcel.ref
                for shop in self.shops.values()
                for parcel in shop.parcels()
                if parcel.tracking_company_code == "external" and not parcel.is_cancelled
            ]
        return sum(self._poll_if_there(ref) for ref in refs)

    def _poll_if_there(self, ref: ParcelRef) -> bool:
        """Poll a parcel that may have vanished meanwhile."""
        try:
            return self.poll(ref)
        except NotFound:
            return False

    def deliver_callbacks(self) -> None:
        """Tell the carrier of every parcel cancelled since the last time, outside any lock."""
        while True:
            try:
                ref = self._cancelled.popleft()
            except IndexError:  # asked for and not looked for: another thread may have taken it
                return
            self.callbacks.on_cancel(ref)

    def _move(self, store: SandboxShop, before: SandboxFulfillment, to: StatusWord) -> Moved:
        change = moved(
            before,
            to,
            at=self.now(),
            lag=self.lags.date_to_updated,
            lifts_cod=store.options.lifts_cod,
        )
        self.save(store, change.parcel)
        if to.machine is StatusMachine.DELIVERY and change.parcel.cod_status != before.cod_status:
            self._note_touch(before, StatusMachine.COD, change.parcel.cod_status, TouchSource.LIFT)
        return change

    def _touch(
        self, store: SandboxShop, before: SandboxFulfillment, to: StatusWord, source: TouchSource
    ) -> None:
        if before.is_cancelled or before.status(to.machine) == to.code:
            return
        self._note_touch(before, to.machine, to.code, source)
        self._move(store, before, to)
        if source not in _FROM_THE_CARRIER:
            self._tell_of_cancel(before.ref, to)

    def _tell_of_cancel(self, ref: ParcelRef, to: StatusWord) -> None:
        if to.code == CANCEL:
            self._cancelled.append(ref)

    def _note_put(self, before: SandboxFulfillment, to: StatusWord, result: PutResult) -> None:
        self.recorder.saw_put(
            ReceivedPut(
                at=self.now(),
                ref=before.ref,
                machine=to.machine,
                from_status=before.status(to.machine),
                to_status=to.code,
                result=result,
                after_cancel=before.is_cancelled,
            )
        )

    def _note_touch(
        self,
        before: SandboxFulfillment,
        machine: StatusMachine,
        to_status: str,
        source: TouchSource,
    ) -> None:
        self.recorder.saw_touch(
            Touch(
                at=self.now(),
                ref=before.ref,
                machine=machine,
                from_status=before.status(machine),
                to_status=to_status,
                source=source,
            )
        )


def _result(parcel: SandboxFulfillment, to: StatusWord) -> PutResult:
    if parcel.is_cancelled:
        return PutResult.REFUSED
    return PutResult.NO_OP if parcel.status(to.machine) == to.code else PutResult.APPLIED


def _uncollects(status: StatusWord) -> bool:
    return status.machine is StatusMachine.COD and status.code in _NOT_COLLECTED
