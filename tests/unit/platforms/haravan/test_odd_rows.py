"""A page of fifty orders, one of them damaged in any way that JSON allows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from carrierflow.platforms.haravan.codec import read_orders
from carrierflow.platforms.http.replies import parse_document


MOMENT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
ORDERS = 50

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "\ud800", "\0"])
    | st.sampled_from([10**18, 10**19, 10**30, -(10**30), "9" * 5_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Anything that a field, or a row, may hold instead of what it should."""


def page():
    """Return a page of orders as Haravan prints it, with what is read of each."""
    return {"orders": [_order(number) for number in range(1, ORDERS + 1)]}


def _order(number):
    printed = f"2026-02-01T00:{number:02}:00.5Z"
    row = {
        "id": 5_000 + number,
        "order_id": number,
        "carrier_status_code": "delivering",
        "carrier_cod_status_code": "codpending",
        "updated_at": printed,
        "delivering_date": "2026-02-01T00:00:00Z",
        "tracking_number": f"T{number}",
        "tracking_company_code": "external",
        "cod_amount": 250_000,
    }
    return {"id": number, "updated_at": printed, "cancelled_at": None, "fulfillments": [row]}


def read(document):
    """Read a page as it comes over the wire."""
    body = json.dumps(document).encode()
    return read_orders(parse_document(body), shop="s1", asked_at=MOMENT, seen_at=MOMENT)


SOUND = read(page())


@st.composite
def damages(draw, values=JSON):
    """Return what one damage makes of a page, and where it is."""
    place, in_fulfillment = draw(st.integers(0, ORDERS - 1)), draw(st.booleans())
    document = page()
    order = document["orders"][place]
    rows, at = (order["fulfillments"], 0) if in_fulfillment else (document["orders"], place)
    name = draw(st.sampled_from([*rows[at]]))
    how = draw(st.sampled_from(["replace the row", "drop a key", "change a value"]))
    if how == "replace the row":
        rows[at] = draw(values)
    elif how == "drop a key":
        del rows[at][name]
    else:
        rows[at][name] = draw(values)
    return place, document


def _shown_id(document, place):
    order = document["orders"][place]
    return str(order.get("id")) if isinstance(order, dict) else None


@settings(max_examples=150)
@given(damages())
def test_one_damaged_row_hides_no_other(damage):
    """Whatever one order or fulfillment looks like, the other forty-nine are read as they are."""
    place, document = damage

    found = read(document)

    assert ORDERS == len(found)
    assert [*SOUND[:place], *SOUND[place + 1 :]] == [*found[:place], *found[place + 1 :]]
    assert {row.order_id for row in found[place].unreadable} <= {_shown_id(document, place), None}


@settings(max_examples=60)
@given(damages())
def test_what_is_not_read_is_said(damage):
    """A row that is gone from a reading is among those that could not be read, never just gone."""
    place, document = damage
    bodies = document["orders"][place]
    listed = bodies.get("fulfillments") if isinstance(bodies, dict) else None

    found = read(document)[place]

    whole = found.order_id and found.updated_at and found.fulfillments
    assert whole or found.unreadable or not listed
