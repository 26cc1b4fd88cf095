"""A ledger with at least one entry of every kind, so that no test has to name the kinds."""

from __future__ import annotations

from datetime import timedelta

from plain_runs import end
from sqlalchemy import func, insert, select, update

from carrierflow.domain.decision import DecisionKind
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Event, FulfillmentRef, Status
from carrierflow.storage.decisions import write_decision
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    incidents,
    observations,
    outcomes,
    runs,
    terms,
)

from .conftest import ORDER


__all__ = ["seen", "tell_everything"]


def tell_everything(book, *, first=1):
    """Record three parcels, refuse an event of one, and tell the platform of its first step."""
    book.record(3, first=first)
    refused = Event(shop=book.shop, fulfillment_id=f"{first}", status=Status.CANCEL)
    list(book.ledger.record_many([refused]))
    with book.store.begin() as connection:
        named = fulfillments.c.fulfillment_id == f"{first}"
        parcel = connection.execute(select(fulfillments.c.id).where(named)).scalar_one()
        key = {"fulfillment": parcel, "machine": "delivery", "seq": 2, "number": 1}
        now = book.clock()
        connection.execute(insert(attempts).values(**key, **_attempt(now)))
        told = {"outcome": "confirmed", "http_status": 200, "recorded_at": now}
        connection.execute(insert(outcomes).values(**key, **told))
        connection.execute(insert(observations).values(seen(parcel, now)))
        shop = connection.execute(select(fulfillments.c.shop).where(named)).scalar_one()
        connection.execute(insert(terms).values(fulfillment=parcel, **_revised(now)))
        bent = {"cod_amount": REVISED, "frozen": "stuck"}
        connection.execute(update(fulfillments).where(named).values(bent))
        ref = FulfillmentRef(shop=book.shop, order_id=f"{ORDER + first}", fulfillment_id=f"{first}")
        finding = Finding(kind="stuck", sentence="It stands.", ref=ref, evidence={"n": first})
        open_incident(connection, shop, parcel, finding, now)
        (number,) = connection.execute(select(func.max(incidents.c.id))).one()
        write_decision(connection, number, DecisionKind.ASSIGNED, actor="mai", now=now)
        run = {"id": f"run-{first}", "kind": "reconcile", "shop": shop, "started_at": now}
        connection.execute(insert(runs).values(run))
    end(book.store, run["id"], book.shop, now=now)


REVISED = 300_000


def _revised(now):
    return {
        "number": 1,
        "cod_amount": REVISED,
        "carrier_code": "carrier",
        "source": "operator",
        "actor": "desk",
        "reason": "agreed anew",
        "recorded_at": now,
    }


def _attempt(now):
    return {
        "status": "picking",
        "run": "run",
        "fence": 1,
        "intent_at": now,
        "send_deadline": now + timedelta(seconds=2),
        "expects": "picking",
        "operation": "picking",
    }


def seen(parcel, now):
    """Return a look at a parcel as its row."""
    return {
        "fulfillment": parcel,
        "source": "run",
        "asked_at": now,
        "seen_at": now,
        "carrier_code": "picking",
        "cod_code": 'codpending "\u0110\u1ee9c"',
        "dates": "{}",
        "updated_at": "",
        "order_cancelled": False,
        "digest": "0" * 64,
    }
