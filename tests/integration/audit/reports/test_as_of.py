from datetime import timedelta
from itertools import product

import pytest

from carrierflow.domain.model import Event, Machine, Status
from carrierflow.errors import UnknownFulfillment, UnknownShop

from .conftest import MOMENTS


STOOD = """
SELECT h.to_status, COUNT(*) FROM carrierflow_history h
JOIN carrierflow_fulfillments f ON f.id = h.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND h.{clock} <= :at AND NOT EXISTS (
    SELECT 1 FROM carrierflow_history n WHERE n.fulfillment = h.fulfillment
    AND n.machine = h.machine AND n.seq > h.seq AND n.{clock} <= :at)
GROUP BY h.to_status
"""
"""An entry counts where no later one of its chain does: nothing is packed, nothing is MAX."""


def test_totals_reconcile_with_the_raw_history(reports, week, ask, clock):
    """At any moment, by either clock, each total is what plain SQL counts in the history."""
    for shop, hours in product(week, MOMENTS):
        at = clock() + timedelta(hours=hours - 100)
        found = reports.as_of(at, shop=shop)
        known = dict(ask(STOOD.format(clock="recorded_at"), shop=shop, at=at))
        was = dict(ask(STOOD.format(clock="occurred_at"), shop=shop, at=at))

        assert known == {t.status: t.known for t in found.totals if t.known}
        assert was == {t.status: t.was for t in found.totals if t.was}


def test_the_list_adds_up_to_the_totals(reports, week, clock):
    """Counting the parcels that are named gives the totals, and those thought elsewhere."""
    for shop, hours in product(week, MOMENTS):
        at = clock() + timedelta(hours=hours - 100)
        found = reports.as_of(at, shop=shop, parcels=True)
        again = type(found).of(at, found.counted(found.parcels))

        assert found.totals == again.totals
        assert (found.known, found.was) == (again.known, again.was)
        assert sum(c.parcels for c in found.misjudged) == sum(c.parcels for c in again.misjudged)


def test_a_late_scan_changes_what_was_and_not_what_was_known(
    reports, ledger, make_parcel, shop, clock
):
    """A delivery that is told a day late was known a day late, and was so all the same."""
    parcel = make_parcel()
    noon = clock.advance(hours=4)
    clock.advance(days=1)
    for number, status in enumerate((Status.PICKING, Status.DELIVERING, Status.DELIVERED)):
        record(ledger, parcel, status, noon + timedelta(minutes=number))
    found = reports.as_of(noon + timedelta(hours=1), shop=shop, parcels=True)
    (one,) = found.parcels

    assert Status.READYTOPICK == one.known.carrier_status
    assert Status.DELIVERED == one.was.carrier_status
    (moved,) = found.misjudged
    assert (Machine.DELIVERY, Status.READYTOPICK, Status.DELIVERED, 1) == (
        moved.machine,
        moved.known,
        moved.was,
        moved.parcels,
    )


def test_a_correction_holds_from_when_it_says(reports, week, clock):
    """The second parcel's correction of long ago moves what was, and not what was known."""
    at = clock() - timedelta(hours=58)
    found = reports.as_of(at, shop=week[0], fulfillment_id="0")
    (one,) = found.parcels

    assert Status.NOTMEETCUSTOMER == one.was.carrier_status
    assert Status.NOTMEETCUSTOMER != one.known.carrier_status


def test_what_is_not_there_is_named(reports, week, clock):
    """A shop or a parcel that nobody knows is an error, not an empty answer."""
    with pytest.raises(UnknownShop):
        reports.as_of(clock(), shop="nowhere")
    with pytest.raises(UnknownFulfillment):
        reports.as_of(clock(), shop=week[0], fulfillment_id="none")


def record(ledger, parcel, status, at):
    event = Event(
        shop=parcel.ref.shop,
        fulfillment_id=parcel.ref.fulfillment_id,
        status=status,
        occurred_at=at,
    )
    assert "accepted" == ledger.record(event).verdict
