"""Where below `/admin` of a shop its orders are, and what can be done with a fulfillment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import InvalidInput
from carrierflow.platforms.sapo.printed_values import is_number


__all__ = ["ACTIONS", "AdminPaths"]

ACTIONS: Mapping[str, str] = {
    "ship": "ship",
    "receive": "receive",
    "cancel": "cancel",
    "cancel_shipped": "cancel",
    "receive_after_cancellation": "receive_after_cancellation",
}
"""The last part of the address of each write; what a cancel leads to depends on the parcel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AdminPaths:
    """The addresses of one shop.

    Sapo's document prints them bare, but for one that ends in `.json`; integrations in
    production all end them so.
    """

    suffix: str = ".json"

    @property
    def orders(self) -> str:
        """Where orders are listed."""
        return f"/orders{self.suffix}"

    def order(self, order_id: str) -> str:
        """Return where an order is read; its id is a number."""
        return f"/orders/{order_id}{self.suffix}"

    def action(self, ref: FulfillmentRef, name: str) -> str:
        """Return where a write is told.

        Raises:
            InvalidInput: there is no such write, or the ids are no numbers.
        """
        if name not in ACTIONS or not (is_number(ref.order_id) and is_number(ref.fulfillment_id)):
            raise InvalidInput(f"There is no way to tell Sapo {name!r} about {ref}.")
        return (
            f"/orders/{ref.order_id}/fulfillments/{ref.fulfillment_id}/{ACTIONS[name]}{self.suffix}"
        )
