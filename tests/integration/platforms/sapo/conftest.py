"""A scripted server that answers as Sapo, and a shop there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import Answers, FakeClock

from carrierflow.domain.model import FulfillmentRef
from carrierflow.platforms.http.transport import HttpLimits
from carrierflow.platforms.sapo import SapoPlatform


PAYLOADS = Path(__file__).parents[3] / "payloads" / "sapo"
TOKEN = "canary-f3e1c0de-token"
CARRIER = "10355"
ORDER_ID, PARCEL_ID = "15414945", "34120348"
ORDER = ("GET", f"/admin/orders/{ORDER_ID}.json")
START = datetime(2018, 7, 10, 1, 30, tzinfo=UTC)
SHORT = HttpLimits(connect_timeout=2.0, request_timeout=2.0, get_retries=1)
LATER = "2018-07-09T10:00:00Z"
PAGE = b"<html>Nguyen</html>"

STATES = {
    "packed": {"status": "packed", "shipped_on": None, "received_on": None},
    "fulfilled": {"status": "fulfilled", "received_on": None},
    "received": {},
    "cancelled": {
        "status": "cancelled",
        "status_before_cancellation": "packed",
        "shipped_on": None,
        "received_on": None,
        "cancel_date": LATER,
        "receive_cancellation_on": LATER,
    },
    "cancelling": {"status": "cancelling", "received_on": None, "cancel_date": LATER},
    "returned": {
        "status": "cancelled",
        "status_before_cancellation": "fulfilled",
        "received_on": None,
        "cancel_date": LATER,
        "receive_cancellation_on": LATER,
    },
    "odd": {"status": 7},
    "unknown": {"status": "teleported"},
}
"""What a read shows of the one parcel, as changes to the printed one."""


def action(name):
    """Return the request of an action at the one parcel."""
    return "POST", f"/admin/orders/{ORDER_ID}/fulfillments/{PARCEL_ID}/{name}.json"


class SapoAnswers(Answers):
    """Answers in the shapes that Sapo's order API document prints."""

    @staticmethod
    def printed(name, **more):
        """Answer with a printed body."""
        return Answers.reply((PAYLOADS / f"{name}.json").read_bytes(), **more)

    @staticmethod
    def parcel(state="received", **changes):
        """Return the printed parcel in some state."""
        body = json.loads((PAYLOADS / "fulfillment_receive.json").read_bytes())
        return body["fulfillment"] | STATES[state] | changes

    @staticmethod
    def body(*rows, **changes):
        """Return the printed order with other fulfillments."""
        order = json.loads((PAYLOADS / "order_read.json").read_bytes())["order"]
        return order | {"id": int(ORDER_ID), "fulfillments": [*rows]} | changes

    @staticmethod
    def order(state="received", **changes):
        """Answer with the order of the one parcel, which is in some state."""
        row = SapoAnswers.parcel(state, order_id=changes.get("id", int(ORDER_ID)))
        return Answers.reply({"order": SapoAnswers.body(row, **changes)})

    @staticmethod
    def page(*orders, total=None):
        """Answer with a page of orders."""
        total = len(orders) if total is None else total
        metadata = {"total": total, "page": 1, "limit": 50}
        return Answers.reply({"orders": [*orders], "metadata": metadata})

    @staticmethod
    def no(said="không thể", *, status=422, about=""):
        """Answer with a refusal."""
        document = {"data_error": {"status": status, "errors": {about: said}}}
        return Answers.reply(document, status=status)

    @staticmethod
    def error(said="không tồn tại", *, status=404):
        """Answer with the other shape of a refusal."""
        return Answers.reply({"error": {"message": said}}, status=status)


@pytest.fixture(name="answer")
def _answer():
    return SapoAnswers


@pytest.fixture(name="clock")
def _clock():
    return FakeClock(START)


@pytest.fixture(name="make_platform")
def _make_platform(server, budget, clock, naps):
    made = []

    def make(**more):
        parts = {
            "shop": "s1",
            "base_url": server.url,
            "token": TOKEN,
            "budget": budget,
            "carrier_code": CARRIER,
            "limits": SHORT,
            "now": clock,
            "sleep": naps.append,
        }
        made.append(SapoPlatform(**parts | more))
        return made[-1]

    yield make
    for platform in made:
        platform.close()


@pytest.fixture(name="writes")
def _writes(platform):
    """What Sapo can be told, by name."""
    return {write.name: write for write in platform.projection.writes}


@pytest.fixture(name="soon")
def _soon():
    """The send deadline of an intent that was made just now."""
    return START + timedelta(seconds=2)


@pytest.fixture(name="ref")
def _ref():
    return FulfillmentRef(shop="s1", order_id=ORDER_ID, fulfillment_id=PARCEL_ID)
