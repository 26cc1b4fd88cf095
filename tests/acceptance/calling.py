"""The platform's side of the carrier service: signed calls without a socket."""

from __future__ import annotations

import json
import random

from carrierflow.carrier_service import Accepted, Rate, Request
from carrierflow.platforms.haravan import sign
from carrierflow.sandbox.haravan import CarrierCallables, ParcelRef


__all__ = ["SECRET", "Courier", "Platform", "platform_ref"]

SECRET = "canary-client-secret"


class Courier:
    """A carrier that takes everything and gives everything up."""

    def quote(self, request):
        """Offer one service."""
        return [Rate(service_id=1, name=request.shop, total_price=1)]

    def accept(self, request):
        """Take a parcel under a number made from its code."""
        return Accepted(tracking_number=f"CF-{request.external_code}", shipping_fee=1)

    def cancel(self, request):
        """Agree."""


class Platform:
    """Calls the carrier service as Haravan does, and plays its poller."""

    def __init__(self, carrier, *, every=5, seed=0):
        self._carrier = carrier
        self._service = carrier.app.carrier_service(Courier())
        self._every = every
        self._random = random.Random(seed)
        self._looks = 0
        self._refs = []
        carrier.world.callbacks = CarrierCallables(poll_detail=self.detail)

    def call(self, method, path, body, **headers):
        """Make a signed call and return what the answer holds."""
        raw = json.dumps(body).encode()
        headers["X-Haravan-Hmac-SHA256"] = sign(raw, SECRET)
        request = Request(method=method, path=path, headers=headers, body=raw)
        return self._service.answer(request)

    def detail(self, ref):
        """Ask for a parcel's words, as the poller does."""
        reply = self.call("POST", f"/{ref.shop}/detail", {"tracking_number": number_of(ref)})
        shown = json.loads(reply.body)["data"]
        return shown["status"], shown["cod_status"]

    def webhook(self, topic, order_id, *, org_id="1000"):
        """Tell the carrier that something happened to an order."""
        headers = {"X-Haravan-Topic": topic, "X-Haravan-Org-Id": org_id}
        return self.call("POST", "/webhooks", {"id": int(order_id)}, **headers).status

    def poll_while_the_carrier_works(self, refs):
        """From now on poll one parcel at every few looks at the clock, wherever a run stands."""
        self._refs = list(refs)
        self._carrier.on_look = self._look

    def _look(self):
        self._looks += 1
        if self._looks % self._every == 0:
            self._carrier.on_look = None
            self._carrier.world.poll(self._random.choice(self._refs))
            self._carrier.on_look = self._look


def platform_ref(ref):
    """Return the sandbox's name for a parcel."""
    return ParcelRef(
        shop=ref.shop, order_id=int(ref.order_id), fulfillment_id=int(ref.fulfillment_id)
    )


def number_of(ref):
    """Return the tracking number under which a parcel is opened here."""
    return f"T-{ref.fulfillment_id}"
