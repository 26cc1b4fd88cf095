"""What the carrier service keeps, and what it asks of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from carrierflow.carrier_service.shipments import Held, Shipment
from carrierflow.parcel import Parcel
from carrierflow.ports import LedgerTransaction
from carrierflow.shop import Shop
from carrierflow.track import Publication, Track


__all__ = ["CallbackStore", "CallbackTransaction", "Delivery"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A webhook as it arrived; the body is sealed, for it names people."""

    digest: str
    """Of organisation, topic and raw bytes: platforms number their deliveries not at all."""
    topic: str
    org_id: str | None
    order_id: str | None
    received_at: datetime
    sealed: bytes | None = field(repr=False)
    """None where the body is too long to be kept."""


class CallbackTransaction(LedgerTransaction, Protocol):
    """What one callback reads and writes together with the ledger."""

    def by_external_code(self, shop: Shop, code: str) -> Held | None:
        """Return the parcel that was handed over under a code."""
        ...

    def by_tracking_number(self, shop: Shop, number: str) -> Held | None:
        """Return the parcel that bears a tracking number."""
        ...

    def add_shipment(self, shipment: Shipment, parcel: Parcel) -> None:
        """Keep what was answered to a create order.

        Raises:
            ConcurrentUpdate: if somebody else kept another for the same code, number or parcel.
        """
        ...

    def save_publication(self, publication: Publication, parcel: Parcel) -> None:
        """Write that the platform was told an entry otherwise than by a PUT."""
        ...

    def keep_refusal(self, parcel: Parcel, reason: str, *, now: datetime) -> None:
        """Keep that the platform asked for a cancel and was told no."""
        ...


class CallbackStore(Protocol):
    """What the callbacks read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`.
    """

    def shop(self, code: str) -> Shop:
        """Return a shop; raises `UnknownShop`."""
        ...

    def by_external_code(self, shop: Shop, code: str) -> Held | None:
        """Return the parcel that was handed over under a code."""
        ...

    def by_tracking_number(self, shop: Shop, number: str) -> Held | None:
        """Return the parcel that bears a tracking number."""
        ...

    def by_fulfillment(self, shop: Shop, fulfillment_id: str) -> Held | None:
        """Return a parcel by the platform's id for it."""
        ...

    def tracks(self, parcels: Collection[Parcel]) -> dict[int, Track]:
        """Return what was recorded and tried for some fulfillments, by their own ids."""
        ...

    def run_callback(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some work in one transaction, again from the start where it met another writer."""
        ...

    def take_in(self, delivery: Delivery, *, acted: bool) -> list[str] | None:
        """Keep a webhook and mark the parcels of its order as due, at once or not at all.

        Returns the codes of the organisation's shops; None where the same webhook was kept and
        acted on before. `acted` says that there is nothing else to do about it.
        """
        ...

    def shops_of(self, org_id: str | None) -> list[str]:
        """Return the codes of an organisation's shops."""
        ...

    def acted(self, delivery: Delivery, *, now: datetime) -> None:
        """Write that a webhook needs nothing more: the same one again does nothing."""
        ...
