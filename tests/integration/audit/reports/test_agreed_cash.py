"""Each amount is the one that was agreed at the moment asked about, and each đồng is somebody's."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from itertools import product

import pytest

from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.cash import CashClass
from carrierflow.domain.lifecycle import define
from carrierflow.domain.model import Event, Status
from carrierflow.errors import InvalidInput


LAN = {"actor": "lan", "reason": "asked"}
EACH = """
SELECT f.fulfillment_id,
    (SELECT t.cod_amount FROM carrierflow_terms t WHERE t.fulfillment = f.id
     AND (t.number = 0 OR t.recorded_at <= :at) ORDER BY t.number DESC LIMIT 1),
    (SELECT h.to_status FROM carrierflow_history h WHERE h.fulfillment = f.id
     AND h.machine = 'cod' AND h.{clock} <= :at ORDER BY h.seq DESC LIMIT 1),
    (SELECT h.to_status FROM carrierflow_history h WHERE h.fulfillment = f.id
     AND h.machine = 'delivery' AND h.{clock} <= :at ORDER BY h.seq DESC LIMIT 1)
FROM carrierflow_fulfillments f JOIN carrierflow_shops s ON s.id = f.shop WHERE s.code = :shop
"""
CLOCKS = {Basis.KNOWN: "recorded_at", Basis.WAS: "occurred_at"}
CAME_BACK = {"return", "cancel"}
ALIVE = {
    "codpending": CashClass.TO_COLLECT,
    "codpaid": CashClass.HELD,
    "codreceipt": CashClass.REMITTED,
    "codnotreceipt": CashClass.NOT_COLLECTED,
}
ENDED = {
    "codpending": CashClass.NOT_COLLECTED,
    "codpaid": CashClass.OWED_BACK,
    "codreceipt": CashClass.OWED_BACK,
    "codnotreceipt": CashClass.NOT_COLLECTED,
}
ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)
BACK = (Status.WAITINGFORRETURN, Status.RETURN)
HISTORIES = 60
SPAN = 60
"""Hours that a history lasts."""


@pytest.fixture
def sums(ask):
    """Add up a shop's cash by class, by SQL of its own."""

    def read(shop, at, basis):
        found = Counter()
        for _, amount, cash, delivery in ask(EACH.format(clock=CLOCKS[basis]), shop=shop, at=at):
            if cash not in {None, "none"}:
                found[(ENDED if delivery in CAME_BACK else ALIVE)[cash]] += amount
        return found

    return read


@pytest.fixture
def returning(engine, make_store, make_ledger):
    """A ledger whose parcels may come back after they were delivered."""
    definition = define(["return_after_delivery", "redeliver"])
    return make_ledger(make_store(engine, definition), definition)


def tell(ledger, ref, *statuses, **given):
    """Record some events of a parcel."""
    for status in statuses:
        event = Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=status, **given)
        ledger.record(event)


def by_class(cash):
    """Return the sums of an answer, those that are something."""
    found = Counter()
    for each in cash.by_class:
        found[each.cash_class] += each.amount
    return found


def check(reports, sums, shop, at):
    """Compare every sum of an answer with plain SQL, and with the parcels that are named."""
    for basis in Basis:
        found = reports.cod(at, basis=basis, shop=shop, parcels=True)
        wanted = sums(shop, at, basis)

        assert wanted == by_class(found)
        assert sum(wanted.values()) == found.total
        assert wanted[CashClass.HELD] == found.amount == sum(each.amount for each in found.held)
        assert wanted[CashClass.OWED_BACK] == sum(each.amount for each in found.owed_back)


def test_the_amount_is_that_of_the_moment(reports, ledger, make_parcel, sums, clock):
    """A revision counts from when it was written, and not for the time before."""
    parcel = make_parcel(cod_amount=510_000, tracking_number="VN1")
    tell(ledger, parcel.ref, *ROAD)
    before = clock.advance(hours=1)
    clock.advance(hours=1)
    ledger.revise(parcel.ref, cod_amount=450_000, tracking_number="VN2", correction=True, **LAN)
    after = clock.advance(hours=1)

    for at, amount, waybill in ((before, 510_000, "VN1"), (after, 450_000, "VN2")):
        found = reports.cod(at, shop=parcel.ref.shop, parcels=True)
        (one,) = found.held
        assert (amount, amount, amount, waybill) == (
            found.total,
            found.amount,
            one.amount,
            one.tracking_number,
        )
        (stood,) = reports.as_of(at, shop=parcel.ref.shop, parcels=True).parcels
        assert amount == stood.cod_amount
        check(reports, sums, parcel.ref.shop, at)


def test_a_parcels_life_tells_its_revisions(reports, ledger, make_parcel, clock):
    """Who agreed upon what anew, when and why, stands among the other traces of the parcel."""
    parcel = make_parcel(cod_amount=510_000)
    at = clock.advance(hours=1)
    ledger.revise(parcel.ref, cod_amount=450_000, tracking_number="VN2", **LAN)
    timeline = reports.timeline(parcel.ref.shop, parcel.ref.fulfillment_id)
    (told,) = [each for each in timeline.moments() if each.kind == "revision"]

    assert (at, "lan", "asked") == (told.at, told.actor, told.reason)
    assert "510.000 ₫ → 450.000 ₫" in told.sentence
    assert "- → VN2" in told.sentence
    assert [0, 1] == [each.number for each in timeline.terms]


def test_what_was_opened_counts_from_the_beginning(reports, ledger, make_parcel, clock):
    """A parcel that is told of late had the amount that it was opened with all the while."""
    began = clock()
    clock.advance(days=2)
    parcel = make_parcel(cod_amount=510_000, at=began)
    found = reports.cod(began + timedelta(hours=1), shop=parcel.ref.shop)

    assert {CashClass.TO_COLLECT: 510_000} == by_class(found)


def test_cash_of_what_came_back_is_not_to_be_collected(
    returning, reports, make_parcel, clock, sums
):
    """Unpaid it is nobody's, paid it is owed back, whether or not the shop has it already."""
    ledger = returning
    cancelled = make_parcel(cod_amount=1)
    unpaid, paid, remitted = (make_parcel(cod_amount=amount) for amount in (20, 300, 4_000))
    make_parcel(cod_amount=50_000)
    tell(ledger, cancelled.ref, Status.CANCEL)
    tell(ledger, unpaid.ref, *ROAD[:2], Status.NOTMEETCUSTOMER)
    clock.advance(hours=1)
    tell(ledger, unpaid.ref, *BACK)
    tell(ledger, paid.ref, *ROAD)
    tell(ledger, remitted.ref, *ROAD, Status.CODRECEIPT)
    at = clock.advance(hours=1)
    for parcel in (paid, remitted):
        tell(ledger, parcel.ref, *BACK)
    shop = paid.ref.shop

    assert {
        CashClass.TO_COLLECT: 50_000,
        CashClass.HELD: 300,
        CashClass.REMITTED: 4_000,
        CashClass.NOT_COLLECTED: 21,
    } == by_class(reports.cod(at - timedelta(minutes=1), shop=shop))
    found = reports.cod(at, shop=shop, parcels=True)
    assert {
        CashClass.TO_COLLECT: 50_000,
        CashClass.OWED_BACK: 4_300,
        CashClass.NOT_COLLECTED: 21,
    } == by_class(found)
    assert {paid.ref: 300, remitted.ref: 4_000} == {o.ref: o.amount for o in found.owed_back}
    assert {at} == {each.ended_at for each in found.owed_back}
    check(reports, sums, shop, at)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_dong_is_somewhere_whatever_happens(
    store, returning, make_shop, make_parcel, reports, sums, clock
):
    """However parcels are revised, told late, corrected and sent back: the sums are plain SQL's."""
    classes = set()
    for seed in range(HISTORIES):
        chance = random.Random(seed)
        shop, began = make_shop(store), clock()
        parcels = [make_parcel(shop=shop, cod_amount=_amount(chance)).ref for _ in range(4)]
        for _ in range(SPAN):
            clock.advance(hours=1)
            _something(returning, chance, chance.choice(parcels), clock())
        for hours in (chance.randrange(-1, SPAN + 2) for _ in range(3)):
            check(reports, sums, shop, began + timedelta(hours=hours))
        ends = product(Basis, [clock(), began + timedelta(hours=SPAN // 2)])
        classes |= {key for basis, at in ends for key in sums(shop, at, basis)}

    assert set(CashClass) == classes


def _amount(chance):
    return chance.choice([None, 0, chance.randrange(1, 10**7)])


def _something(ledger, chance, ref, now):
    """Let one thing happen to a parcel, if it can."""
    at = now - timedelta(hours=chance.choice([0, 0, 0, 1, 5, 30]))
    status = chance.choice([*ROAD, *ROAD, *BACK, Status.CANCEL, Status.CODRECEIPT])
    event = Event(
        shop=ref.shop,
        fulfillment_id=ref.fulfillment_id,
        status=status,
        occurred_at=at,
        key=f"{now}",
        actor="lan",
        reason="r",
        fill_gaps=chance.random() < 0.8,
    )
    try:
        if chance.random() < 0.15:
            amount = _amount(chance)
            ledger.revise(ref, cod_amount=amount, correction=chance.random() < 0.5, **LAN)
        elif chance.random() < 0.05:
            ledger.amend(event)
        else:
            ledger.record(event)
    except InvalidInput:
        pass
