"""A carrier's own side of the callbacks: prices by weight, parcels numbered by their code.

`carrierflow serve --carrier examples/carrier.py` answers a platform with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from carrierflow import Accepted, AcceptRequest, CancelRequest, Declined, QuoteRequest, Rate


HEAVIEST = 30_000
"""Grams that one driver carries."""


class FlatRates:
    """Prices by weight; a parcel's number follows from its code, so asking twice is harmless."""

    def quote(self, request: QuoteRequest) -> Sequence[Rate] | Declined:
        """Offer two services, unless the parcel is too heavy."""
        grams = request.total_grams or 0
        if grams > HEAVIEST:
            return Declined("We carry up to 30 kg.")
        price = 20_000 + 5_000 * int(grams // 1_000)
        return [
            Rate(service_id=1, name="Standard, 2 to 3 days", total_price=price),
            Rate(service_id=2, name="Express, next day", total_price=2 * price),
        ]

    def accept(self, request: AcceptRequest) -> Accepted | Declined:
        """Take a parcel; the same code gives the same number."""
        name = f"{request.shop}/{request.external_code}"
        number = int(sha256(name.encode()).hexdigest()[:12], 16)
        return Accepted(tracking_number=f"CF{number:015d}", shipping_fee=20_000)

    def cancel(self, request: CancelRequest) -> Declined | None:  # noqa: ARG002 - agrees to any
        """Agree: whether it is too late, the lifecycle has said already."""
        return None


CARRIER = FlatRates()
