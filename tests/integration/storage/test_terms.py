"""What was agreed about a parcel stands in rows of its own, from its first entry on."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Source, Status
from carrierflow.errors import CarrierflowError
from carrierflow.storage.tables import fulfillments, history, terms


REFUSED = (CarrierflowError, DBAPIError)
MANY = 60
"""More than are written row by row."""


@pytest.fixture
def agreed(store):
    """Read the terms of a shop's parcels, by their own ids, oldest first."""
    t, f = terms.c, fulfillments.c

    def read():
        query = (
            select(f.fulfillment_id, t.number, t.tracking_number, t.cod_amount, t.carrier_code)
            .join_from(terms, fulfillments, f.id == t.fulfillment)
            .order_by(f.fulfillment_id, t.number)
        )
        with store.reading() as connection:
            return [tuple(row) for row in connection.execute(query)]

    return read


def opening(shop, name, **given):
    """Name a parcel that is to be opened."""
    ref = FulfillmentRef(shop=shop, order_id="9", fulfillment_id=name)
    return Opening(ref=ref, **given)


def test_an_opening_is_kept_with_what_was_agreed(ledger, shop, agreed):
    """Opening a parcel writes its terms once, however often it is opened."""
    for _ in range(2):
        ledger.open(opening(shop, "p1", cod_amount=90_000, tracking_number="VN1"))
        ledger.open(opening(shop, "p2"))

    assert [("p1", 0, "VN1", 90_000, "carrier"), ("p2", 0, None, 0, "carrier")] == [
        row for row in agreed() if row[0] in {"p1", "p2"}
    ]


def test_many_parcels_are_opened_with_their_terms(ledger, shop, agreed):
    """Events of a file that open parcels write the terms of each, beside those that were known."""
    ledger.open(opening(shop, "m00", cod_amount=5))
    names = [f"m{number:02}" for number in range(MANY)]
    events = [
        Event(
            shop=shop,
            fulfillment_id=name,
            status=Status.PICKING,
            opening=opening(shop, name, cod_amount=5),
        )
        for name in names
        for _ in range(2)
    ]

    assert 2 * MANY == len(list(ledger.record_many(events)))
    assert [(name, 0, None, 5, "carrier") for name in names] == [
        row for row in agreed() if row[0] in names
    ]


def test_terms_are_as_old_as_the_first_entry(ledger, shop, store):
    """An opening bears the time, the source, the actor and the reason of the first step."""
    event = Event(
        shop=shop,
        fulfillment_id="t1",
        status=Status.READYTOPICK,
        source=Source.OPERATOR,
        actor="lan",
        reason="by phone",
        opening=opening(shop, "t1"),
    )
    ledger.record(event)
    first = (history.c.machine == Machine.DELIVERY) & (history.c.seq == 1)
    names = ("recorded_at", "source", "actor", "reason")
    with store.reading() as connection:
        kept = connection.execute(
            select(*(history.c[n] for n in names), *(terms.c[n] for n in names))
            .join_from(history, terms, terms.c.fulfillment == history.c.fulfillment)
            .join(fulfillments, fulfillments.c.id == terms.c.fulfillment)
            .where(first, fulfillments.c.fulfillment_id == "t1")
        ).one()

    assert kept[:4] == kept[4:]
    assert (Source.OPERATOR, "lan", "by phone") == kept[5:]


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 1, "actor": None, "reason": "why"},
        {"number": 1, "actor": "lan", "reason": None},
        {"number": -1, "actor": "lan", "reason": "why"},
        {"number": 0},
        {"number": 2, "actor": "lan", "reason": "why", "cod_amount": -1},
    ],
)
def test_terms_that_nobody_agreed_to_cannot_be_stored(make_parcel, store, clock, wrong):
    """A revision has an actor and a reason, an amount is not negative, a number comes once."""
    row = {
        "fulfillment": make_parcel().id,
        "cod_amount": 1,
        "carrier_code": "external",
        "source": "carrier",
        "recorded_at": clock(),
        "actor": None,
        "reason": None,
        **wrong,
    }

    with pytest.raises(REFUSED), store.begin() as connection:
        connection.execute(insert(terms), row)
