"""Openings have a time of their own, and nothing is believed that clocks cannot have shown."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carrierflow.app.settings import Settings
from carrierflow.audit.reports.reports import Reports
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Source, Status
from carrierflow.errors import BadTime, KeyReused
from carrierflow.ledger.files import RowFormat, read_rows
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage.tables import fulfillments, history, shops


READYTOPICK, PICKING, DELIVERED = Status.READYTOPICK, Status.PICKING, Status.DELIVERED
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)

ON_SQLITE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def tell(ledger, shop):
    """Make events about one parcel that the ledger does not know; each may open it."""

    def make(status, at=None, *, name="1", opening=None, **fields):
        ref = FulfillmentRef(shop=shop, order_id="9", fulfillment_id=name)
        given = {"ref": ref, **(opening or {})}
        return Event(
            shop=shop,
            fulfillment_id=name,
            status=status,
            occurred_at=at,
            opening=None if opening is False else Opening(**given),
            **fields,
        )

    return make


@pytest.fixture
def life(store, shop):
    """Read the history of a parcel: status, time, source, whether inferred; delivery first."""
    columns = (history.c.to_status, history.c.occurred_at, history.c.source, history.c.inferred)

    def read(name="1", of=None):
        query = (
            select(*columns)
            .join_from(history, fulfillments, fulfillments.c.id == history.c.fulfillment)
            .join(shops, shops.c.id == fulfillments.c.shop)
            .where(shops.c.code == (of or shop), fulfillments.c.fulfillment_id == name)
            .order_by(history.c.machine.desc(), history.c.seq)
        )
        with store.reading() as connection:
            return [tuple(row) for row in connection.execute(query)]

    return read


def test_the_event_that_opens_a_parcel_is_its_first_entry(ledger, tell, life, clock):
    """A scan that a parcel is ready opens it at the scan's time, and is accepted."""
    then = clock() - YEAR

    answer = ledger.record(tell(READYTOPICK, then, opening={"cod_amount": 5}, actor="scanner"))

    assert ("accepted", "start → readytopick.") == (answer.verdict, answer.sentence)
    assert [("start", then)] == [(e.from_status, e.occurred_at) for e in answer.entries]
    assert [
        ("readytopick", then, Source.CARRIER, False),
        ("codpending", then, Source.RULE, False),
    ] == life()


def test_the_event_that_opens_is_known_again(ledger, tell, clock):
    """Told again it is a duplicate; its key with another time is an error; another is late."""
    then = clock() - YEAR
    ledger.record(tell(READYTOPICK, then, key="k"))

    for again in (tell(READYTOPICK, then, key="k"), tell(READYTOPICK, key="k", opening=False)):
        answer = ledger.record(again)
        assert ("duplicate", "accepted", ()) == (answer.verdict, answer.first, answer.entries)
    with pytest.raises(KeyReused):
        ledger.record(tell(READYTOPICK, then + HOUR, key="k"))
    assert "same_status" == ledger.record(tell(READYTOPICK, then + HOUR, key="l")).reason


def test_any_other_event_tells_no_later_than_when(ledger, tell, life, clock):
    """A parcel that a later scan opens was ready by then: that is inferred, and not measured."""
    then = clock() - YEAR

    assert "accepted" == ledger.record(tell(PICKING, then)).verdict

    assert [
        ("readytopick", then, Source.RULE, True),
        ("picking", then, Source.CARRIER, False),
        ("none", then, Source.RULE, True),
    ] == life()
    assert "confirms_inferred" == ledger.record(tell(Status.NONE, then + HOUR)).reason


def test_gaps_are_filled_from_the_opening_on(ledger, tell, life, clock):
    """What is inferred between an opening and a scan happened no later than the scan."""
    then = clock() - YEAR
    ledger.record(tell(DELIVERED, then, fill_gaps=True, opening={"at": then - HOUR}))

    assert [then - HOUR, then, then, then, then - HOUR] == [moment for _, moment, *_ in life()]


def test_an_opening_says_its_own_time(ledger, shop, life, clock):
    """`open` with a time dates both first entries, whatever the zone; without one it is now."""
    then = (clock() - YEAR).astimezone(timezone(7 * HOUR))
    for name, at in (("told", then), ("now", None)):
        ref = FulfillmentRef(shop=shop, order_id="9", fulfillment_id=name)
        ledger.open(Opening(ref=ref, at=at))

    rule = (Source.RULE, False)
    assert [("readytopick", then, *rule), ("none", then, *rule)] == life("told")
    assert [clock(), clock()] == [moment for _, moment, *_ in life("now")]


def test_when_the_ledger_took_a_parcel_up_is_another_matter(store, ledger, shop, clock):
    """Coverage counts from when the ledger knew of a parcel: it could not be looked at before."""
    ref = FulfillmentRef(shop=shop, order_id="9", fulfillment_id="1")
    ledger.open(Opening(ref=ref, at=clock() - YEAR))

    with store.reading() as connection:
        query = select(fulfillments.c.opened_at).join(shops, shops.c.id == fulfillments.c.shop)
        assert [clock()] == list(connection.scalars(query.where(shops.c.code == shop)))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_earliest_of_a_batch_opens(ledger, tell, life, clock, order):
    """Told at once in any order, a parcel is opened by the earliest event that may."""
    then = clock() - YEAR
    walk = (READYTOPICK, PICKING, Status.DELIVERING)
    events = [tell(walk[n], then + n * HOUR) for n in order]

    answers = list(ledger.record_many(events))

    assert "accepted" == answers[order.index(0)].verdict
    assert [("readytopick", then), ("picking", then + HOUR)] == [row[:2] for row in life()][:2]
    assert ["duplicate"] * 3 == [answer.verdict for answer in ledger.record_many(events)]


def test_an_event_that_is_refused_at_the_door_opens_nothing(ledger, tell, store, shop, clock):
    """Where the only event that could open a parcel has an impossible time, there is no parcel."""
    wrong, right = tell(PICKING, clock() - 200 * YEAR), tell(PICKING, clock(), opening=False)

    answers = list(ledger.record_many([wrong, right]))

    assert ["BadTime", "UnknownFulfillment"] == [type(answer).__name__ for answer in answers]
    with store.reading() as connection:
        assert (
            []
            == connection.execute(
                select(fulfillments.c.id).join(shops).where(shops.c.code == shop)
            ).all()
        )


ROADS = (
    "readytopick picking delivering delivered codreceipt",
    "readytopick picking delivering notmeetcustomer waitingforreturn return",
    "readytopick cancel",
)


@st.composite
def years(draw):
    """Draw a year's scans of a few parcels: rows of parcel, status and time, in any order."""
    began = datetime(2025, 2, 1, tzinfo=UTC)
    rows = []
    for number in range(draw(st.integers(1, 8))):
        road = draw(st.sampled_from(ROADS)).split()
        length = draw(st.integers(1, len(road)))
        hours = st.integers(0, 8_000)
        times = sorted(draw(st.lists(hours, min_size=length, max_size=length, unique=True)))
        rows += [
            (str(number), word, began + n * HOUR) for word, n in zip(road, times, strict=False)
        ]
    return draw(st.permutations(rows))


def csv_of(rows, code):
    """Write scans as a carrier's own database would be exported: each row names its order."""
    lines = [f"{code},{name},{word},{at.isoformat()},9,5" for name, word, at in rows]
    header = "shop,fulfillment_id,status,at,order_id,cod_amount"
    return io.BytesIO("\n".join([header, *lines]).encode())


def import_year(ledger, rows, code):
    """Record scans as `record-file` does, and see that each of them is accepted or waits."""
    read = read_rows(csv_of(rows, code), kind=RowFormat.CSV, name="year.csv", fill_gaps=False)
    answers = list(ledger.record_many(row.event for row in read))
    assert {"accepted", "refused"} >= {answer.verdict for answer in answers}


def stays_of(rows):
    """Return for each delivery status the seconds that parcels stayed at it, from the scans."""
    found = {}
    for _, scans in groupby(sorted(rows, key=lambda row: (row[0], row[2])), key=lambda r: r[0]):
        road = [(word, at) for _, word, at in scans if word != "codreceipt"]
        for (word, begun), (_, ended) in pairwise(road):
            found.setdefault(word, []).append((ended - begun) // timedelta(seconds=1))
    return {word: (len(spans), max(spans)) for word, spans in found.items()}


def measured(store, code, clock):
    """Return what the report says of the delivery statuses: stays, longest; and what is unclear."""
    reports = Reports(store.snapshot, DEFAULT, verify_within=Settings().verify_within, clock=clock)
    rows = reports.time_in_state(shop=code, by_month=False).rows
    delivery = [row for row in rows if row.status.machine is Machine.DELIVERY]
    assert all((row.p50_seconds or 0) >= 0 for row in rows)
    return {str(r.status): (r.stays, r.longest_seconds) for r in delivery}, [
        row.status for row in delivery if row.unclear
    ]


@settings(parent=ON_SQLITE, max_examples=40)
@given(rows=years())
def test_a_years_history_has_its_own_times(rows, sqlite_store, sqlite_ledger, make_shop, clock):
    """However a file is ordered, each parcel is opened when it was, and no stay is negative."""
    code = make_shop(sqlite_store)

    import_year(sqlite_ledger, rows, code)

    assert (stays_of(rows), []) == measured(sqlite_store, code, clock)


def test_a_years_history_has_its_own_times_everywhere(store, ledger, shop, clock, life):
    """The same on every database, with first entries as old as the file says."""
    began, chance = datetime(2025, 2, 1, tzinfo=UTC), random.Random(6)
    rows = [
        (str(number), word, began + (number + 30 * step) * HOUR)
        for number in range(20)
        for step, word in enumerate(ROADS[number % 3].split())
    ]
    chance.shuffle(rows)

    import_year(ledger, rows, shop)

    assert (stays_of(rows), []) == measured(store, shop, clock)
    for number in range(20):
        assert ("readytopick", began + number * HOUR, Source.CARRIER, False) == life(f"{number}")[0]


def test_stays_that_are_told_backwards_are_unclear(store, ledger, shop, clock, tell):
    """An opening that is told to be younger than the next step is measured by nobody."""
    ref = FulfillmentRef(shop=shop, order_id="9", fulfillment_id="1")
    ledger.open(Opening(ref=ref, at=clock()))
    ledger.record(tell(PICKING, clock() - HOUR))

    assert ({"readytopick": (0, None)}, [READYTOPICK]) == measured(store, shop, clock)


@pytest.mark.parametrize("year", [2, 1899, 1926])
def test_what_stands_there_from_before_the_floor_stops_no_report(store, shop, clock, tell, year):
    """Times that were recorded when there was no floor are measured like others."""
    then = datetime(year, 12, 30, tzinfo=UTC)
    lax = Ledger(store, Lifecycle(DEFAULT), clock=clock, earliest=datetime(1, 1, 2, tzinfo=UTC))

    for status, at in ((READYTOPICK, then), (PICKING, clock())):
        assert "accepted" == lax.record(tell(status, at)).verdict

    expected = (clock() - then) // timedelta(seconds=1)
    assert ({"readytopick": (1, expected)}, []) == measured(store, shop, clock)


EAST, WEST = timezone(14 * HOUR), timezone(-12 * HOUR)
ODD_YEARS = (1, 1899, 1926, 1970, 2014, 9999)
ODD = {
    f"{year} {zone}": datetime(year, *day, tzinfo=zone)
    for year in ODD_YEARS
    for zone in (UTC, EAST, WEST, None)
    for day in ((1, 1), (12, 30))
}
"""Times that no scanner of ours can have shown, on both ends of the calendar and of the day."""


@pytest.mark.parametrize("moment", ODD.values(), ids=list(ODD))
def test_every_door_of_the_ledger_refuses_odd_times(sqlite_ledger, sqlite_store, make_shop, moment):
    """A time before the floor, far ahead or without a zone is a sentence at every door."""
    code = make_shop(sqlite_store)
    ref = FulfillmentRef(shop=code, order_id="9", fulfillment_id="1")
    sqlite_ledger.open(Opening(ref=ref))
    event = Event(shop=code, fulfillment_id="1", status=PICKING, occurred_at=moment)
    other = replace(ref, fulfillment_id="2")
    opened = replace(event, occurred_at=None, fulfillment_id="2")
    opened = replace(opened, opening=Opening(ref=other, at=moment))
    ledger = sqlite_ledger
    doors = (
        lambda: ledger.record(event),
        lambda: ledger.record(replace(event, source=Source.PLATFORM)),
        lambda: ledger.record(opened),
        lambda: ledger.probe(event),
        lambda: ledger.amend(replace(event, actor="lan", reason="misread")),
        lambda: ledger.open(Opening(ref=other, at=moment)),
    )

    for door in doors:
        with pytest.raises(BadTime, match=r"no time zone|before 2015-01-01|ahead|end of the cal"):
            door()
    assert [BadTime] * 2 == [type(answer) for answer in ledger.record_many([event, opened])]
    assert "accepted" == ledger.record(replace(event, occurred_at=None)).verdict


def test_the_floor_is_a_setting(sqlite_store, make_shop, clock):
    """A carrier may know that nothing happened before it began; a platform's word is not bent."""
    code, floor = make_shop(sqlite_store), clock() - HOUR
    ledger = Ledger(sqlite_store, Lifecycle(DEFAULT), clock=clock, earliest=floor)
    ref = FulfillmentRef(shop=code, order_id="9", fulfillment_id="1")
    event = Event(
        shop=code,
        fulfillment_id="1",
        status=READYTOPICK,
        occurred_at=floor - timedelta(microseconds=1),
        opening=Opening(ref=ref),
    )

    with pytest.raises(BadTime, match=f"before {floor:%Y-%m-%d}"):
        ledger.record(event)
    assert "accepted" == ledger.record(replace(event, source=Source.PLATFORM)).verdict
    assert "accepted" == ledger.record(replace(event, status=PICKING, occurred_at=floor)).verdict


DAY = timedelta(days=1)


def test_nothing_happens_before_the_parcel_was_taken_up(ledger, tell, life, clock):
    """What the carrier dates more than a day before a told opening is kept and moves nothing."""
    at = clock() - 9 * DAY
    ledger.open(tell(PICKING, opening={"at": at, "cod_amount": 5}).opening)
    before = life()

    backdated = ledger.record(tell(DELIVERED, at - DAY - HOUR, opening=False, fill_gaps=True))
    within = ledger.record(tell(PICKING, at - DAY, opening=False))

    assert ("refused", "before_opening") == (backdated.verdict, backdated.reason)
    assert "taken up" in backdated.sentence
    assert "accepted" == within.verdict
    assert [*before[:1], (PICKING, at - DAY, Source.CARRIER, False), *before[1:]] == life()


def test_an_event_that_opens_a_parcel_later_than_itself_opens_it_and_is_refused(
    ledger, tell, life, clock
):
    """The opening stands as it was told, whichever event comes first; no order changes that."""
    at = clock() - 9 * DAY
    early = {"at": at - 2 * DAY, "opening": {"at": at}}
    lives = []
    for name in ("1", "2"):
        events = [tell(PICKING, **early, name=name), tell(PICKING, at, name=name)]
        events[1] = replace(events[1], opening=events[0].opening)
        answers = [ledger.record(event) for event in (events if name == "1" else events[::-1])]
        lives.append(life(name))

        assert {"refused", "accepted"} == {answer.verdict for answer in answers}
    assert lives[0] == lives[1]
    assert [READYTOPICK, PICKING] == [status for status, *_ in lives[0][:2]]


def test_a_parcel_whose_time_nobody_told_may_have_been_taken_up_before(ledger, tell, clock):
    """Scans from before it was opened here are recorded, and so is what a platform dates."""
    early = clock() - 9 * DAY
    ledger.open(tell(PICKING, name="1").opening)
    ledger.record(tell(PICKING, clock() - DAY, name="2"))
    ledger.open(tell(PICKING, name="3", opening={"at": clock() - DAY}).opening)
    answers = [
        ledger.record(tell(PICKING, early, opening=False, name="1")),
        ledger.record(tell(Status.DELIVERING, early, opening=False, name="2")),
        ledger.record(
            tell(PICKING, early, opening=False, name="3", source=Source.PLATFORM, inferred=True)
        ),
    ]

    assert ["accepted", "late", "accepted"] == [answer.verdict for answer in answers]
