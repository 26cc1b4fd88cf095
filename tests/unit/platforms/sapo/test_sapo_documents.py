"""Every body that Sapo's order API document prints, read by our codec and without it.

The other reading is plain JSON and the document's own words, which are written down here.
"""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from carrierflow.domain.model import FulfillmentRef, Observation, RemoteWord, Status
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.sapo.order_bodies import read_page, read_sapo_order
from carrierflow.platforms.sapo.sapo_http import DIALECT, says_no

from .making import ASKED, LOOK, PAYLOADS, SEEN, body_of, printed, reply


EXAMPLES = {
    "1. a new order": ("order_create_request", "order_create", "order_create_refused"),
    "2. approved": ("order_finalize", "order_finalize_refused"),
    "3. cancelled": ("order_cancel", "order_cancel_refused"),
    "4. finished": ("order_finish", "order_finish_refused", "order_finish_draft_refused"),
    "5. changed": ("order_change_request", "order_change"),
    "6. listed": ("order_list",),
    "7. read": ("order_read", "order_read_refused"),
    "8.1 paid before": (
        "prepayment_create_request",
        "prepayment_create",
        "prepayment_create_refused",
    ),
    "8.2 and not so": ("prepayment_cancel", "prepayment_cancel_refused"),
    "9.1 packed": (
        "fulfillment_create_request",
        "fulfillment_create",
        "fulfillment_create_refused",
    ),
    "9.2 shipped": ("fulfillment_ship_refused",),
    "9.4 received": ("fulfillment_receive", "fulfillment_receive_refused"),
    "9.5 cancelled": ("fulfillment_cancel", "fulfillment_cancel_refused"),
    "9.6 taken back": ("fulfillment_take_back_refused",),
}
"""The document's sections with the bodies that each prints, in its order.

The answers to 9.2 and 9.6 are printed as nothing at all; the list of 6 lacks its last brace.
"""

NAMES = [name for names in EXAMPLES.values() for name in names]
ORDERS = [name for name in NAMES if "order" in body_of(name)]
REFUSALS = [name for name in NAMES if name.endswith("_refused")]
PARCELS = ["fulfillment_create", "fulfillment_receive", "fulfillment_cancel"]
UNREAD = ["order_list", "fulfillment_create_request"] + [
    name for name in NAMES if "prepayment" in body_of(name)
]

STATES = {"packed": "readytopick", "fulfilled": "delivering", "received": "delivered"}
CASH = {"unpaid": "codpending", "paid": "codpaid"}
DATES = {"packed_on": "readytopick", "shipped_on": "delivering", "received_on": "delivered"}


def plainly(name):
    """Return a body as any JSON parser reads it."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))


def moment(text):
    """Return a printed time."""
    return datetime.fromisoformat(text)


def word(row):
    """Return how a parcel is: cancelled from somewhere, or what its status says."""
    if row["status"] == "cancelled":
        assert "packed" == row["status_before_cancellation"], "no other cancel is printed"
        return RemoteWord(raw="cancelled from packed", status=Status.CANCEL)
    return RemoteWord(raw=row["status"], status=Status(STATES[row["status"]]))


def cash(row):
    """Return how the cash of a parcel is, where there is any to collect."""
    if not (row["shipment"] or {}).get("cod_amount"):
        return RemoteWord(raw="", status=Status.NONE)
    said = row["payment_status"]
    return RemoteWord(raw=said, status=Status(CASH[said]))


def expected(row, *, order):
    """Return what the document says of a parcel, field by field."""
    shipment = row["shipment"] or {}
    cancels = {"cancel_date": "cancel"} if row["status"] == "cancelled" else {}
    dates = {Status(status): row[name] for name, status in (DATES | cancels).items() if row[name]}
    provider, amount = shipment.get("delivery_service_provider_id"), shipment.get("cod_amount")
    return Observation(
        ref=FulfillmentRef(shop="s1", order_id=str(row["order_id"]), fulfillment_id=str(row["id"])),
        asked_at=ASKED,
        seen_at=SEEN,
        carrier=word(row),
        cod=cash(row),
        updated_at=moment(row["modified_on"]),
        updated_at_raw=row["modified_on"],
        created_at=moment(row["created_on"]),
        dates={status: moment(text) for status, text in dates.items()},
        dates_raw=dates,
        order_cancelled=order["status"] == "cancelled",
        tracking_number=shipment.get("tracking_code"),
        tracking_company_code=None if provider is None else str(provider),
        cod_amount=None if amount is None else int(amount),
        source="order",
    )


def test_every_example_of_the_document_is_kept_and_read_by_a_test():
    """The document prints 29 bodies; each is a file, and each file is read by a test below."""
    kept = sorted(path.stem for path in PAYLOADS.iterdir())

    assert kept == sorted(NAMES)
    assert 29 == len(kept)
    assert kept == sorted([*ORDERS, *PARCELS, *REFUSALS, *UNREAD])


@pytest.mark.parametrize("name", ORDERS)
def test_a_printed_order_is_read_as_the_document_has_it(name):
    """Its id, its last change, whether it is cancelled, and its parcels with every field."""
    order = plainly(name)["order"]

    found = read_sapo_order(body_of(name), LOOK)

    assert str(order["id"]) == found.order_id
    assert moment(order["modified_on"]) == found.updated_at
    assert (order["status"] == "cancelled") == found.cancelled
    assert tuple(expected(row, order=order) for row in order["fulfillments"]) == found.fulfillments
    assert ((), False) == (found.unreadable, found.left_out)


@pytest.mark.parametrize("name", PARCELS)
def test_a_printed_parcel_is_read_as_the_document_has_it(name):
    """What an action answers reads in an order as what the document says of it."""
    row, order = plainly(name)["fulfillment"], plainly("order_read")["order"]
    order |= {"id": row["order_id"], "fulfillments": [row]}

    found = read_sapo_order({"order": order}, LOOK)

    assert ((expected(row, order=order),), ()) == (found.fulfillments, found.unreadable)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_printed_refusal_is_told_as_the_document_has_it(name):
    """Both shapes of an error are a no, with every sentence and what it is about."""
    body = plainly(name)
    if "error" in body:
        sentences = [body["error"]["message"]]
    else:
        errors = body["data_error"]["errors"]
        sentences = [f"{about}: {said}".removeprefix(": ") for about, said in errors.items()]

    assert says_no(body_of(name))
    assert sentences == list(DIALECT.messages(reply(printed(name), status=422)))


@pytest.mark.parametrize("name", UNREAD)
def test_a_printed_body_without_an_order_is_never_taken_for_one(name):
    """What is paid before, a wish for a parcel and a list's count are no order, and no refusal."""
    assert not says_no(body_of(name))
    with pytest.raises(UnreadableReply, match="no `order`"):
        read_sapo_order(body_of(name), LOOK)


def test_the_printed_list_says_how_many_there_are():
    """Of a list the document prints the count alone; the orders stand beside it."""
    counted, order = plainly("order_list"), plainly("order_read")["order"]

    page = read_page(counted | {"orders": [order]}, LOOK)

    assert counted["metadata"]["total"] == page.total
    assert [str(order["id"])] == [found.order_id for found in page.orders]
    with pytest.raises(UnreadableReply, match="no list"):
        read_page(body_of("order_list"), LOOK)
