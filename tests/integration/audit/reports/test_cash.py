from datetime import timedelta
from itertools import product

from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.cash import BANDS, CashClass, band_of
from carrierflow.domain.model import Event, Status

from .conftest import MOMENTS


HELD = """
SELECT f.fulfillment_id, f.cod_amount FROM carrierflow_fulfillments f
JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND 'codpaid' = (
    SELECT h.to_status FROM carrierflow_history h WHERE h.fulfillment = f.id
    AND h.machine = 'cod' AND h.{clock} <= :at ORDER BY h.seq DESC LIMIT 1)
"""
DUE = """
SELECT SUM(f.cod_amount) FROM carrierflow_fulfillments f
JOIN carrierflow_shops s ON s.id = f.shop WHERE s.code = :shop
AND EXISTS (SELECT 1 FROM carrierflow_history h WHERE h.fulfillment = f.id AND h.{clock} <= :at)
"""
CLOCKS = {Basis.KNOWN: "recorded_at", Basis.WAS: "occurred_at"}


def test_totals_tie_to_the_dong(reports, week, ask, clock):
    """The total, the ages and the parcels named are the same sum, and that of plain SQL."""
    for shop, hours, basis in product(week, MOMENTS, Basis):
        at = clock() + timedelta(hours=hours - 100)
        found = reports.cod(at, basis=basis, shop=shop, parcels=True)
        raw = dict(ask(HELD.format(clock=CLOCKS[basis]), shop=shop, at=at))

        assert raw == {held.ref.fulfillment_id: held.amount for held in found.held}
        assert sum(raw.values()) == found.amount == sum(held.amount for held in found.held)
        assert len(raw) == found.parcels == sum(aged.parcels for aged in found.by_age)


def test_every_dong_is_somewhere(reports, week, ask, clock):
    """What is due, held and remitted adds up to what all parcels that are there must bring."""
    for shop, hours, basis in product(week, MOMENTS, Basis):
        at = clock() + timedelta(hours=hours - 100)
        found = reports.cod(at, basis=basis, shop=shop)
        ((due,),) = ask(DUE.format(clock=CLOCKS[basis]), shop=shop, at=at)

        assert int(due or 0) == found.total == sum(total.amount for total in found.by_class)
        held = [t.amount for t in found.by_class if t.cash_class is CashClass.HELD]
        assert held == ([found.amount] if found.amount else [])


def test_each_parcel_stands_in_its_band(reports, week, clock):
    """The bands hold what the parcels' own ages say."""
    for shop in week:
        found = reports.cod(clock() + timedelta(days=9), shop=shop, parcels=True)
        wanted = {}
        for held in found.held:
            band = band_of(found.at - held.collected_at)
            wanted[band] = wanted.get(band, 0) + held.amount
            assert (found.at - held.collected_at) // timedelta(days=1) == held.age_days

        assert found.held
        assert wanted == {aged.band: aged.amount for aged in found.by_age}


def test_the_first_parcel_is_owed_to_the_dong(reports, ledger, week, clock):
    """One parcel's cash is held from the delivery on, and no longer once it is remitted."""
    shop = week[0]
    evening = clock()
    before = reports.cod(evening, shop=shop)
    clock.advance(hours=1)
    event = Event(shop=shop, fulfillment_id="0", status=Status.CODRECEIPT)
    assert "accepted" == ledger.record(event).verdict
    after = reports.cod(clock(), shop=shop)

    assert 1_234_567 == before.amount - after.amount
    assert before == reports.cod(evening, shop=shop)


def test_bands_leave_no_day_out():
    """Each age has a band, from the first moment to the last."""
    for days in range(400):
        band = band_of(timedelta(days=days, hours=3))
        assert band.from_days <= days
        assert band.to_days is None or days < band.to_days
    assert BANDS[0] == band_of(timedelta(hours=-1))
