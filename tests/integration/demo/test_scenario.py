from __future__ import annotations

import pytest

from carrierflow.demo.scenario import FEWEST
from carrierflow.domain.model import Status
from carrierflow.sandbox.sandboxes import SANDBOXES
from carrierflow.sandbox.tour_cast import Itinerary, MerchantAction

from .conftest import platforms, write_days


def test_a_seed_is_a_week():
    """The same seed writes the same days, and another seed writes others."""
    assert write_days("haravan", seed=3) == write_days("haravan", seed=3)
    assert write_days("haravan", seed=3).days != write_days("haravan", seed=4).days


@platforms
@pytest.mark.parametrize("parcels", [FEWEST, 100, 250])
def test_the_cast_is_always_there(platform, parcels):
    """Whatever the seed and the size, each part of the story is played by a parcel."""
    scenario = write_days(platform, parcels=parcels, seed=5)
    roles = SANDBOXES[platform].tour.cast.roles

    wanted = {(role.itinerary, role.booked, role.action) for role in roles}

    assert parcels == len(scenario.parcels)
    assert set() == wanted - {(p.itinerary, p.booked, p.action) for p in scenario.parcels}


def test_every_parcel_is_booked_and_handled_once():
    """Each parcel is booked on one day, and a merchant's deed is done once."""
    scenario = write_days("haravan", parcels=120, seed=6)

    booked = [parcel.number for day in scenario.days for parcel in day.booked]
    handled = [work.parcel for day in scenario.days for work in day.manual_edits]

    assert sorted(parcel.number for parcel in scenario.parcels) == sorted(booked)
    assert sorted(p.number for p in scenario.parcels if p.action is not None) == sorted(handled)
    assert set(MerchantAction) == {
        work.action for day in scenario.days for work in day.manual_edits
    }


def test_nothing_is_told_before_it_happened():
    """No batch holds a scan that was made after the batch was told."""
    scenario = write_days("haravan", parcels=200, seed=7)

    early = [
        scan
        for day in scenario.days
        for told_at, scans in ((day.noon, day.noon_scans), (day.evening, day.evening_scans))
        for scan in scans
        if scan.at > told_at
    ]

    assert [] == early


def test_a_missed_scan_is_missing():
    """A parcel on the road of the missed scan is delivered, and is not scanned out in time."""
    scenario = write_days("haravan", parcels=100, seed=8)
    missed = {
        p.number for p in scenario.parcels if p.itinerary is Itinerary.MISSED_SCAN and p.booked < 5
    }
    seen = [scan for day in scenario.days for scan in (*day.noon_scans, *day.evening_scans)]

    delivered = {scan.parcel: scan.batch for scan in seen if scan.status is Status.DELIVERED}
    out = {scan.parcel: scan.batch for scan in seen if scan.status is Status.DELIVERING}

    assert missed <= set(delivered)
    assert [] == [n for n in missed if n in out and out[n] < delivered[n]]
