"""What a carrier does when a platform asks: quote, take a parcel, show it, give it up."""

from __future__ import annotations

from carrierflow.carrier_service.carrier import Carrier, Declined
from carrierflow.carrier_service.dialect import Dialect
from carrierflow.carrier_service.exchange import Reply, Request
from carrierflow.carrier_service.store import CallbackStore
from carrierflow.errors import InvalidInput


__all__ = ["Callbacks"]


class Callbacks:
    """The calls about parcels; each takes the shop that the path names, and a signed request.

    Every one raises `InvalidInput` where the answer is no.
    """

    def __init__(self, carrier: Carrier, *, dialect: Dialect, store: CallbackStore) -> None:
        self._carrier = carrier
        self._dialect = dialect
        self._store = store

    def rates(self, shop: str, request: Request) -> Reply:
        """Answer what the carrier would ask for carrying something."""
        asked = self._dialect.quote_request(self._store.shop(shop).code, request)
        rates = self._carrier.quote(asked)
        if isinstance(rates, Declined):
            raise InvalidInput(rates.reason)
        return self._dialect.rates(rates)
