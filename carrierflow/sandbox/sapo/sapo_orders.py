"""What a Sapo shop stores: orders with their lines, parcels and prepayments, as frozen values.

Times are whole seconds since 1970, money and quantities are exact. `details` are fields that no
rule here looks at; what they leave out is printed as the seed's samples print it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from carrierflow.sandbox.sapo.fulfillment_states import LIVE, SHIPPED, SapoState


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "PackedLine",
    "Prepayment",
    "SapoFulfillment",
    "SapoLine",
    "SapoOrder",
    "SapoPayment",
    "SapoRef",
    "SapoShipment",
    "ShipperDeposit",
]


class SapoRef(NamedTuple):
    """Names one parcel of one order of one shop."""

    shop: str
    order_id: int
    fulfillment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoLine:
    """One line of an order."""

    id: int
    created_on: int
    modified_on: int
    price: Decimal
    quantity: Decimal
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedLine:
    """So much of an order's line as lies in one parcel."""

    id: int
    created_on: int
    line: SapoLine
    quantity: Decimal

    @property
    def amount(self) -> Decimal:
        """What the goods cost."""
        return self.quantity * self.line.price


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperDeposit:
    """What the shipper puts down in advance when he takes the parcel."""

    id: int
    amount: Decimal
    paid_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoPayment:
    """Money that `receive` books on a parcel."""

    id: int
    prepayment_id: int
    amount: Decimal
    paid_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoShipment:
    """The carrier's side of a parcel; a parcel for pickup has none."""

    cod_amount: Decimal
    created_on: int
    modified_on: int
    tracking_code: str
    shipping_address: Mapping[str, Any] | None = None
    deposits: tuple[ShipperDeposit, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoFulfillment:
    """One parcel; `packed_on` comes from another clock than `created_on` and may lie before it."""

    id: int
    code: str
    delivery_type: str
    state: SapoState
    lines: tuple[PackedLine, ...]
    packed_on: int
    created_on: int
    modified_on: int
    shipment: SapoShipment | None = None
    billing_address: Mapping[str, Any] | None = None
    payments: tuple[SapoPayment, ...] = ()
    shipped_on: int | None = None
    received_on: int | None = None
    cancel_date: int | None = None
    receive_cancellation_on: int | None = None
    stock_out_account_id: int | None = None
    receive_account_id: int | None = None
    cancel_account_id: int | None = None
    receive_cancellation_account_id: int | None = None

    @property
    def total(self) -> Decimal:
        """What the goods cost, which need not be what is to be collected."""
        return sum((line.amount for line in self.lines), Decimal())

    @property
    def cod_amount(self) -> Decimal:
        """What is to be collected."""
        return self.shipment.cod_amount if self.shipment is not None else Decimal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepayment:
    """Money that a buyer paid before anything was sent."""

    id: int
    payment_method_id: int
    amount: Decimal
    paid_on: int
    note: str | None
    created_on: int
    modified_on: int
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoOrder:
    """One order; it keeps its cancelled parcels, and no date of its own cancel."""

    id: int
    code: str
    status: str
    created_on: int
    modified_on: int
    issued_on: int
    lines: tuple[SapoLine, ...]
    fulfillments: tuple[SapoFulfillment, ...] = ()
    prepayments: tuple[Prepayment, ...] = ()
    finalized_on: int | None = None
    finished_on: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What the goods of every line cost."""
        return sum((line.price * line.quantity for line in self.lines), Decimal())

    @property
    def is_packed(self) -> bool:
        """Whether a parcel is under way, or was and arrived."""
        return bool(self._live)

    @property
    def is_shipped(self) -> bool:
        """Whether every such parcel has left."""
        return self.is_packed and all(each.state in SHIPPED for each in self._live)

    @property
    def is_received(self) -> bool:
        """Whether every such parcel has arrived."""
        return self.is_packed and all(each.state is SapoState.RECEIVED for each in self._live)

    @property
    def is_paid(self) -> bool:
        """Whether parcels and prepayments together brought in what the goods cost."""
        rows = [payment.amount for each in self.fulfillments for payment in each.payments]
        rows += [each.amount for each in self.prepayments if not each.is_cancelled]
        return bool(rows) and sum(rows) >= self.total

    @property
    def _live(self) -> list[SapoFulfillment]:
        return [each for each in self.fulfillments if each.state in LIVE]
