"""A page of fifty orders, one of them damaged in any way that JSON allows."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from carrierflow.platforms.http.replies import parse_document
from carrierflow.platforms.sapo.order_bodies import read_page
from unit.platforms.haravan.test_odd_rows import JSON

from .making import LOOK


ORDERS = 50


def page():
    """Return a page of orders as Sapo prints it, with what is read of each."""
    return {"orders": [_order(number) for number in range(1, ORDERS + 1)]}


def _order(number):
    changed = f"2018-07-01T00:{number:02}:00Z"
    row = {
        "id": 5_000 + number,
        "order_id": number,
        "status": "cancelled",
        "status_before_cancellation": "fulfilled",
        "composite_fulfillment_status": None,
        "payment_status": "unpaid",
        "packed_on": "2018-06-30T00:00:00Z",
        "shipped_on": "2018-06-30T01:00:00Z",
        "received_on": None,
        "cancel_date": changed,
        "receive_cancellation_on": None,
        "created_on": "2018-06-30T00:00:00Z",
        "modified_on": changed,
        "shipment": {"delivery_service_provider_id": 10355, "cod_amount": 250_000},
    }
    return {"id": number, "modified_on": changed, "status": "finalized", "fulfillments": [row]}


def read(document):
    """Read a page as it comes over the wire."""
    return read_page(parse_document(json.dumps(document).encode()), LOOK).orders


SOUND = read(page())


@st.composite
def damages(draw):
    """Return what one damage makes of a page, and where it is."""
    place, depth = draw(st.integers(0, ORDERS - 1)), draw(st.integers(0, 2))
    document = page()
    holder, key = document["orders"], place
    for inner in ("fulfillments", "shipment")[:depth]:
        holder = holder[key]
        holder, key = (holder[inner], 0) if inner == "fulfillments" else (holder, inner)
    how = draw(st.sampled_from(["replace the row", "drop a key", "change a value"]))
    if how == "replace the row":
        holder[key] = draw(JSON)
    else:
        name = draw(st.sampled_from([*holder[key]]))
        if how == "drop a key":
            del holder[key][name]
        else:
            holder[key][name] = draw(JSON)
    return place, document


@settings(max_examples=150)
@given(damages())
def test_one_damaged_order_hides_no_other(damage):
    """Whatever one order, parcel or shipment looks like, the other forty-nine are read."""
    place, document = damage

    found = read(document)

    assert ORDERS == len(found)
    assert [*SOUND[:place], *SOUND[place + 1 :]] == [*found[:place], *found[place + 1 :]]


@settings(max_examples=60)
@given(damages())
def test_what_is_not_read_of_an_order_is_said(damage):
    """A row that is gone from a reading is among those that could not be read, never just gone."""
    place, document = damage
    body = document["orders"][place]
    rows = body.get("fulfillments") if isinstance(body, dict) else None

    found = read(document)[place]

    whole = found.order_id and found.updated_at and found.fulfillments
    assert whole or found.unreadable or not rows
