import math
from collections import defaultdict
from datetime import timedelta
from itertools import product

import pytest

from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.domain.model import Event, Status
from carrierflow.storage.types import UtcDateTime


NEXT = """
SELECT h.to_status, h.occurred_at, n.occurred_at, h.inferred, n.inferred, n.amends
FROM carrierflow_history h JOIN carrierflow_fulfillments f ON f.id = h.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop, carrierflow_history n
WHERE s.code = :shop AND n.fulfillment = h.fulfillment AND n.machine = h.machine
AND n.prev_seq = h.seq
"""


@pytest.fixture
def raw(ask, engine):
    """Return every stay of a shop from plain rows: status, month, seconds or None if unclear."""
    read = UtcDateTime().result_processor(engine.dialect, None)

    def raw(shop):
        for status, began, ended, guess, then, amends in ask(NEXT, shop=shop):
            start, end = (read(value) for value in (began, ended))
            month = f"{end.astimezone(VIETNAM):%Y-%m}"
            clear = end >= start and not guess and not then and amends is None
            yield status, month, (end - start) // timedelta(seconds=1) if clear else None

    return raw


def test_stays_reconcile_with_the_raw_history(reports, week, raw):
    """Counts, percentiles and the longest stay are those of the entries, group by group."""
    for shop in week:
        spans, unclear = defaultdict(list), defaultdict(int)
        for status, month, seconds in raw(shop):
            if seconds is None:
                unclear[status, month] += 1
            else:
                spans[status, month].append(seconds)
        rows = {(r.status, r.month): r for r in reports.time_in_state(shop=shop).rows}

        assert rows
        assert any(unclear.values())
        assert {*spans, *unclear} == set(rows)
        for key, row in rows.items():
            told = sorted(spans[key])
            assert (len(told), unclear[key]) == (row.stays, row.unclear)
            if told:
                assert told[math.ceil(len(told) * 0.5) - 1] == row.p50_seconds
                assert told[math.ceil(len(told) * 0.95) - 1] == row.p95_seconds
                assert told[-1] == row.longest_seconds


def test_groups_add_up(reports, week):
    """Told apart by shop and month or not at all, the stays are the same ones."""
    shop = week[0]
    counts = [
        sum(row.stays for row in reports.time_in_state(shop=shop, by_shop=a, by_month=b).rows)
        for a, b in product((False, True), repeat=2)
    ]

    assert counts[0] > 0
    assert 1 == len(set(counts))


def test_a_month_is_vietnam_s(reports, ledger, make_parcel, shop, clock):
    """A stay that ends an hour into April in Hanoi ends in April, though it is March in UTC."""
    parcel = make_parcel()
    clock.set(clock().replace(month=3, day=31, hour=18))
    record(ledger, parcel, Status.PICKING, clock())
    rows = [(r.status, r.month, r.stays) for r in reports.time_in_state(shop=shop).rows]

    assert [(Status.READYTOPICK, "2026-04", 1)] == rows


def test_a_time_is_about_the_end_of_a_stay(reports, ledger, make_parcel, shop, clock):
    """Of two stays, each is found in the hour in which it ended, and in no other."""
    parcel, began = make_parcel(), clock()
    for hours, status in ((1, Status.PICKING), (5, Status.DELIVERING)):
        record(ledger, parcel, status, began + timedelta(hours=hours))

    def found(first, last):
        since, until = (began + timedelta(hours=hours) for hours in (first, last))
        return [r.status for r in reports.time_in_state(shop=shop, since=since, until=until).rows]

    assert [Status.READYTOPICK] == found(0, 2)
    assert [Status.PICKING] == found(2, 6)
    assert [Status.READYTOPICK, Status.PICKING] == found(1, 5)


def record(ledger, parcel, status, at):
    event = Event(
        shop=parcel.ref.shop,
        fulfillment_id=parcel.ref.fulfillment_id,
        status=status,
        occurred_at=at,
    )
    assert "accepted" == ledger.record(event).verdict
