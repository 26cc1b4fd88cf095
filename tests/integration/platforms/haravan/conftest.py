"""A scripted server that answers as Haravan, and the parts that talk to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from loopback import Answers, FakeClock

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.platforms.haravan import HaravanPlatform, HttpLimits
from carrierflow.platforms.haravan.platform import PROJECTION


PICK = next(write for write in PROJECTION.writes if write.to is Status.PICKING)
"""The write that most tests make."""
TOKEN = "canary-f3e1c0de-token"
START = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
SHORT = HttpLimits(connect_timeout=2.0, request_timeout=2.0, max_body=1024 * 1024, get_backoff=0.25)


@pytest.fixture(name="answer")
def _answer():
    return Answers


@pytest.fixture(name="clock")
def _clock():
    return FakeClock(START)


@pytest.fixture(name="make_platform")
def _make_platform(server, budget, clock, naps):
    made = []

    def make(*, base_url=None, limits=SHORT, **more):
        platform = HaravanPlatform(
            **{
                "shop": "s1",
                "base_url": base_url or server.url,
                "token": TOKEN,
                "budget": budget,
                "limits": limits,
                "now": clock,
                "sleep": naps.append,
                **more,
            }
        )
        made.append(platform)
        return platform

    yield make
    for platform in made:
        platform.close()


@pytest.fixture(name="token")
def _token():
    return TOKEN


@pytest.fixture(name="soon")
def _soon():
    """The send deadline of an intent that was made just now."""
    return START + timedelta(seconds=2)


@pytest.fixture(name="ref")
def _ref():
    """The parcel with cash on delivery that the reference documents walk through its life."""
    return FulfillmentRef(shop="s1", order_id="1230064550", fulfillment_id="1055494932")
