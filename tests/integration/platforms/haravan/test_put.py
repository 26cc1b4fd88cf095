from __future__ import annotations

import socket
from datetime import timedelta
from functools import partial

import pytest
from crashes.silence import deaf, useless

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.errors import (
    AccessDenied,
    DatabaseUnavailable,
    Interrupted,
    NotSent,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    Refused,
)
from carrierflow.platforms.haravan import HttpLimits

from .conftest import PICK


HURRIED = HttpLimits(connect_timeout=0.2)

ENOUGH = 3
"""So many times somebody asks whether to go on, before the answer is no."""


PICKING = "/com/orders/1230064550/fulfillments/1055494932/carrier_status/picking.json"


@pytest.fixture(name="put")
def _put(platform, ref, soon):
    return lambda: platform.write(ref, PICK, not_later_than=soon)


def test_a_status_is_told_and_the_answer_read(server, answer, platform, payload, put, ref, clock):
    """A PUT goes to the segment's path without a body, and its reply is an observation."""
    clock.step = timedelta(milliseconds=10)
    server.plays(answer.reply(payload("fulfillment_put_picking")))

    seen = put()

    ((method, path, headers),) = server.received
    assert ("PUT", PICKING, "0") == (method, path, headers["Content-Length"])
    assert headers["Authorization"].startswith("Bearer ")
    assert (ref, Status.PICKING, "put") == (seen.ref, seen.carrier.status, seen.source)
    assert seen.asked_at < seen.seen_at
    assert (0, 1, 0) == (platform.requests.get, platform.requests.put, platform.requests.throttled)


def test_another_code_is_an_observation_too(server, answer, payload, put):
    """A reply with another status than the one told is returned for a new decision."""
    server.plays(answer.reply(payload("fulfillment_put_cancel")))
    assert Status.CANCEL == put().carrier.status


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, OutcomeUnknown),
        (302, OutcomeUnknown),
        (408, OutcomeUnknown),
        (425, OutcomeUnknown),
        (499, OutcomeUnknown),
        (400, Refused),
        (404, Refused),
        (409, Refused),
        (422, Refused),
        (401, AccessDenied),
        (403, AccessDenied),
        (429, NotSent),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, OutcomeUnknown),
    ],
)
def test_each_http_status_has_its_class(server, answer, put, status, error):
    """Each HTTP status that is no success is one class of outcome, after exactly one request."""
    server.plays(answer.reply(status=status, Retry_After="0", Location="/com/elsewhere.json"))

    with pytest.raises(PlatformError) as caught:
        put()

    assert (error, status) == (type(caught.value), caught.value.http_status)
    assert [("PUT", PICKING)] == server.paths


@pytest.mark.parametrize(
    "step",
    ["hang_up", "break_off", "break_chunk", "drip_body", "drip_headers", "stay_silent", "flood"],
)
def test_trouble_after_sending_leaves_the_outcome_unknown(
    server, answer, make_platform, ref, soon, step
):
    """Whatever goes wrong once bytes have left, the PUT may be applied; it is not repeated."""
    platform = make_platform(limits=HttpLimits(request_timeout=0.3, max_body=100_000))
    server.plays(getattr(answer, step))

    with pytest.raises(OutcomeUnknown):
        platform.write(ref, PICK, not_later_than=soon)

    assert [("PUT", PICKING)] == server.paths
    assert 1 == platform.requests.put


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>OK</html>",
        b"{}",
        b'{"fulfillment": null}',
        b"null",
        b'{"fulfillment": {"id": 1}}',
    ],
)
def test_an_unreadable_success_leaves_the_outcome_unknown(server, answer, put, body):
    """A 200 that does not show the fulfillment proves nothing."""
    server.plays(answer.reply(body))
    with pytest.raises(OutcomeUnknown) as caught:
        put()
    assert 200 == caught.value.http_status


@pytest.mark.parametrize(("order_id", "fulfillment_id"), [("1230064550", "1"), ("1", "1055494932")])
def test_a_reply_about_another_parcel_leaves_the_outcome_unknown(
    server, answer, platform, payload, soon, order_id, fulfillment_id
):
    """A reply about another fulfillment or another order is not taken for ours."""
    other = FulfillmentRef(shop="s1", order_id=order_id, fulfillment_id=fulfillment_id)
    server.plays(answer.reply(payload("fulfillment_put_picking")))
    with pytest.raises(OutcomeUnknown, match="another fulfillment"):
        platform.write(other, PICK, not_later_than=soon)


def test_a_gzip_lie_leaves_the_outcome_unknown(server, answer, put):
    """A body that is not encoded as it says is an unreadable reply."""
    server.plays(answer.reply(b"not gzip", Content_Encoding="gzip"))
    with pytest.raises(OutcomeUnknown):
        put()


def test_a_refused_connection_is_not_sent(make_platform, ref, soon):
    """Where nobody listens, nothing was sent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        platform = make_platform(base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(NotSent, match="ConnectionRefusedError"):
            platform.write(ref, PICK, not_later_than=soon)
    assert 0 == platform.requests.put


def test_an_unknown_name_is_not_sent(make_platform, ref, soon, monkeypatch):
    """Where the name does not resolve, nothing was sent."""

    def no_such_name(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    platform = make_platform(base_url="https://haravan.invalid")
    with pytest.raises(NotSent, match="gaierror"):
        platform.write(ref, PICK, not_later_than=soon)


def test_a_connection_that_hangs_is_not_sent(make_platform, ref, soon):
    """Where the connection is not made in time, nothing was sent."""
    with deaf() as platform, pytest.raises(NotSent, match="TimeoutError"):
        make_platform(base_url=platform.url, limits=HURRIED).write(ref, PICK, not_later_than=soon)


@pytest.mark.parametrize(("hangs", "scheme"), [(deaf, "http:"), (partial(useless, b""), "https:")])
def test_who_waits_for_a_connection_can_be_told_to_wait_no_longer(
    make_platform, ref, hangs, scheme
):
    """A read ends in the middle of connecting, and of a TLS handshake, long before its time."""
    asked = []

    def stop():
        asked.append(len(asked))
        if len(asked) > ENOUGH:
            raise Interrupted

    with hangs() as platform:
        connected = make_platform(
            base_url=platform.url.replace("http:", scheme),
            limits=HttpLimits(connect_timeout=60, get_retries=0),
            idle=stop,
        )
        with pytest.raises(Interrupted):
            connected.fulfillment(ref)
    assert 0 == connected.requests.get


def test_a_failed_handshake_is_not_sent(server, make_platform, ref, soon):
    """Where TLS fails, the request was not sent."""
    platform = make_platform(base_url=server.url.replace("http:", "https:"))
    with pytest.raises(NotSent, match="SSL"):
        platform.write(ref, PICK, not_later_than=soon)
    assert ([], 0) == (server.paths, platform.requests.put)


def test_a_deadline_that_has_passed_opens_no_connection(server, platform, ref, clock):
    """A PUT that is already too late is not even connected for."""
    with pytest.raises(NotSent):
        platform.write(ref, PICK, not_later_than=clock.moment - timedelta(seconds=1))
    assert 0 == server.connections


def test_a_deadline_that_passes_while_connecting_sends_no_byte(server, platform, ref, clock, soon):
    """A connection that took too long to make carries nothing."""
    clock.step = timedelta(seconds=1.5)  # looked at before connecting, on asking, after connecting

    with pytest.raises(NotSent, match="had passed"):
        platform.write(ref, PICK, not_later_than=soon)

    assert ([], 0) == (server.paths, platform.requests.put)
    assert clock.moment > soon


def test_a_deadline_is_checked_on_a_kept_connection(
    server, answer, platform, ref, payload, clock, put
):
    """The last check comes before the first byte on a connection that stands already, too."""
    server.plays(answer.reply(payload("fulfillment_put_picking")))
    put()
    clock.step = timedelta(seconds=1.5)

    with pytest.raises(NotSent):
        platform.write(ref, PICK, not_later_than=clock.moment + timedelta(seconds=2))

    assert (1, 1) == (server.connections, len(server.received))


def test_429_pauses_the_budget(server, answer, put, budget, platform):
    """A throttled PUT is certainly not applied, and everybody's budget pauses as asked."""
    server.plays(answer.reply(status=429, Retry_After="2.0"))
    with pytest.raises(NotSent):
        put()
    assert ([2.0], 0, 1) == (budget.pauses, budget.spent, platform.requests.throttled)


def test_a_busy_budget_does_not_hide_the_reply(server, answer, put, budget, payload):
    """The reply of a PUT is returned though the budget's database cannot take note of it."""
    budget.trouble = DatabaseUnavailable("locked")
    server.plays(
        answer.reply(payload("fulfillment_put_picking"), X_Haravan_Api_Call_Limit="7/80"),
        answer.reply(status=429),
    )
    assert Status.PICKING == put().carrier.status
    with pytest.raises(NotSent):
        put()
    assert [7] == budget.used


@pytest.mark.parametrize(
    "status", [Status.READYTOPICK, Status.PENDING, Status.NONE, Status.CODPENDING]
)
def test_what_cannot_be_told_has_no_write(platform, status):
    """A status that Haravan has no path for is led to by nothing that it can be told."""
    assert not platform.projection.is_told(status)
    assert () == platform.projection.plan(Status.DELIVERING, status)


@pytest.mark.parametrize(("order_id", "fulfillment_id"), [("..", "1"), ("1", "#1"), ("", "1")])
def test_a_parcel_that_cannot_be_there_is_refused_here(
    server, platform, soon, order_id, fulfillment_id
):
    """Ids that would lead to another address are refused without a request, yet can be shown."""
    ref = FulfillmentRef(shop="s1", order_id=order_id, fulfillment_id=fulfillment_id)
    with pytest.raises(Refused):
        platform.write(ref, PICK, not_later_than=soon)
    assert platform.sketch(ref, PICK).url.startswith(server.url)
    assert [] == server.received


def test_the_caller_waits_for_room(platform, budget):
    """Room for a PUT is asked for apart from it, so that waiting is no part of the deadline."""
    platform.wait_for_room()
    assert 1 == budget.spent


def test_a_person_can_repeat_a_put(server, platform, ref, token):
    """The sketch of a PUT is its method and address, and holds no token."""
    sketch = platform.sketch(ref, PICK)
    assert ("PUT", server.url + PICKING) == (sketch.method, sketch.url)
    assert token not in repr(sketch)


def test_a_token_is_asked_for_before_each_request(make_platform, server, answer):
    """A token that changes is sent as it is at that moment."""
    tokens = iter(["first", "second"])
    platform = make_platform(token=lambda: next(tokens))
    server.plays(*[answer.reply(status=404)] * 2)

    platform.order("1")
    platform.order("1")

    sent = [headers["Authorization"] for _, _, headers in server.received]
    assert ["Bearer first", "Bearer second"] == sent


def test_a_token_is_renewed_while_there_is_time(make_platform, budget):
    """Waiting for room asks for the token too: a PUT's deadline is too short for that."""
    asked = []
    platform = make_platform(token=lambda: asked.append("token") or "token")

    platform.wait_for_room()

    assert (["token"], 1) == (asked, budget.spent)


def test_without_a_token_nothing_is_sent(make_platform, server, ref, soon):
    """Where no token can be had, a PUT certainly had no effect."""

    def no_token():
        raise PlatformUnavailable("its accounts gave no reply")

    with pytest.raises(NotSent, match="its accounts gave no reply"):
        make_platform(token=no_token).write(ref, PICK, not_later_than=soon)
    assert [] == server.received
