from datetime import timedelta

from carrierflow.audit.reports.coverage import AGES
from carrierflow.storage.reconcile import SqlReconcileStore


OPEN = """
SELECT f.fulfillment_id, f.verified_at FROM carrierflow_fulfillments f
JOIN carrierflow_shops s ON s.id = f.shop WHERE s.code = :shop AND f.open
ORDER BY CASE WHEN f.verified_at IS NULL THEN 0 ELSE 1 END, f.verified_at, f.opened_at, f.id
"""
RECENT = """
SELECT COUNT(*) FROM carrierflow_fulfillments f JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND f.open AND f.verified_at IS NOT NULL AND f.verified_at >= :since
"""


def looked_at(store, shop, clock, hours):
    """Look at the first parcels of a shop, each some hours ago."""
    found = SqlReconcileStore(store).parcels_of(
        store.shop(shop), [str(1000 + n) for n in range(len(hours))]
    )
    for parcel, ago in zip(found, hours, strict=True):
        SqlReconcileStore(store).mark_verified([parcel], at=clock() - timedelta(hours=ago))


def test_coverage_reconciles_with_the_raw_rows(reports, week, store, ask, clock):
    """What is open, what was looked at and what waits longest is what plain SQL finds."""
    shop = week[0]
    looked_at(store, shop, clock, [1, 7, 13, 25, 50, 90])
    for hours in (0, 0.5, 8, 24, 1000):
        found = reports.coverage(timedelta(hours=hours), shop=shop, oldest=1000)
        since = clock() - timedelta(hours=hours)
        raw = [name for name, _ in ask(OPEN, shop=shop)]

        assert raw == [unseen.ref.fulfillment_id for unseen in found.oldest]
        assert len(raw) == found.open == sum(aged.parcels for aged in found.by_age)
        assert [(found.verified,)] == ask(RECENT, shop=shop, since=since)


def test_each_age_has_its_parcels(reports, week, store, clock):
    """Six looks fall into their ages; the rest was never looked at, and comes first."""
    shop = week[0]
    looked_at(store, shop, clock, [1, 7, 13, 25, 50, 90])
    found = reports.coverage(shop=shop, oldest=3)

    ages = {aged.age: aged.parcels for aged in found.by_age}
    assert {AGES[0]: 1, AGES[1]: 1, AGES[2]: 1, AGES[3]: 1, AGES[4]: 2} == {
        age: count for age, count in ages.items() if age
    }
    assert found.open - 6 == ages[None]
    assert [None, None, None] == [unseen.verified_at for unseen in found.oldest]
