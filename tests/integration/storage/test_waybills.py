"""Parcels by their tracking numbers: found where one bears it, and never guessed."""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, literal, select

from carrierflow.domain.model import Event, FulfillmentRef, Opening, Recorded, Status, Verdict
from carrierflow.errors import AmbiguousTrackingNumber, InvalidInput, UnknownTrackingNumber
from carrierflow.storage.tables import fulfillments, shipments
from carrierflow.storage.waybills import AT_ONCE, READ_BEARERS, READ_PARCELS, find_parcels


PICKING, READY = Status.PICKING, Status.READYTOPICK
NUMBERS = ["W1", "w1", "W2", "W3"]
"""Few enough that several parcels bear the same one."""


def new_number():
    """Return a number that no other test has given to a parcel."""
    return uuid.uuid4().hex


@pytest.fixture
def by_number(shop, clock):
    """Make events that name their parcel by a tracking number."""

    def make(number, status=PICKING, **fields):
        return Event(
            shop=shop, tracking_number=number, status=status, occurred_at=clock(), **fields
        )

    return make


@pytest.fixture
def opener(shop, clock):
    """Make events that open a parcel with a tracking number."""

    def make(name, number):
        ref = FulfillmentRef(shop=shop, order_id=f"o{name}", fulfillment_id=name)
        return Event(
            shop=shop,
            fulfillment_id=name,
            status=READY,
            occurred_at=clock() - timedelta(hours=1),
            opening=Opening(ref=ref, tracking_number=number),
        )

    return make


@pytest.fixture
def hand_over(store, clock):
    """Write that the platform handed a parcel over, and which number the carrier gave it."""

    def make(parcel, number):
        values = {
            "fulfillment": parcel.id,
            "shop": parcel.shop_id,
            "external_code": f"e{parcel.id}",
            "digest": "0" * 64,
            "tracking_number": number,
            "shipping_fee": 0,
            "accepted_at": clock(),
        }
        with store.begin() as connection:
            connection.execute(insert(shipments), values)

    return make


def test_an_event_by_its_tracking_number_is_as_one_by_the_id(ledger, make_parcel, by_number):
    """The answer names the parcel; the same scan by the id is a duplicate."""
    parcel = make_parcel(tracking_number="W1")

    answer = ledger.record(by_number("W1", key="scan-1"))
    again = ledger.record(
        Event(
            shop=parcel.ref.shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=PICKING,
            occurred_at=answer.entries[0].occurred_at,
            key="scan-1",
        )
    )

    assert (Verdict.ACCEPTED, parcel.ref) == (answer.verdict, answer.ref)
    assert Verdict.DUPLICATE is again.verdict


def test_a_number_that_nobody_bears_is_refused(ledger, make_parcel, by_number):
    """Nothing is opened for it, and another shop's parcel is none of this one's."""
    make_parcel(tracking_number="W1")

    for unknown in ("W2", "w1", "W"):
        with pytest.raises(UnknownTrackingNumber, match="no fulfillment with the tracking number"):
            ledger.record(by_number(unknown))


def test_a_number_that_several_bear_is_refused_with_their_count(ledger, make_parcel, by_number):
    """Which of them is meant is never guessed, and none of them moves."""
    parcels = [make_parcel(tracking_number="W1") for _ in range(3)]

    with pytest.raises(AmbiguousTrackingNumber, match="3 fulfillments of shop") as caught:
        ledger.record(by_number("W1"))

    assert 3 == caught.value.count
    for parcel in parcels:
        assert READY == ledger.open(Opening(ref=parcel.ref)).delivery.status


def test_the_number_of_a_hand_over_is_borne_too(ledger, make_parcel, hand_over, by_number):
    """It may differ from the one at the opening; one that is both is of one parcel."""
    parcel, other = make_parcel(tracking_number="W1"), make_parcel(tracking_number="W3")
    hand_over(parcel, "W2")
    hand_over(other, "W3")

    assert parcel.ref == ledger.record(by_number("W1")).ref
    assert parcel.ref == ledger.record(by_number("W2")).ref
    assert other.ref == ledger.record(by_number("W3")).ref


def test_probing_and_amending_go_by_tracking_numbers(ledger, make_parcel, by_number):
    """Whatever takes an event takes either name."""
    parcel = make_parcel(tracking_number="W1")

    assert parcel.ref == ledger.probe(by_number("W1")).ref
    mended = ledger.amend(by_number("W1", Status.DELIVERING, actor="lan", reason="misread"))
    assert (parcel.ref, "delivering") == (mended.ref, mended.carrier_status)
    with pytest.raises(UnknownTrackingNumber):
        ledger.probe(by_number("W2"))


@pytest.mark.parametrize("names", [{}, {"fulfillment_id": "1", "tracking_number": "W1"}])
def test_an_event_names_its_parcel_once(ledger, shop, names):
    """Two names could contradict each other, and none names nothing."""
    with pytest.raises(InvalidInput, match="one of the two"):
        ledger.record(Event(shop=shop, status=PICKING, **names))


@pytest.mark.parametrize("seed", range(12))
def test_in_any_order_each_number_is_the_parcel_that_bears_it(
    ledger, make_parcel, by_number, opener, seed
):
    """Parcels known before and opened by the same events, before and after: all of them count."""
    draw = random.Random(seed)
    numbers = [*NUMBERS[: 1 + seed % len(NUMBERS)], None]
    known = [(f"k{n}", draw.choice(numbers)) for n in range(draw.randrange(5))]
    opened = [(f"n{n}", draw.choice(numbers)) for n in range(draw.randrange(5))]
    for name, number in known:
        make_parcel(fulfillment_id=name, order_id=f"o{name}", tracking_number=number)
    events = [opener(name, number) for name, number in opened]
    events += [opener(name, draw.choice(NUMBERS)) for name, _ in known if draw.random() < 0.7]
    events += [by_number(draw.choice(NUMBERS)) for _ in range(6)]
    draw.shuffle(events)

    answers = list(ledger.record_many(events))

    bearing = Counter(number for _, number in known + opened)
    names = {number: name for name, number in known + opened}
    for told, answer in zip(events, answers, strict=True):
        number = told.tracking_number
        if number is None or bearing[number] == 1:
            assert isinstance(answer, Recorded)
            assert answer.ref.fulfillment_id == (told.fulfillment_id or names[number])
        elif bearing[number] > 1:
            assert isinstance(answer, AmbiguousTrackingNumber)
            assert bearing[number] == answer.count
        else:
            assert isinstance(answer, UnknownTrackingNumber)


def test_many_numbers_are_asked_for_at_once(engine, ledger, make_parcel, by_number, opener):
    """A statement for hundreds of events; and none, where all go by the id."""
    ledger_of = [f"W{n}" for n in range(AT_ONCE + 1)]
    list(ledger.record_many([opener(f"f{number}", number) for number in ledger_of]))
    asked = []

    @event.listens_for(engine, "before_cursor_execute")
    def keep(_connection, _cursor, statement, *_rest):
        asked.append("tracking_number IN" in statement)

    answers = list(ledger.record_many([by_number(number) for number in ledger_of]))

    assert {Verdict.ACCEPTED} == {answer.verdict for answer in answers}
    assert 2 == sum(asked)
    asked.clear()
    list(ledger.record_many([opener("another", "another")]))
    assert 0 == sum(asked)


def test_parcels_are_found_in_every_shop(store, ledger, make_shop, make_parcel, hand_over, shop):
    """The oldest first; of one shop alone where it is named, and nothing for another number."""
    number = new_number()
    first = make_parcel(tracking_number=number)
    elsewhere = FulfillmentRef(shop=make_shop(store), order_id="1", fulfillment_id="1")
    second = ledger.open(Opening(ref=elsewhere, tracking_number=number))
    third = make_parcel()
    hand_over(third, number)

    with store.reading() as connection:
        found = [parcel.ref for parcel in find_parcels(connection, number)]
        mine = [parcel.ref for parcel in find_parcels(connection, number, shop=shop)]

        assert [first.ref, second.ref, third.ref] == found
        assert [first.ref, third.ref] == mine
        assert [] == find_parcels(connection, new_number())


ANALYZE = {
    "sqlite": "ANALYZE",
    "postgresql": "ANALYZE",
    "mysql": "ANALYZE TABLE carrierflow_fulfillments, carrierflow_shipments",
}
READ_THROUGH = {
    "sqlite": r"SCAN carrierflow_(fulfillments|shipments)",
    "postgresql": r"Seq Scan on carrierflow_(fulfillments|shipments)",
    "mysql": r"'carrierflow_(fulfillments|shipments)', '(ALL|index)'",
}
"""How a plan says that a table is read from its beginning to its end."""


@pytest.mark.parametrize("query", [READ_BEARERS, READ_PARCELS], ids=["in a shop", "everywhere"])
def test_numbers_are_found_by_an_index(
    own_database, make_engine, make_store, make_ledger, make_shop, clock, query
):
    """However many parcels there are, neither table is read through for a number."""
    engine = make_engine(own_database)
    store = make_store(engine)
    fill(store, make_ledger(store), make_shop(store, code="full"), clock)
    kind = "mysql" if engine.dialect.name == "mariadb" else engine.dialect.name
    asked = query.params(code="full", numbers=["W17", "W18"])
    sql = str(asked.compile(engine, compile_kwargs={"literal_binds": True}))

    with engine.connect() as connection:
        connection.exec_driver_sql(ANALYZE[kind])
        said = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
        plan = "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(said + sql))

    assert "ix_carrierflow_fulfillments_tracking_number_shop" in plan
    assert not re.search(READ_THROUGH[kind], plan), plan


def fill(store, ledger, code, clock, *, count=3_000):
    """Open many parcels in a shop, and write for each that it was handed over."""
    opened = [
        Event(
            shop=code,
            fulfillment_id=str(n),
            status=READY,
            occurred_at=clock(),
            opening=Opening(
                ref=FulfillmentRef(shop=code, order_id=str(n), fulfillment_id=str(n)),
                tracking_number=f"W{n}",
            ),
        )
        for n in range(count)
    ]
    list(ledger.record_many(opened))
    own = (fulfillments.c.id, fulfillments.c.shop, fulfillments.c.fulfillment_id)
    given = (literal("0" * 64), fulfillments.c.tracking_number, literal(0))
    handed_over = select(*own, *given, fulfillments.c.opened_at)
    columns = ("fulfillment", "shop", "external_code", "digest", "tracking_number")
    with store.begin() as connection:
        connection.execute(
            insert(shipments).from_select([*columns, "shipping_fee", "accepted_at"], handed_over)
        )
