"""Whatever sum of money a report tells, the parcels are named that it is made of."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.calendar import TICK
from carrierflow.audit.sampling.sample_plan import SampleMethod, SamplePlan
from carrierflow.domain.model import Status

from .conftest import MOMENTS


CLASSES = {
    (Status.CODPENDING, False): "to_collect",
    (Status.CODPENDING, True): "not_collected",
    (Status.CODNOTRECEIPT, False): "not_collected",
    (Status.CODNOTRECEIPT, True): "not_collected",
    (Status.CODPAID, False): "held",
    (Status.CODPAID, True): "owed_back",
    (Status.CODRECEIPT, False): "remitted",
    (Status.CODRECEIPT, True): "owed_back",
}
"""Whose cash is, by where it stands and whether its parcel came back or was cancelled."""


def moments(clock):
    """Return when questions are asked."""
    return [clock() + timedelta(hours=hours - 100) for hours in MOMENTS]


def parcels_by_class(parcels, basis):
    """Add up the amounts of parcels that are named, by whose they are."""
    found = Counter()
    for each in parcels:
        place = each.known if basis is Basis.KNOWN else each.was
        is_over = place.carrier_status in {Status.RETURN, Status.CANCEL}
        if place.cod_status not in {None, Status.NONE}:
            found[CLASSES[place.cod_status, is_over]] += each.cod_amount
    return +found


@pytest.mark.parametrize("basis", Basis)
def test_each_class_of_cash_is_its_parcels(reports, week, clock, basis):
    """What `cod` adds up by class are the parcels that `as-of` names, with their amounts."""
    for shop in week:
        for at in moments(clock):
            cash = reports.cod(at, basis=basis, shop=shop)
            parcels = reports.as_of(at, shop=shop, parcels=True).parcels
            told = Counter()
            for each in cash.by_class:
                told[each.cash_class.value] += each.amount

            assert parcels_by_class(parcels, basis) == +told
            assert cash.total == sum(told.values())
            assert cash.amount == sum(aged.amount for aged in cash.by_age) == told["held"]


@pytest.mark.parametrize("basis", Basis)
def test_each_parcels_movements_are_what_it_held_before_and_after(reports, week, clock, basis):
    """Between two moments, what moved of a parcel is what `cod` names of it at both."""
    for shop in week:
        for since, until in pairwise(moments(clock)):
            held = [
                Counter(
                    {
                        each.ref: each.amount
                        for each in reports.cod(at, basis=basis, shop=shop, parcels=True).held
                    }
                )
                for at in (since - TICK, until)
            ]
            found = reports.cash_movements(since, until, basis=basis, shop=shop, moves=True)
            for move in found.moves:
                held[0][move.ref] += move.amount

            assert {ref: amount for ref, amount in held[0].items() if amount} == held[1]


def test_what_is_sampled_by_amount_is_all_there_is(own_book, make_reports):
    """A sample speaks for the amounts of all parcels of its checkpoint, each of them as it is."""
    own_book.record(30)
    own_book.sealer().seal()
    reports = make_reports(own_book.store)
    plan = SamplePlan(method=SampleMethod.AMOUNT, seed="s", materiality=1_000_000)
    sample = reports.draw(plan)

    parcels = reports.as_of(parcels=True).parcels
    assert 30 == sample.parcels == len(parcels)
    assert sample.amount == sum(each.cod_amount for each in parcels)
    named = {each.ref: each.cod_amount for each in parcels}
    assert all(named[drawn.unit.ref] == drawn.unit.amount for drawn in sample.drawn)
