"""A site that uses the database while it is loaded, before its server forks the workers."""

from __future__ import annotations

import os
from contextlib import suppress

from carrierflow import Event, ShopHeld, Status, build, load_settings


app = build(load_settings())
app.shops.all()
app.reconcile(["alpha"])


def site(environ, start_response):
    """Record that a fulfillment was picked up, and run; say which process did it."""
    event = Event(
        shop="alpha", fulfillment_id=environ["PATH_INFO"].strip("/"), status=Status.PICKING
    )
    verdict = app.ledger.record(event).verdict
    with suppress(ShopHeld):  # another worker looks after it
        app.reconcile(["alpha"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {verdict}".encode()]
