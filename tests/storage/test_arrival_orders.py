from __future__ import annotations

import random
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carrierflow.lifecycle import DEFAULT, GROUPS, Lifecycle, define
from carrierflow.model import Event, FulfillmentRef, Machine, Opening, Status, Verdict
from carrierflow.storage.tables import fulfillments, history


ON_A_DATABASE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=4000
)


@st.composite
def journeys(draw):
    """Draw a lifecycle and a legal walk of both its machines, as (machine, status) in order."""
    groups = draw(st.sets(st.sampled_from(sorted(GROUPS))))
    definition = define(groups, paid_on_delivery=draw(st.booleans()))
    lifecycle = Lifecycle(definition)
    places = {Machine.DELIVERY: "readytopick", Machine.COD: draw(st.sampled_from(["none", "codpending"]))}
    cash = 250_000 if places[Machine.COD] == "codpending" else None
    passed = set()
    walk = []
    for _ in range(draw(st.integers(1, 10))):
        choices = [
            status
            for machine, place in places.items()
            for status in lifecycle.allowed(machine, place)
            if lifecycle.needs(status) in passed | {None}
        ]
        if not choices:
            break
        status = draw(st.sampled_from(choices))
        walk.append(status)
        passed.add(status)
        places[status.machine] = status
        follower = lifecycle.follower(status)
        if follower is not None and lifecycle.allows(follower.machine, places[follower.machine], follower):
            # the cash may still be told by an event of its own, which then confirms the rule's
            if draw(st.booleans()):
                walk.append(follower)
            places[follower.machine] = follower
    return definition, cash, walk


@pytest.fixture
def tell(database, engine, make_store, make_ledger, make_shop, clock):
    """Open a parcel and record its events in some order; return both statuses and the verdicts."""
    ledgers = {}
    shops = []

    def ledger_of(definition):
        if definition.id not in ledgers:
            store = make_store(engine, definition)
            ledgers[definition.id] = make_ledger(store, definition)
            shops.append(make_shop(store))
        return ledgers[definition.id]

    def send(definition, cash, walk, order, *, bulk=False, fill_gaps=False, fulfillment_id=None):
        ledger = ledger_of(definition)
        ref = FulfillmentRef(
            shop=shops[0], order_id="1", fulfillment_id=fulfillment_id or uuid.uuid4().hex
        )
        ledger.open(Opening(ref=ref, cod_amount=cash))
        events = [
            Event(
                shop=ref.shop,
                fulfillment_id=ref.fulfillment_id,
                status=status,
                occurred_at=clock() - timedelta(days=1) + timedelta(minutes=number),
                key=f"event-{number}",
                fill_gaps=fill_gaps,
            )
            for number, status in enumerate(walk)
        ]
        told = [events[number] for number in order]
        answers = list(ledger.record_many(told, chunk=3)) if bulk else [ledger.record(e) for e in told]
        return ref, answers

    return send


@pytest.fixture
def heads(engine):
    """Return where both machines of a fulfillment stand."""

    def read(ref):
        with engine.connect() as connection:
            row = connection.execute(
                select(fulfillments.c.delivery_status, fulfillments.c.cod_status).where(
                    fulfillments.c.fulfillment_id == ref.fulfillment_id
                )
            ).one()
        return tuple(row)

    return read


@ON_A_DATABASE
@given(journey=journeys(), fill_gaps=st.booleans(), seed=st.randoms(use_true_random=False))
def test_any_arrival_order_ends_in_the_same_state(tell, heads, journey, fill_gaps, seed):
    """Whatever the order in which one parcel's events arrive, both machines end where they end."""
    definition, cash, walk = journey
    shuffled = seed.sample(range(len(walk)), len(walk))

    orderly, _ = tell(*journey, range(len(walk)), fill_gaps=fill_gaps)
    muddled, answers = tell(*journey, shuffled, fill_gaps=fill_gaps)

    assert heads(orderly) == heads(muddled)
    assert len(walk) == sum(Counter(answer.verdict for answer in answers).values())
