"""What a page of a list costs in a ledger of a million parcels, whichever page it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from databases import create
from sqlalchemy import insert, literal, select

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.clock import now
from carrierflow.domain.model import Status
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.ledger import NEW_HEADS
from carrierflow.storage.tables import fulfillments, shops

from .measure import Spread
from .results import Budget, Figure
from .servers import settle


__all__ = ["fill_with", "listing"]

MOST_MILLIS = 50
COPIED = 1_000
"""Parcels that are written one by one; the others are copies of them."""

SHOPS = 20
PAGES = 20
LAST = datetime(2026, 3, 1, tzinfo=UTC)
THREE_DAYS_AGO = LAST - timedelta(days=3)

STUCK = {"status": Status.DELIVERING, "since_before": THREE_DAYS_AGO}
QUESTIONS = {
    "stuck in delivering": STUCK,
    "stuck in delivering, one shop": STUCK | {"shop": "shop-07"},
    "stuck anywhere": {"since_before": THREE_DAYS_AGO},
    "delivered": {"status": Status.DELIVERED},
    "delivered, one shop": {"status": Status.DELIVERED, "shop": "shop-07"},
    "all": {},
    "one shop": {"shop": "shop-07"},
    "frozen": {"frozen": True},
    "unpublished": {"unpublished": True},
}
PROMISED = "stuck in delivering"


def listing(kinds, size, folder):
    """Ask for page after page of each list; yield what a page took, and the budget."""
    for kind in kinds:
        with create(kind, folder) as database:
            engine = database.build()
            fill_with(engine, size.listed)
            settle(engine)
            settings = Settings(database_url=database.url, secret_key=generate_key())
            app = build(settings, engine=engine)
            for name, question in QUESTIONS.items():
                spread = Spread.of(list(_pages(app, question)))
                yield Figure(bench="a page", where=kind, who=name, spread=spread, unit="ms")
                if name == PROMISED:
                    promise = "a page of what is stuck"
                    budget = {"limit": MOST_MILLIS, "spread": spread, "unit": "ms"}
                    yield Budget(promise=promise, where=kind, **budget)
            engine.dispose()


def _pages(app, question):
    """Yield how many milliseconds each page took, from the call to the last parcel."""
    after = None
    for _ in range(PAGES):
        began = time.perf_counter()
        page = app.fulfillments(**question, after=after)
        yield (time.perf_counter() - began) * 1e3
        after = page.next
        if after is None:
            return


def fill_with(engine, count):
    """Write so many parcels without history: most were delivered, one of thirty is on its way."""
    with engine.begin() as connection:
        connection.execute(insert(shops), [_shop(number) for number in range(1, SHOPS + 1)])
        some = min(count, COPIED)
        connection.execute(insert(fulfillments), [_parcel(number) for number in range(1, some + 1)])
        for more in range(some, count, some):
            connection.execute(_copies(some, more))


def _copies(some, more):
    """Write the first parcels once more, under other names."""
    f = fulfillments.c
    changed = {
        "id": f.id + more,
        "fulfillment_id": f.fulfillment_id.concat(f"-{more}"),
        "frozen": literal("conflict") if more == 5 * some else f.frozen,
        "unpublished": literal(1) if more == 5 * some else f.unpublished,
    }
    columns = [column.name for column in fulfillments.columns]
    query = select(*(changed.get(name, f[name]) for name in columns)).where(f.id <= some)
    return insert(fulfillments).from_select(columns, query)


def _shop(number):
    return {
        "id": number,
        "code": f"shop-{number:02}",
        "platform": "haravan",
        "base_url": "http://127.0.0.1",
        "carrier_code": "external",
        "token": b"sealed",
        "state": "active",
        "added_at": now(),
    }


def _parcel(number):
    entered = LAST - timedelta(minutes=487 * number % 525_600)
    return NEW_HEADS | {
        "id": number,
        "shop": number % SHOPS + 1,
        "order_id": str(10**9 + number),
        "fulfillment_id": str(2 * 10**9 + number),
        "cod_amount": 0,
        "opened_at": entered,
        "delivery_status": Status.DELIVERED if number % 30 else Status.DELIVERING,
        "entered_at": entered,
        "cod_status": Status.NONE,
        "open": number % 30 == 0,
    }
