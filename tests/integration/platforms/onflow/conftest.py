"""A scripted server that answers as Onflow, and an account there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import Answers, FakeClock

from carrierflow.domain.model import FulfillmentRef
from carrierflow.platforms.http.transport import HttpLimits
from carrierflow.platforms.onflow import OnflowPlatform


PAYLOADS = Path(__file__).parents[3] / "payloads" / "onflow"
TOKEN = "canary-f3e1c0de-token"
CODE = "OASC51090555"
DETAIL = ("GET", f"/api/v1/shipments/{CODE}/detail")
CANCEL = ("PUT", f"/api/v1/shipments/b2c/{CODE}/cancel")
START = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
SHORT = HttpLimits(connect_timeout=2.0, request_timeout=2.0, get_retries=1)


class Onflow(Answers):
    """Answers in Onflow's envelope."""

    @staticmethod
    def envelope(data=None, *, status=200, **changes):
        """Answer with data in an envelope that says yes, or with changes to it."""
        document = json.loads((PAYLOADS / "shipment_cancelled_after_packing.json").read_bytes())
        return Answers.reply(document | {"data": data} | changes, status=status)

    @staticmethod
    def no(detail=None, *, status=200, **changes):
        """Answer that it is an error."""
        changes = {"error": True, "error_detail": detail, "messages": "failed", **changes}
        return Onflow.envelope(status=status, **changes)

    @staticmethod
    def done():
        """Answer a cancel as it is printed."""
        return Answers.reply((PAYLOADS / "shipment_cancelled_after_packing.json").read_bytes())

    @staticmethod
    def detail(code=CODE, **changes):
        """Answer with the printed detail, or with changes to it."""
        printed = json.loads((PAYLOADS / "shipment_handed_over.json").read_bytes())["data"]
        return Onflow.envelope(printed | {"tracking_code": code} | changes)

    @staticmethod
    def packed():
        """Answer with the detail of a shipment that stands ready for its courier."""
        return Onflow.detail(handover_time=None, status_info={"value": 220})

    @staticmethod
    def cancelled():
        """Answer with the detail of a shipment that was cancelled after packing."""
        times = {"handover_time": None, "cancelled_time": 1774426854, "updated_time": 1774426854}
        return Onflow.detail(status_info={"value": 500}, **times)


@pytest.fixture(name="answer")
def _answer():
    return Onflow


@pytest.fixture(name="clock")
def _clock():
    return FakeClock(START)


@pytest.fixture(name="make_platform")
def _make_platform(server, budget, clock, naps):
    made = []

    def make(**more):
        parts = {
            "shop": "w1",
            "base_url": server.url,
            "token": TOKEN,
            "budget": budget,
            "limits": SHORT,
            "now": clock,
            "sleep": naps.append,
        }
        made.append(OnflowPlatform(**parts | more))
        return made[-1]

    yield make
    for platform in made:
        platform.close()


@pytest.fixture(name="soon")
def _soon():
    """The send deadline of an intent that was made just now."""
    return START + timedelta(seconds=2)


@pytest.fixture(name="ref")
def _ref():
    return FulfillmentRef(shop="w1", order_id=CODE, fulfillment_id=CODE)
