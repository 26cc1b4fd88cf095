"""Celery's tasks of a host that used the database before Celery forked its workers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from celery import Celery

from carrierflow import Event, ShopHeld, Status, build, load_settings


folder = Path(os.environ["CELERY_FOLDER"])
queue = Celery(
    "tasks",
    broker="filesystem://",
    backend=f"file://{folder / 'results'}",
    broker_transport_options={
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    },
)
app = build(load_settings())
app.shops.all()


@queue.task
def picked(fulfillment_id):
    """Record that a fulfillment was picked up, and run; say which process did it."""
    event = Event(shop="alpha", fulfillment_id=fulfillment_id, status=Status.PICKING)
    verdict = str(app.ledger.record(event).verdict)
    with suppress(ShopHeld):  # another worker looks after it
        app.reconcile(["alpha"])
    return os.getpid(), verdict
