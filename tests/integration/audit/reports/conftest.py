"""Two shops with a week of parcels, told late, out of order and wrongly, and corrected since."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, text

from carrierflow.app.settings import Settings
from carrierflow.audit.reports.reports import Reports
from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Source, Status
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.resolution import IncidentResolver
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.types import UtcDateTime


ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED, Status.CODRECEIPT)
PARCELS = 12
MOMENTS = (-1, 0, 5, 30, 55, 90, 10_000)
"""Hours after the beginning at which questions are asked."""


@pytest.fixture
def make_reports(clock):
    """Answer what is asked about any store."""

    def make(store):
        within = Settings().verify_within
        return Reports(store.snapshot, DEFAULT, verify_within=within, clock=clock)

    return make


@pytest.fixture
def reports(store, make_reports):
    return make_reports(store)


@pytest.fixture
def ask(store):
    """Ask the database by SQL that shares nothing with the reports'."""

    def ask(statement, **values):
        moments = [
            bindparam(name, type_=UtcDateTime()) for name in ("at", "since") if name in values
        ]
        with store.reading() as connection:
            rows = connection.execute(text(statement).bindparams(*moments), values)
            return [tuple(row) for row in rows]

    return ask


@pytest.fixture
def desk(store, ledger, clock):
    return IncidentResolver(
        SqlReconcileStore(store),
        ledger,
        clock=clock,
        projection_of=lambda _shop: PLATFORMS["haravan"].projection,
    )


@pytest.fixture
def week(ledger, store, make_shop, clock):
    """The codes of two shops whose parcels had a week of everything."""
    began = clock()
    codes = [make_shop(store), make_shop(store)]
    for seed, code in enumerate(codes):
        chance = random.Random(seed)
        for number in range(PARCELS):
            clock.set(began + timedelta(hours=number))
            ledger.open(_opening(code, number, chance))
        for number, status, hour, told in _told(chance):
            clock.set(began + timedelta(hours=told))
            at = began + timedelta(hours=hour)
            ledger.record(_event(code, number, status, at, key=f"{status}-{hour}"))
        clock.set(began + timedelta(hours=80))
        _correct(ledger, code, began)
    clock.set(began + timedelta(hours=100))
    return codes


def _opening(code, number, chance):
    ref = FulfillmentRef(shop=code, order_id=f"{1000 + number}", fulfillment_id=f"{number}")
    cash = chance.choice([None, chance.randrange(1, 10**7)])
    return Opening(ref=ref, cod_amount=cash if number else 1_234_567)


def _told(chance):
    """Return scans of both kinds: on the road in their order, told in any order at all."""
    scans = []
    for number in range(PARCELS):
        hour = number
        for status in ROAD[: chance.randrange(1, 5) if number else 3]:
            hour += chance.randrange(1, 16)
            scans.append((number, status, hour, hour + chance.choice([0, 0, 1, 30])))
    scans.append((1, Status.RETURN, 20, 20))
    return sorted(scans, key=lambda scan: scan[3])


def _correct(ledger, code, began):
    """Correct two parcels: one as of now, one as of long ago."""
    now = _event(code, 0, Status.DELIVERING, None, key="a", actor="lan", reason="misread")
    ledger.amend(now)
    earlier = began + timedelta(hours=40)
    then = _event(code, 0, Status.NOTMEETCUSTOMER, earlier, key="b", actor="minh", reason="call")
    ledger.amend(then)


def _event(code, number, status, at, *, key, actor="scanner", reason=None):
    return Event(
        shop=code,
        fulfillment_id=str(number),
        status=status,
        occurred_at=at,
        key=key,
        actor=actor,
        reason=reason,
        source=Source.OPERATOR if reason else Source.CARRIER,
        fill_gaps=reason is None,
    )


@pytest.fixture
def decided(week, store, desk, clock):
    """The same week, with an incident of the first shop that a person decided."""
    shop = store.shop(week[0])
    ref = FulfillmentRef(shop=week[0], order_id="1001", fulfillment_id="1")
    finding = Finding(kind="gone", sentence="It is gone.", ref=ref, evidence={})
    SqlReconcileStore(store).open_incidents(shop, [finding], now=clock())
    (incident,) = desk.all(shop=week[0])
    clock.advance(hours=2)
    desk.resolve(incident.id, ResolveAction.ABANDON, actor="mai", reason="shop-removed-it")
    return week
