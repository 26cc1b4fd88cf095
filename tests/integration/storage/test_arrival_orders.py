from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carrierflow.domain.canonical import entry_hash
from carrierflow.domain.fulfillment import GENESIS
from carrierflow.domain.lifecycle import define
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage.rows import entry_from
from carrierflow.storage.tables import definitions, fulfillments, history

from .journeys import Journey, arrivals, judged


ON_A_DATABASE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
READYTOPICK, CODPENDING, NONE = Status.READYTOPICK, Status.CODPENDING, Status.NONE
COMMON = FulfillmentRef(shop="any", order_id="1", fulfillment_id="1")


def trip(words, *, groups, ends, paid_on_delivery=True, fills=False):
    """Return a journey with cash, written as words."""
    walk = tuple(Status(word) for word in words.split())
    definition = define(groups, paid_on_delivery=paid_on_delivery)
    return Journey(definition, 250_000, walk, ends, (fills,) * len(walk))


CAME_BACK = trip(
    "picking delivering delivered waitingforreturn return codpaid",
    groups=["refused", "return_after_delivery"],
    ends=("return", "codpaid"),
    paid_on_delivery=False,
)
CAME_BACK_PAID = trip(
    "picking delivering delivered waitingforreturn",
    groups=["refused", "return_after_delivery"],
    ends=("waitingforreturn", "codpaid"),
)
DELIVERED_TWICE = trip(
    "picking delivering delivered codreceipt waitingforreturn delivering delivered",
    groups=["redeliver", "return_after_delivery"],
    ends=("delivered", "codreceipt"),
    fills=True,
)


@settings(max_examples=500, deadline=None)
@given(drawn=arrivals())
@example(drawn=(CAME_BACK, [0, 1, 3, 4, 5, 2]))
@example(drawn=(CAME_BACK_PAID, [0, 2, 1, 3]))
@example(drawn=(CAME_BACK_PAID, [0, 1, 3, 2]))
@example(drawn=(DELIVERED_TWICE, [4, 1, 6, 0, 3, 2, 5]))
def test_the_judge_ends_alike_in_any_order(drawn):
    """Whatever order a parcel's events arrive in, both machines end where they really ended."""
    journey, order = drawn

    assert journey.ends == judged(journey, order)


@settings(max_examples=300, deadline=None)
@given(drawn=arrivals(), place=st.integers(0, 10))
@example(drawn=(CAME_BACK, [0, 1, 3, 4, 5, 2]), place=6)
def test_whichever_event_opens_a_parcel_it_ends_alike(drawn, place):
    """An event of what an opening stands for, wherever it comes, changes nothing but its times."""
    journey, order = drawn
    first = READYTOPICK if place % 2 else CODPENDING if journey.cash else NONE
    walk = (*journey.walk, first)
    longer = replace(journey, walk=walk, fills=(*journey.fills, False))
    order = [*order[:place], len(walk) - 1, *order[place:]]

    assert journey.ends == judged(longer, order, opened=False)


@pytest.fixture
def tell(engine, clock, make_store, make_ledger, make_shop):
    """Open a parcel, record a journey's events in an order, and return what became of them."""
    ledgers = {}
    shop = []

    def ledger_on(definition):
        if definition.id not in ledgers:
            store = make_store(engine, definition)
            ledgers[definition.id] = make_ledger(store, definition)
            shop[:] = shop or [make_shop(store)]
        return ledgers[definition.id]

    def send(journey, order, *, bulk=False):
        ledger = ledger_on(journey.definition)
        ref = FulfillmentRef(shop=shop[0], order_id="1", fulfillment_id=uuid.uuid4().hex)
        ledger.open(Opening(ref=ref, cod_amount=journey.cash))
        events = [
            Event(
                shop=ref.shop,
                fulfillment_id=ref.fulfillment_id,
                status=journey.walk[number],
                occurred_at=journey.at(number),
                key=f"event-{number}",
                fill_gaps=journey.fills[number],
            )
            for number in order
        ]
        if bulk:
            return ref, list(ledger.record_many(events, chunk=4))
        return ref, [ledger.record(event) for event in events]

    return send


@pytest.fixture
def entries_of(engine):
    """Read the history of a fulfillment, as entries, with where both machines stand."""

    def read(ref):
        mine = select(fulfillments).where(fulfillments.c.fulfillment_id == ref.fulfillment_id)
        with engine.connect() as connection:
            head = connection.execute(mine).one()
            rows = connection.execute(
                select(history, definitions.c.id.label("definition_id"))
                .join(definitions, definitions.c.number == history.c.definition)
                .where(history.c.fulfillment == head.id)
                .order_by(history.c.machine, history.c.seq)
            ).all()
        entries = [entry_from(row, row.definition_id) for row in rows]
        return (head.delivery_status, head.cod_status), entries

    return read


def rehashed(entries):
    """Return the hashes that entries would bear if they were those of one common parcel."""
    hashes, previous = [], {}
    for entry in entries:
        moved = replace(entry, prev_hash=previous.get(entry.machine, GENESIS))
        hashes.append(entry_hash(COMMON, moved))
        previous[entry.machine] = hashes[-1]
    return hashes


@ON_A_DATABASE
@given(drawn=arrivals())
@example(drawn=(CAME_BACK, [0, 1, 3, 4, 5, 2]))
@example(drawn=(CAME_BACK, [0, 2, 1, 3, 4, 5]))
@example(drawn=(CAME_BACK, [0, 1, 3, 4, 2, 5]))
@example(drawn=(DELIVERED_TWICE, [4, 1, 6, 0, 3, 2, 5]))
def test_every_database_ends_alike_in_any_order(tell, entries_of, drawn):
    """What is read back between two events makes no difference to where a parcel ends."""
    journey, order = drawn

    ref, answers = tell(journey, order)

    assert (journey.ends, len(order)) == (entries_of(ref)[0], len(answers))


@ON_A_DATABASE
@given(drawn=arrivals())
@example(drawn=(CAME_BACK, [0, 2, 1, 3, 4, 5]))
def test_one_by_one_and_in_bulk_are_the_same(tell, entries_of, drawn):
    """Events recorded in bulk give the answers, the entries and the hashes of single ones."""
    journey, order = drawn

    single, answers = tell(journey, order)
    bulk, at_once = tell(journey, order, bulk=True)

    (ends, entries), (bulk_ends, bulk_entries) = entries_of(single), entries_of(bulk)
    assert [(a.verdict, a.reason) for a in answers] == [(a.verdict, a.reason) for a in at_once]
    assert ends == bulk_ends
    assert rehashed(entries) == rehashed(bulk_entries)
    assert [entry_hash(bulk, entry) for entry in bulk_entries] == [e.hash for e in bulk_entries]
