"""Haravan's side of the talk with a carrier: what a seller asks for, and what it polls.

Each call is three steps: read the world, call the carrier, write the world. Only the first and the
last hold the lock, because the carrier may call the platform while it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.call_log import CallKind
from carrierflow.sandbox.haravan.carrier_callables import CarrierCallables
from carrierflow.sandbox.haravan.carrier_client import CarrierClient, PlannedCall
from carrierflow.sandbox.haravan.carrier_payloads import (
    Offer,
    create_body,
    detail_body,
    offers_of,
    rates_body,
    said,
    text_of,
)
from carrierflow.sandbox.haravan.denials import CarrierDeclined
from carrierflow.sandbox.haravan.parcels import ParcelRef, SandboxFulfillment
from carrierflow.sandbox.http_client import Outgoing
from carrierflow.sandbox.refusals import NoAnswer, NotFound, Unprocessable


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.carrier_registrations import Service
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["CarrierCalls"]

_JSON = {"Content-Type": "application/json; charset=utf-8"}
_ADDRESS_OF = {
    CallKind.RATES: ("POST", "get_shipping_rates_url"),
    CallKind.CREATE: ("POST", "create_order_url"),
    CallKind.DETAIL: ("POST", "get_order_detail_url"),
    CallKind.CANCEL: ("DELETE", "cancel_order_url"),
}


class CarrierCalls:
    """Asks carriers for rates, hands parcels over, cancels them, and polls their details."""

    def __init__(self, world: World, client: CarrierClient) -> None:
        self._world = world
        self._client = client
        self.callbacks = CarrierCallables(
            on_cancel=self.tell_cancelled, poll_detail=self.ask_detail
        )

    def rates(self, shop: str, order_id: int, cod_amount: int) -> tuple[list[Offer], list[str]]:
        """Return what every carrier of a shop offers for an order, and what went wrong.

        Raises:
            NotFound: if the shop has no such order.
        """
        with self._world.lock:
            store = self._world.shop(shop)
            body = rates_body(store, store.order(order_id), cod_amount)
            services = [each for each in store.services if each.is_active]
        offers: list[Offer] = []
        problems: list[str] = []
        for service in services:
            try:
                data = self._ask(CallKind.RATES, store, service, body)
                offers += offers_of(service, data)
            except (CarrierDeclined, NoAnswer) as error:
                problems.append(f"{service.fields['name']}: {error}")
        return offers, problems

    def ship(
        self,
        shop: str,
        order_id: int,
        *,
        carrier: int,
        service_id: int,
        cod_amount: int,
        note: str | None = None,
    ) -> SandboxFulfillment:
        """Make a fulfillment and hand it to a carrier, in this order, as Haravan does.

        If the carrier declines, the fulfillment goes again. If it does not answer, the fulfillment
        stays without a tracking number, and `hand_over` may try once more.

        Raises:
            NotFound: if there is no such order or carrier.
            Refused: if the order is cancelled.
            Declined: if the carrier says no.
            NoAnswer: if it does not say anything.
        """
        with self._world.lock:
            service = self._world.shop(shop).services.get(carrier)
            fields = {"tracking_company": service.fields["name"], "cod_amount": cod_amount}
            made = self._world.create_fulfillment(shop, order_id, fields)
            parcel = self._world.note_choice(made.parcel.ref, service_id, note)
        try:
            return self.hand_over(parcel.ref)
        except CarrierDeclined:
            with self._world.lock:
                self._world.withdraw(parcel.ref)
            raise

    def hand_over(self, ref: ParcelRef) -> SandboxFulfillment:
        """Hand a fulfillment to its carrier; a second time with the same external code.

        Raises:
            NotFound: if there is no such parcel, or no carrier for it.
            Refused: if the parcel is cancelled.
            Declined: if the carrier says no.
            NoAnswer: if it does not say anything.
        """
        with self._world.lock:
            store, parcel = self._found(ref)
            service = _carrier_of(store, parcel)
            if parcel.is_cancelled:
                raise Unprocessable(f"Fulfillment {ref.fulfillment_id} is cancelled.")
            body = create_body(store, store.order(ref.order_id), parcel)
        data = self._ask(CallKind.CREATE, store, service, body)
        number = text_of(data, "tracking_number")
        with self._world.lock:
            return self._world.book(ref, number, str(data.get("tracking_url") or ""))

    def cancel(self, ref: ParcelRef) -> SandboxFulfillment:
        """Cancel a parcel as a seller does: Haravan waits for what the carrier says.

        Raises:
            NotFound: if there is no such parcel, or no carrier for it.
            Refused: if it is cancelled already, or was never handed over.
            Declined: if the carrier says no; the parcel stays as it is.
            NoAnswer: if it does not say anything; likewise.
        """
        with self._world.lock:
            store, parcel = self._found(ref)
            service = _carrier_of(store, parcel)
            if parcel.is_cancelled or parcel.tracking_number is None:
                raise Unprocessable(f"Fulfillment {ref.fulfillment_id} cannot be cancelled.")
        self._ask(CallKind.CANCEL, store, service, detail_body(parcel))
        with self._world.lock:
            return self._world.cancel_agreed(ref)

    def cancel_order(self, shop: str, order_id: int) -> None:
        """Cancel an order as a seller does: each of its parcels first, then the order.

        Raises:
            NotFound: if there is no such order, or no carrier for one of its parcels.
            Refused: if it is cancelled already.
            Declined: if a carrier says no; the order stays, and so do the parcels after this one.
            NoAnswer: if a carrier does not say anything; likewise.
        """
        with self._world.lock:
            store = self._world.shop(shop)
            parcels = store.parcels_of(store.order(order_id))
        for parcel in parcels:
            if not parcel.is_cancelled and parcel.tracking_number is not None:
                self.cancel(parcel.ref)
        with self._world.lock:
            self._world.cancel_order(shop, order_id, reason="customer")

    def tell_cancelled(self, ref: ParcelRef) -> None:
        """Tell the carrier of a cancel that has happened; what it says changes nothing."""
        try:
            with self._world.lock:
                store, parcel = self._found(ref)
                service = _carrier_of(store, parcel)
            if parcel.tracking_number is not None:
                self._ask(CallKind.CANCEL, store, service, detail_body(parcel))
        except (NotFound, CarrierDeclined, NoAnswer):
            return  # the record of calls has it

    def ask_detail(self, ref: ParcelRef) -> tuple[str, str] | None:
        """Ask the carrier for the two words of a parcel; None if there is nothing to hear."""
        try:
            with self._world.lock:
                store, parcel = self._found(ref)
                service = _carrier_of(store, parcel)
            if parcel.tracking_number is None:
                return None
            data = self._ask(CallKind.DETAIL, store, service, detail_body(parcel))
            return text_of(data, "status"), text_of(data, "cod_status")
        except (NotFound, CarrierDeclined, NoAnswer):
            return None  # the record of calls has it

    def _found(self, ref: ParcelRef) -> tuple[SandboxShop, SandboxFulfillment]:
        store = self._world.shop(ref.shop)
        return store, store.parcel(ref.order_id, ref.fulfillment_id)

    def _ask(
        self, kind: CallKind, shop: SandboxShop, service: Service, body: bytes
    ) -> dict[str, Any]:
        method, field = _ADDRESS_OF[kind]
        url = service.fields.get(field)
        if not url:
            raise NoAnswer(f"The carrier has registered no {field}.")
        seconds = self._world.app.callback_seconds
        call = Outgoing(method=method, url=url, headers=_JSON, body=body, seconds=seconds)
        plan = PlannedCall(kind=kind, shop=shop.code, call=call)
        return said(self._client.make(plan, self._client.fault_for(plan)))


def _carrier_of(shop: SandboxShop, parcel: SandboxFulfillment) -> Service:
    """Return whose parcel it is: the carrier of that name, or else the shop's only one."""
    services = list(shop.services)
    named = [each for each in services if each.fields["name"] == parcel.tracking_company]
    if parcel.tracking_company_code == "external" and (named or len(services) == 1):
        return (named or services)[-1]
    raise NotFound(f"No registered carrier has fulfillment {parcel.ref.fulfillment_id}.")
