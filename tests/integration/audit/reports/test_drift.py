import random
from datetime import timedelta

import pytest
from sqlalchemy import insert

from carrierflow.audit.reports.drift import Drift, Episode
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Event, FulfillmentRef, Source, Status
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import attempts, fulfillments, outcomes, publications


INCIDENTS = """
SELECT i.kind, COUNT(*), SUM(CASE WHEN i.state = 'resolved' THEN 1 ELSE 0 END)
FROM carrierflow_incidents i JOIN carrierflow_shops s ON s.id = i.shop
WHERE s.code = :shop GROUP BY i.kind
"""
FAILURES = """
SELECT COUNT(DISTINCT a.seq * 1000000 + a.fulfillment) FROM carrierflow_attempts a
JOIN carrierflow_fulfillments f ON f.id = a.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND {healed} EXISTS (
    SELECT 1 FROM carrierflow_publications p WHERE p.fulfillment = a.fulfillment
    AND p.machine = a.machine AND p.seq = a.seq AND p.confirmed_at IS NOT NULL)
AND '{outcome}' = COALESCE((
    SELECT o.outcome FROM carrierflow_outcomes o WHERE o.fulfillment = a.fulfillment
    AND o.machine = a.machine AND o.seq = a.seq AND o.number = a.number), 'unknown')
"""
KINDS = {"unknown": "unanswered", "not_sent": "not_sent", "other_status": "other_status"}


@pytest.fixture
def told(week, store, clock):
    """The week's first steps, told to the platform well and badly, some never confirmed."""
    chance = random.Random(11)
    now = clock()
    with store.begin() as connection:
        for code in week:
            for parcel in SqlReconcileStore(store).parcels_of(
                store.shop(code), [f"{1000 + n}" for n in range(12)]
            ):
                _tell(connection, parcel, chance, now - timedelta(hours=chance.randrange(1, 50)))
    clock.advance(hours=1)
    return week


def _tell(connection, parcel, chance, at):
    entry = {"fulfillment": parcel.id, "machine": "delivery", "seq": 1}
    tries = chance.randrange(1, 4)
    for number in range(1, tries + 1):
        at += timedelta(minutes=5)
        row = {"status": "picking", "run": "r", "fence": 1, "intent_at": at, "send_deadline": at}
        connection.execute(insert(attempts), entry | row | {"number": number})
        outcome = chance.choice([None, *KINDS, "refused"])
        if outcome is not None:
            said = {"number": number, "outcome": outcome, "recorded_at": at + timedelta(seconds=3)}
            connection.execute(insert(outcomes), entry | said)
    healed = at + timedelta(minutes=7) if chance.random() < 0.6 else None
    stands = {
        "state": "confirmed" if healed else "unknown",
        "attempts": tries,
        "confirmed_at": healed,
        "reasserted": 0,
        "forgiven": 0,
    }
    connection.execute(insert(publications), entry | stands)


def test_drift_reconciles_with_the_raw_rows(reports, told, ask):
    """Each way in which telling failed is counted as plain SQL counts it, healed or not."""
    for shop in told:
        kinds = {kind.kind: kind for kind in reports.drift(shop=shop).kinds}
        for outcome, kind in KINDS.items():
            ((healed,),) = ask(FAILURES.format(outcome=outcome, healed=""), shop=shop)
            ((left,),) = ask(FAILURES.format(outcome=outcome, healed="NOT"), shop=shop)
            row = kinds.get(kind)

            assert (healed + left, healed, left) == (
                (row.found, row.healed, row.open) if row else (0, 0, 0)
            )


@pytest.mark.parametrize(("state", "open_ones"), [("confirmed", 0), ("subsumed", 0), ("sent", 1)])
def test_a_failure_heals_from_the_first_time_until_it_is_shown(
    reports, store, make_parcel, shop, clock, state, open_ones
):
    """Two lost tries of one step are found once, at the first; only what is shown has healed."""
    parcel, at = make_parcel(), clock()
    entry = {"fulfillment": parcel.id, "machine": "delivery", "seq": 1}
    lost = {"status": "picking", "run": "r", "fence": 1}
    stands = {"attempts": 2, "confirmed_at": at + timedelta(minutes=9), "state": state}
    with store.begin() as connection:
        for number, minutes in ((1, 1), (2, 4)):
            sent = at + timedelta(minutes=minutes)
            tried = {"number": number, "intent_at": sent, "send_deadline": sent}
            connection.execute(insert(attempts), entry | lost | tried)
        connection.execute(insert(publications), entry | stands | {"reasserted": 0, "forgiven": 0})
    clock.advance(hours=1)
    (kind,) = reports.drift(shop=shop).kinds

    assert ("unanswered", 1, open_ones) == (kind.kind, kind.found, kind.open)
    assert (None if open_ones else 8 * 60) == kind.longest_seconds


def test_incidents_are_drift_until_somebody_decides(reports, decided, store, ask, clock):
    """An incident counts as found, and as healed after so long as it took to decide."""
    shop = decided[0]
    finding = Finding(kind="brake", sentence="Too much.", ref=None, evidence={})
    SqlReconcileStore(store).open_incidents(store.shop(shop), [finding], now=clock())
    found = reports.drift(shop=shop, episodes=True)

    raw = {kind: (count, int(healed)) for kind, count, healed in ask(INCIDENTS, shop=shop)}
    assert raw == {kind.kind: (kind.found, kind.healed) for kind in found.kinds}
    gone = next(kind for kind in found.kinds if kind.kind == "gone")
    assert 2 * 3600 == gone.p50_seconds == gone.p95_seconds == gone.longest_seconds
    assert [None] == [each.ref for each in found.episodes if each.kind == "brake"]


def test_a_frozen_parcel_is_frozen_drift(reports, week, store, desk, clock):
    """While a parcel waits for a person, its incident counts as open and frozen."""
    shop = store.shop(week[0])
    (parcel,) = SqlReconcileStore(store).parcels_of(shop, ["1002"])
    with store.begin() as connection:
        frozen = fulfillments.update().where(fulfillments.c.id == parcel.id)
        connection.execute(frozen.values(frozen="diverged"))
    finding = Finding(kind="diverged", sentence="Odd.", ref=parcel.ref, evidence={}, freezes=True)
    with store.begin() as connection:
        open_incident(connection, shop.id, parcel.id, finding, clock())
    found = reports.drift(shop=week[0])

    assert (1, 0, 1, 1) == (found.found, found.healed, found.open, found.frozen)


def test_a_step_of_the_platform_s_is_healed_when_it_is_taken_over(
    reports, ledger, make_parcel, shop, clock
):
    """A cancel that the platform made at eight and a run adopted at ten took two hours."""
    parcel, began = make_parcel(), clock()
    clock.advance(hours=2)
    event = Event(
        shop=shop,
        fulfillment_id=parcel.ref.fulfillment_id,
        status=Status.CANCEL,
        occurred_at=began,
        key="platform:cancel:2026-03-01T08:00:00Z",
        source=Source.PLATFORM,
    )
    ledger.record(event)
    (kind,) = reports.drift(shop=shop).kinds

    assert ("adopted", 1, 1, 2 * 3600) == (kind.kind, kind.found, kind.healed, kind.p95_seconds)


def test_a_time_is_about_when_drift_was_found(reports, told, clock):
    """Cut anywhere, what was found before and after is all that was found."""
    for shop in told:
        whole = reports.drift(shop=shop)
        for hours in (0, 10, 20, 60):
            cut = clock() - timedelta(hours=hours)
            before = reports.drift(shop=shop, until=cut - timedelta(microseconds=1))
            after = reports.drift(shop=shop, since=cut)
            assert whole.found == before.found + after.found
        assert (whole.found, whole.healed) == (
            sum(day.found for day in whole.days),
            sum(day.healed for day in whole.days),
        )
        assert whole.open == whole.days[-1].open


def test_percentiles_are_of_the_nearest_rank(clock):
    """Of a hundred episodes that took 1 to 100 seconds, 50 and 95 are the middle and the slow."""
    at = clock()
    ref = FulfillmentRef(shop="s", order_id="1", fulfillment_id="2")
    made = [
        Episode(
            kind="k",
            shop="s",
            ref=ref,
            found_at=at,
            healed_at=at + timedelta(seconds=n),
            frozen=False,
        )
        for n in range(1, 101)
    ]
    (kind,) = Drift.of(made, since=None, until=None, named=False).kinds

    assert (50, 95, 100) == (kind.p50_seconds, kind.p95_seconds, kind.longest_seconds)
