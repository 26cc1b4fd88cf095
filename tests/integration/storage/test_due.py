from __future__ import annotations

from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.shops import find_shop


def test_due_orders_come_page_by_page_those_first_that_waited_longest(
    store, shop, make_parcel, clock
):
    """Pages hold each due order once: never verified, then longest ago; nothing looked at since."""
    parcels = [make_parcel() for _ in range(7)]
    make_parcel(order_id=parcels[3].ref.order_id)
    with store.reading() as connection:
        mine = find_shop(connection, shop)
    for parcel in (parcels[5], parcels[1]):
        SqlReconcileStore(store).mark_verified([parcel], at=clock.advance(hours=1))
    before = clock.advance(hours=1)
    SqlReconcileStore(store).mark_verified([parcels[6]], at=clock.advance(hours=1))
    pages, last = [], None
    while page := SqlReconcileStore(store).due(mine, verified_before=before, after=last, limit=2):
        pages.append(page)
        last = page[-1]

    expected = [parcels[number].ref.order_id for number in (0, 2, 3, 4, 5, 1)]
    assert expected == [due.order_id for page in pages for due in page]
    assert [2, 2, 2] == [len(page) for page in pages]
    agenda = SqlReconcileStore(store).agenda(mine, verified_before=before, now=clock())
    assert 6 == agenda.due
