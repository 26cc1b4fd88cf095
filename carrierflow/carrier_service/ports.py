"""What the carrier service keeps, and what it asks of the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from carrierflow.carrier_service.shipments import Shipment, ShipmentRecord
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding
from carrierflow.domain.publication import Publication, PublicationLog
from carrierflow.ledger.ports import LedgerTransaction


__all__ = ["AlreadyUsed", "CallbackStore", "CallbackTransaction", "HintStore", "WebhookDelivery"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookDelivery:
    """A webhook as it arrived; the body is encrypted, for it names people."""

    digest: str
    """Of organisation, topic and raw bytes: platforms number their deliveries not at all."""
    topic: str
    org_id: str | None
    order_id: str | None
    received_at: datetime
    ciphertext: bytes | None = field(repr=False)
    """None where the body is too long to be kept."""


class AlreadyUsed(Enum):
    """What of a new shipment names a parcel that was handed over before."""

    CODE = "code"
    NUMBER = "number"


class CallbackTransaction(LedgerTransaction, Protocol):
    """What one callback reads and writes together with the ledger.

    Shops are named by their codes; a parcel of a shop that is not connected is not found.
    """

    def check_shop(self, code: str) -> None:
        """Raise `UnknownShop` or `ShopRevoked` where no shop of this code is connected."""
        ...

    def by_external_code(self, shop: str, code: str) -> ShipmentRecord | None:
        """Return the parcel that was handed over under a code."""
        ...

    def by_tracking_number(self, shop: str, number: str) -> ShipmentRecord | None:
        """Return the parcel that bears a tracking number."""
        ...

    def by_fulfillment(self, shop: str, fulfillment_id: str) -> ShipmentRecord | None:
        """Return a parcel by the platform's id for it."""
        ...

    def already_used(self, shop: str, code: str, number: str) -> AlreadyUsed | None:
        """Tell whether a code or a tracking number stands for a parcel already; the code first."""
        ...

    def publication_log(self, parcel: Fulfillment) -> PublicationLog:
        """Return what was recorded for a fulfillment and how far it was told, but no attempts."""
        ...

    def add_shipment(self, shipment: Shipment, parcel: Fulfillment) -> None:
        """Keep what was answered to a create order.

        Raises:
            ConcurrentUpdate: if somebody else kept another for the same code, number or parcel.
        """
        ...

    def add_publication(self, publication: Publication, parcel: Fulfillment) -> None:
        """Write that the platform is told an entry otherwise than by a PUT; it is a new one."""
        ...

    def open_incident(self, parcel: Fulfillment, finding: Finding, *, now: datetime) -> None:
        """Open an incident about a fulfillment, or count that its cause was met again."""
        ...

    def keep_refusal(self, parcel: Fulfillment, reason: str, *, now: datetime) -> None:
        """Keep that the platform asked for a cancel and was told no."""
        ...


class CallbackStore(Protocol):
    """What the callbacks read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`.
    """

    def read(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some reads on one connection, and let others write meanwhile, in between too."""
        ...

    def run_callback(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some work in one transaction, again from the start where it met another writer."""
        ...

    def store_webhook(self, delivery: WebhookDelivery, *, acted: bool) -> list[str] | None:
        """Keep a webhook and mark the parcels of its order as due, at once or not at all.

        Returns the codes of the organisation's shops; None where the same webhook was kept and
        acted on before. `acted` says that there is nothing else to do about it.
        """
        ...

    def shops_of(self, org_id: str | None) -> list[str]:
        """Return the codes of an organisation's shops."""
        ...

    def mark_webhook_handled(self, delivery: WebhookDelivery, *, now: datetime) -> None:
        """Write that a webhook needs nothing more: the same one again does nothing."""
        ...


class HintStore(Protocol):
    """What a hint writes about the shops of one platform."""

    def hint(self, shop: str, order_id: str, *, now: datetime) -> None:
        """Let the parcels of an order be the next ones looked at; none that is not known.

        Raises:
            DatabaseUnavailable: if it could not be written.
        """
        ...
