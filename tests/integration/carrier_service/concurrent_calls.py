"""Processes that hand the same parcels over at the same moment."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

from carrierflow.carrier_service import Accepted, Rate

from .conftest import order, signed


__all__ = ["handing_over"]


class Careless:
    """A carrier that breaks its contract: each time it is asked it gives another number."""

    def quote(self, request):
        """Offer one service."""
        return [Rate(service_id=1, name=request.shop, total_price=1)]

    def accept(self, request):
        """Take the parcel once more."""
        return Accepted(tracking_number=secrets.token_hex(8), shipping_fee=request.cod_amount)

    def cancel(self, request):
        """Agree."""


def handing_over(app, tell, gate, rounds, times):
    """In each round wait for the others, hand one parcel over so many times, say the answers."""
    service = app.carrier_service(Careless())
    app.shops.all()
    with ThreadPoolExecutor(2) as queue:
        for number in range(rounds):
            body = order(
                external_order_id=number + 1,
                external_fulfillment_id=number + 1,
                external_code=f"code-{number}",
            )
            request = signed("POST", "/sms/orders", body)
            gate.wait()
            tell([reply.body for reply in queue.map(service.answer, [request] * times)])
