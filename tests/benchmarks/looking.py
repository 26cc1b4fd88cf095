"""What a look at a parcel costs: the first one, and those at which both sides agree.

Beside it stands what an engineer would write for parcels in agreement alone: fifty orders to a
request, the reply read by the json module, one bare select, one bare update. Only this process's
CPU counts: the platform is another one, and so is the database's server.
"""

from __future__ import annotations

import json
from contextlib import closing

import requests
from databases import create
from sqlalchemy import bindparam, select, text, update

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.reconcile.changes import BATCH
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import fulfillments

from .measure import Spread, race, ratios, timed
from .platform_process import BUCKETS, ids_of, platform_process
from .results import Budget, Figure
from .servers import settle


__all__ = ["looking"]

OURS, BY_HAND = "carrierflow", "by hand"
CASH = 250_000

IN_AGREEMENT = {"sqlite": 75, "postgres": 100}
FIRST_LOOK = {"sqlite": 400, "postgres": 700}
"""Microseconds."""

FIELDS = "id,updated_at,cancelled_at,fulfillment_status,fulfillments"

COLUMNS = (
    "id",
    "order_id",
    "fulfillment_id",
    "delivery_status",
    "cod_status",
    "cod_amount",
    "unpublished",
    "frozen",
    "remote_updated_at",
    "verified_at",
)

READ = select(*(fulfillments.c[name] for name in COLUMNS)).where(
    fulfillments.c.shop == bindparam("of"),
    fulfillments.c.order_id.in_(bindparam("orders", expanding=True)),
)
MARK = (
    update(fulfillments)
    .where(fulfillments.c.id.in_(bindparam("ids", expanding=True)))
    .values(verified_at=bindparam("at"))
)


def looking(kinds, size, folder):
    """Look at shops for the first time, and then again, on each database."""
    for kind in kinds:
        places = {f"shop-{number}": number for number in range(size.rounds)}
        stock = {"cash": CASH, "status": "picking"}
        with (
            platform_process(places, size.looked, **stock) as platform,
            create(kind, folder) as database,
            closing(Carrier(platform, database, places, size.looked)) as carrier,
        ):
            platform.bucket(real=False)
            firsts = [carrier.first_look(shop) for shop in places]
            timings = race({OURS: Ours(carrier), BY_HAND: ByHand(carrier)}, rounds=size.rounds)
            yield from _found(kind, size.looked, firsts, timings)


def _found(kind, parcels, firsts, timings):
    first = _micros(firsts, parcels)
    again = {who: _micros(each, parcels) for who, each in timings.items()}
    bench = "CPU per look at a parcel"
    yield Figure(bench=f"{bench}, the first", where=kind, who=OURS, spread=first, unit="µs")
    for who, spread in again.items():
        yield Figure(bench=f"{bench}, in agreement", where=kind, who=who, spread=spread, unit="µs")
    theirs = timings[BY_HAND]
    for name, ours in (("in agreement", timings[OURS]), ("the first", firsts)):
        spread = ratios(ours, theirs)
        bench = f"a look, against one in agreement by hand: {name}"
        yield Figure(bench=bench, where=kind, who=OURS, spread=spread, unit="times")
    for promise, limits, spread in (
        ("CPU for a parcel in agreement", IN_AGREEMENT, again[OURS]),
        ("CPU for a first look at a parcel", FIRST_LOOK, first),
    ):
        if kind in limits:
            yield Budget(promise=promise, where=kind, limit=limits[kind], spread=spread, unit="µs")


def _micros(timings, parcels):
    return Spread.of([timing.busy / parcels * 1e6 for timing in timings])


class Carrier:
    """A carrier whose shops each hold as many parcels, all of them recorded and never looked at."""

    def __init__(self, platform, database, places, parcels):
        self.platform, self.places, self.parcels = platform, places, parcels
        bucket, leak = BUCKETS["fast"]
        settings = Settings(
            database_url=database.url,
            secret_key=generate_key(),
            rate_bucket=bucket,
            rate_leak=leak,
        )
        clock = platform.clock
        self.app = build(
            settings, now=clock, sleep=clock.advance, database_clock=DatabaseClock(clock)
        )
        for shop in places:
            self.app.shops.add(shop, token=f"token-{shop}", base_url=platform.url)
            events = (self._event(shop, number) for number in range(parcels))
            assert all(a.verdict == "accepted" for a in self.app.ledger.record_many(events))
        settle(self.app.store.engine)

    def close(self):
        """Let the database go."""
        self.app.store.engine.dispose()

    def _event(self, shop, number):
        order, fulfillment = ids_of(self.places[shop], number)
        ref = FulfillmentRef(shop=shop, order_id=f"{order}", fulfillment_id=f"{fulfillment}")
        return Event(
            shop=shop,
            fulfillment_id=ref.fulfillment_id,
            status=Status.PICKING,
            occurred_at=self.platform.clock(),
            opening=Opening(ref=ref, cod_amount=CASH),
        )

    def first_look(self, shop):
        """Look at all parcels of a shop: what is seen of each is new, and written."""
        timing = timed(lambda: self.look(shop))
        with self.app.store.engine.connect() as connection:
            query = text("SELECT count(*) FROM carrierflow_observations")
            assert connection.execute(query).scalar_one() >= self.parcels
        return timing

    def look(self, shop):
        """Reconcile a shop in which nothing is to be told."""
        self.platform.clock.advance(60)
        (report,) = self.app.reconcile([shop], full=True)
        assert report.checked == report.in_sync == self.parcels, report


class Ours:
    """Runs at one shop after the other."""

    def __init__(self, carrier):
        self._carrier = carrier

    def prepare(self, number):
        """Return the look of one round."""
        return lambda: self._carrier.look(f"shop-{number}")


class ByHand:
    """The same comparison for parcels in agreement, and nothing beside it."""

    def __init__(self, carrier):
        self._carrier = carrier

    def prepare(self, number):
        """Return the look of one round."""
        return lambda: self._look(f"shop-{number}")

    def _look(self, code):
        carrier = self._carrier
        shop = carrier.app.store.shop(code)
        numbers = range(carrier.parcels)
        orders = [str(ids_of(carrier.places[code], number)[0]) for number in numbers]
        agreed = 0
        with requests.Session() as session, carrier.app.store.engine.connect() as connection:
            session.headers["Authorization"] = f"Bearer token-{code}"
            for start in range(0, len(orders), BATCH):
                some = orders[start : start + BATCH]
                shown = self._shown(session, some)
                rows = connection.execute(READ, {"of": shop.id, "orders": some}).all()
                same = [row.id for row in rows if self._agrees(row, shown[row.fulfillment_id])]
                connection.execute(MARK, {"ids": same, "at": carrier.platform.clock()})
                connection.commit()
                agreed += len(same)
        assert agreed == carrier.parcels

    def _shown(self, session, orders):
        params = {"ids": ",".join(orders), "status": "any", "limit": BATCH, "fields": FIELDS}
        reply = session.get(f"{self._carrier.platform.url}/com/orders.json", params=params)
        reply.raise_for_status()
        found = json.loads(reply.content)["orders"]
        return {str(row["id"]): row for order in found for row in order["fulfillments"]}

    @staticmethod
    def _agrees(row, shown):
        return (
            not row.unpublished
            and row.frozen is None
            and shown["carrier_status_code"] == row.delivery_status
            and shown["carrier_cod_status_code"] == row.cod_status
            and shown["cod_amount"] == row.cod_amount
        )
