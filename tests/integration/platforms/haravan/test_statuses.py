"""What comes of every HTTP status, to a read and to a write: one table for all of them."""

from __future__ import annotations

import pytest

from carrierflow.domain.clock import now
from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.errors import (
    AccessDenied,
    NotSent,
    NotThere,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    ReadRefused,
    Refused,
    Throttled,
)
from carrierflow.platforms.haravan import HttpLimits
from carrierflow.platforms.http.replies import PlatformReply
from carrierflow.platforms.http.transport import Transport

from .conftest import PICK


EVERY = range(100, 600)
REF = FulfillmentRef(shop="s1", order_id="1230064550", fulfillment_id="1055494932")

SPECIAL = {401: AccessDenied, 403: AccessDenied, 429: NotSent} | dict.fromkeys(
    (408, 425, 499), OutcomeUnknown
)
"""What a 4xx says of a write, where that is not a refusal."""

ASKED_AGAIN = {408, 409, 422, 425, 429, 499, *range(201, 300), *range(500, 600)}
"""The answers to a read that another try may mend."""

OF_A_READ = {401: AccessDenied, 403: AccessDenied, 404: NotThere, 429: Throttled} | dict.fromkeys(
    (408, 425, 499), PlatformUnavailable
)
"""What a 4xx says of a read, where that is no plain refusal."""


def of_a_write(status):
    """Return what a status says of a PUT, unless it shows the fulfillment."""
    return SPECIAL.get(status, Refused) if status // 100 == 4 else OutcomeUnknown


def of_a_read(status):
    """Return what a status says of a GET that was tried often enough."""
    return OF_A_READ.get(status, ReadRefused) if status // 100 == 4 else PlatformUnavailable


class Line:
    """Stands in for the sockets: answers every request with one status."""

    def __init__(self, monkeypatch):
        self.status, self.body, self.sent = 200, b"", 0
        monkeypatch.setattr(Transport, "exchange", self.exchange)

    def exchange(self, *_args, **_options):
        """Answer one request."""
        self.sent += 1
        moment = now()
        return PlatformReply(
            status=self.status,
            headers={},
            body=self.body,
            flaw=None,
            asked_at=moment,
            seen_at=moment,
        )


@pytest.fixture
def line(monkeypatch):
    return Line(monkeypatch)


@pytest.fixture
def haravan(make_platform):
    return make_platform(limits=HttpLimits(get_retries=2))


def test_every_status_says_something_of_a_write(line, haravan, soon):
    """No status but a 2xx that shows the parcel is a success, and only a plain 4xx a refusal."""
    for status in EVERY:
        line.status, line.sent = status, 0
        with pytest.raises(PlatformError) as caught:
            haravan.write(REF, PICK, not_later_than=soon)
        assert (of_a_write(status), 1, status) == (
            type(caught.value),
            line.sent,
            caught.value.http_status,
        )


def test_every_success_that_shows_the_parcel_is_one(line, haravan, payload, soon):
    """Any 2xx with the fulfillment in it is what the platform shows now."""
    line.body = payload("fulfillment_put_picking")
    for status in EVERY:
        line.status = status
        if status // 100 == 2:
            seen = haravan.write(REF, PICK, not_later_than=soon)
            assert Status.PICKING is seen.carrier.status
        else:
            with pytest.raises(of_a_write(status)):
                haravan.write(REF, PICK, not_later_than=soon)


def test_every_status_says_something_of_a_read(line, haravan, soon):
    """A read is asked again where that may help, and says at last what it was answered."""
    for status in EVERY:
        line.status, line.sent = status, 0
        with pytest.raises((PlatformUnavailable, AccessDenied)) as caught:
            haravan.orders_changed(soon)
        is_asked_again = status in ASKED_AGAIN or status == 200  # whose body is empty
        assert (of_a_read(status), 3 if is_asked_again else 1) == (type(caught.value), line.sent)


def test_an_answer_that_passes_spoils_no_read(line, haravan, monkeypatch, soon):
    """What is over within the retries is not even noticed."""
    for status in ASKED_AGAIN:
        line.body, statuses = b'{"orders": []}', [status, status, 200]

        def exchange(*args, left=statuses, **options):
            line.status = left.pop(0)
            return line.exchange(*args, **options)

        monkeypatch.setattr(Transport, "exchange", exchange)
        assert () == haravan.orders_changed(soon)
        assert [] == statuses
