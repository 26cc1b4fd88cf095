"""Every body that Onflow's documents print, read by our codec and without it.

The other reading is plain JSON and the documents' own words, which are written down here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from carrierflow.carrier_service import Request
from carrierflow.domain.model import FulfillmentRef, Observation, RemoteWord, Status
from carrierflow.platforms.onflow import OnflowHints
from carrierflow.platforms.onflow.error_flag import data_if_good
from carrierflow.platforms.onflow.shipment_detail import read_shipment

from .making import ASKED, CODE, PAYLOADS, QUESTION, SEEN, printed, reply


ENVELOPES = ["shipment_cancelled_after_packing", "shipment_handed_over", "return_with_a_problem"]
WEBHOOKS = {"webhook_stock_updated": None, "webhook_shipment_created": CODE}
"""Each with the shipment that it names; the one about a shipment is of Onflow's older API."""

NUMBERS = {300: "delivering", 500: "cancel"}
"""Handed over; cancelled after packing."""

DATES = {
    "created_time": "pending",
    "picked_time": "readytopick",
    "handover_time": "delivering",
    "cancelled_time": "cancel",
}


def plainly(name):
    """Return a body as any JSON parser reads it."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))


def expected(data):
    """Return what the documents say of a shipment, field by field."""
    dates = {Status(status): data[name] for name, status in DATES.items() if data.get(name)}
    changed = data.get("updated_time") or max(dates.values())
    number = data["status_info"]["value"]
    return Observation(
        ref=FulfillmentRef(shop="w1", order_id=CODE, fulfillment_id=CODE),
        asked_at=ASKED,
        seen_at=SEEN,
        carrier=RemoteWord(raw=str(number), status=Status(NUMBERS[number])),
        cod=RemoteWord(raw="", status=Status.NONE),
        updated_at=datetime.fromtimestamp(changed, UTC),
        updated_at_raw=str(changed),
        created_at=dates.get(Status.PENDING) and datetime.fromtimestamp(dates[Status.PENDING], UTC),
        dates={status: datetime.fromtimestamp(at, UTC) for status, at in dates.items()},
        dates_raw={status: str(at) for status, at in dates.items()},
        order_cancelled=False,
        tracking_number=data.get("courier_tracking_code"),
        tracking_company_code=None,
        cod_amount=None,
        source="detail",
    )


def test_every_example_of_the_documents_is_kept_and_read_by_a_test():
    """Each printed body is a file, and each file is read by a test below."""
    kept = sorted(path.stem for path in PAYLOADS.iterdir())

    assert sorted([*ENVELOPES, *WEBHOOKS]) == kept


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_printed_reply_says_yes_and_holds_its_data(name):
    """Each printed envelope is no error, and its data comes out of it as it is printed."""
    body = plainly(name)

    assert body["error"] is False
    assert body["data"] == data_if_good(reply(printed(name)))


@pytest.mark.parametrize("name", ["shipment_cancelled_after_packing", "shipment_handed_over"])
def test_a_printed_shipment_is_read_as_the_documents_have_it(name):
    """Where it is, since when, and its waybill; the reply to a cancel lacks the code alone."""
    data = {"tracking_code": CODE} | plainly(name)["data"]

    assert expected(data) == read_shipment(data, QUESTION)


def test_the_printed_return_is_no_shipment():
    """A return is another object, whose 350 has its own meaning: it is never read as a parcel."""
    found = read_shipment(plainly("return_with_a_problem")["data"], QUESTION)

    assert "the shipment has no `tracking_code`" == found.reason


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_printed_webhook_hints_at_the_shipment_that_it_names(name):
    """A stock movement names none, and no status is taken from either."""
    assert plainly(name).get("tracking_code") == WEBHOOKS[name]
    request = Request(method="POST", path="/warehouse/webhooks/secret", body=printed(name))
    assert WEBHOOKS[name] == OnflowHints(["secret"]).webhook(request).order_id
