from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from carrierflow.domain.model import FulfillmentRef, RequestSketch, Status
from carrierflow.errors import (
    AccessDenied,
    ConfigurationError,
    Interrupted,
    NotSent,
    OutcomeUnknown,
    Refused,
)
from carrierflow.platforms.onflow import ShipmentPaths

from .conftest import CANCEL, CODE, DETAIL, START, TOKEN


@pytest.fixture(name="cancel")
def _cancel(platform):
    """The one thing that Onflow can be told."""
    (write,) = platform.projection.writes
    return write


def test_a_cancel_is_one_put_and_one_look(server, answer, platform, ref, cancel, soon, budget):
    """A shipment is cancelled by a PUT without a body, and returned as it is read after it."""
    server.plays(answer.done(), answer.cancelled())

    seen = platform.write(ref, cancel, not_later_than=soon)

    assert [CANCEL, DETAIL] == server.paths
    assert [b"", b""] == server.bodies
    assert TOKEN == server.received[0][2]["Authorization"]
    assert (Status.CANCEL, "1774426854", ref) == (
        seen.carrier.status,
        seen.updated_at_raw,
        seen.ref,
    )
    assert (1, 1, 1) == (platform.requests.put, platform.requests.get, budget.spent)


def test_a_yes_that_does_not_show_is_open(server, answer, platform, ref, cancel, soon):
    """A detail that lags behind the cancel decides nothing: a later read does."""
    server.plays(answer.envelope({"success": True}), answer.packed())
    with pytest.raises(OutcomeUnknown, match="does not show the cancel yet"):
        platform.write(ref, cancel, not_later_than=soon)


REFUSALS = {
    "flag": lambda answer: answer.no("đã bàn giao", error_code=4001, log_id="66f-1a"),
    "success": lambda answer: answer.envelope({"success": False}),
    "HTTP 400": lambda answer: answer.no("đã bàn giao", status=400),
    "HTTP 404": lambda answer: answer.no("no such shipment", status=404),
    "HTTP 422": lambda answer: answer.no("đã bàn giao", status=422),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_no_about_a_cancelled_shipment_is_a_yes(
    server, answer, platform, ref, cancel, soon, kind
):
    """A refused cancel of what is cancelled already has got what it wanted."""
    server.plays(REFUSALS[kind](answer), answer.cancelled())

    seen = platform.write(ref, cancel, not_later_than=soon)

    assert Status.CANCEL is seen.carrier.status
    assert [CANCEL, DETAIL] == server.paths


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("now", ["detail", "packed"])
def test_a_no_about_any_other_is_a_refusal(server, answer, platform, ref, cancel, soon, kind, now):
    """A refused cancel of a shipment that is read and not cancelled is a refusal."""
    server.plays(REFUSALS[kind](answer), getattr(answer, now)())
    with pytest.raises(Refused):
        platform.write(ref, cancel, not_later_than=soon)
    assert [CANCEL, DETAIL] == server.paths


def test_a_refusal_says_why(server, answer, platform, ref, cancel, soon):
    """The sentence of a refusal has the masked detail, the code, and the id of the log."""
    said = "shipment of Nguyen Van A was handed over"
    server.plays(answer.no(said, error_code=4001, log_id="66f-1a"), answer.detail())

    with pytest.raises(Refused) as caught:
        platform.write(ref, cancel, not_later_than=soon)

    reason = "HTTP 200: shipment of … was handed over (error_code 4001, log_id 66f-1a)"
    assert (reason, 200) == (caught.value.reason, caught.value.http_status)


def test_a_long_refusal_keeps_its_log_id(server, answer, platform, ref, cancel, soon):
    """However much Onflow has to say, what its support asks for is in the two hundred letters."""
    server.plays(answer.no("no " * 10_000, error_code="x" * 64, log_id="y" * 64), answer.detail())
    with pytest.raises(Refused) as caught:
        platform.write(ref, cancel, not_later_than=soon)
    assert caught.value.reason.endswith(f"(error_code {'x' * 64}, log_id {'y' * 64})")
    assert 200 == len(caught.value.reason)


UNKNOWN = {
    "lost": lambda answer: answer.hang_up,
    "broken off": lambda answer: answer.break_off,
    "server error": lambda answer: answer.no("down", status=500),
    "bad gateway": lambda answer: answer.reply(b"<html></html>", status=502),
    "moved": lambda answer: answer.reply(status=302, Location="/x"),
    "timed out there": lambda answer: answer.no("slow", status=408),
    "page": lambda answer: answer.reply(b"<html></html>"),
    "page with 403": lambda answer: answer.reply(b"<html></html>", status=403),
    "page with 422": lambda answer: answer.reply(b"<html></html>", status=422),
    "empty": lambda answer: answer.reply(),
    "no flag": lambda answer: answer.envelope({"success": True}, error=None),
    "no data": lambda answer: answer.envelope(None),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_says_neither_yes_nor_no_is_unknown(server, answer, platform, ref, cancel, soon, kind):
    """An answer that is none, or not Onflow's, leaves it open, and nothing is sent again."""
    server.plays(UNKNOWN[kind](answer))
    with pytest.raises(OutcomeUnknown):
        platform.write(ref, cancel, not_later_than=soon)
    assert [CANCEL] == server.paths


UNREAD = {
    "lost": lambda answer: answer.hang_up,
    "refused": lambda answer: answer.no("no"),
    "not there": lambda answer: answer.no("no", status=404),
    "not found": lambda answer: answer.no("no", error_code="NOT_FOUND"),
    "bad token": lambda answer: answer.no("no", error_code="UNAUTHORIZED"),
    "denied": lambda answer: answer.no("no", status=401),
    "busy": lambda answer: answer.reply(status=429),
    "server error": lambda answer: answer.no("no", status=503),
    "page": lambda answer: answer.reply(b"<html></html>"),
    "odd": lambda answer: answer.detail(status_info=None),
    "another": lambda answer: answer.detail("OASC0000000002"),
}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("said", ["done", "no"])
def test_a_cancel_that_cannot_be_read_back_is_unknown(
    server, answer, platform, ref, cancel, soon, said, kind
):
    """After a yes or a no, a shipment that cannot be read is one of which nothing is known."""
    trouble = UNREAD[kind](answer)
    server.plays(getattr(answer, said)(), trouble, trouble)
    with pytest.raises(OutcomeUnknown):
        platform.write(ref, cancel, not_later_than=soon)
    assert 1 == server.paths.count(CANCEL)


def test_a_stop_while_reading_back_leaves_it_unknown(
    server, answer, make_platform, ref, cancel, soon
):
    """Whoever stops the work after the cancel left does not make it unsent."""

    def stop():
        raise Interrupted

    server.plays(answer.done(), answer.stay_silent)
    with pytest.raises(OutcomeUnknown):
        make_platform(idle=stop).write(ref, cancel, not_later_than=soon)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_cancel(server, answer, platform, ref, cancel, soon, status):
    """401 and 403 are about the token, and nothing is read after them."""
    server.plays(answer.no("token expired", status=status))
    with pytest.raises(AccessDenied) as caught:
        platform.write(ref, cancel, not_later_than=soon)
    assert status == caught.value.http_status
    assert [CANCEL] == server.paths


def test_a_token_refused_in_a_good_status_is_no_refusal(
    server, answer, platform, ref, cancel, soon
):
    """The documented code of an invalid token is about the token, and nothing is read after it."""
    server.plays(answer.no("Invalid access token", error_code="UNAUTHORIZED"))
    with pytest.raises(AccessDenied):
        platform.write(ref, cancel, not_later_than=soon)
    assert [CANCEL] == server.paths


def test_a_pause_means_not_sent(server, answer, platform, ref, cancel, soon, budget):
    """A 429 turned the cancel away at the door, and the budget pauses."""
    server.plays(answer.reply(status=429, Retry_After="7"))
    with pytest.raises(NotSent):
        platform.write(ref, cancel, not_later_than=soon)
    assert ([CANCEL], [7.0]) == (server.paths, budget.pauses)


def test_nothing_leaves_too_late(server, platform, ref, cancel):
    """After its deadline a cancel is not sent at all."""
    with pytest.raises(NotSent):
        platform.write(ref, cancel, not_later_than=START - timedelta(seconds=1))
    assert [] == server.paths


def test_a_host_that_is_not_there_was_told_nothing(make_platform, ref, cancel, soon):
    """Where no connection can be made, the cancel certainly had no effect."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(NotSent):
        make_platform(base_url=url).write(ref, cancel, not_later_than=soon)


@pytest.mark.parametrize("code", ["", " ", "../x", "OASC 1"])
def test_the_printed_example_is_never_sent(server, platform, cancel, soon, code):
    """A cancel without a usable code, as the document prints it, leaves no request."""
    ref = FulfillmentRef(shop="w1", order_id=code, fulfillment_id=code)
    with pytest.raises(Refused):
        platform.write(ref, cancel, not_later_than=soon)
    assert [] == server.paths


def test_order_and_fulfillment_must_be_one(server, platform, ref, cancel, soon):
    """A reference whose ids differ is none of Onflow's, and nothing is cancelled by it."""
    with pytest.raises(Refused):
        platform.write(replace(ref, order_id="OASC0000000002"), cancel, not_later_than=soon)
    assert [] == server.paths


def test_nothing_else_can_be_told(server, platform, ref, cancel, soon):
    """Any other write is refused before it is sent."""
    with pytest.raises(Refused, match="hand over"):
        platform.write(ref, replace(cancel, name="hand over"), not_later_than=soon)
    assert [] == server.paths


def test_a_person_can_repeat_a_cancel(server, make_platform, ref, cancel):
    """The sketch of a cancel is its method and its address, without the token."""
    platform = make_platform(paths=ShipmentPaths(cancel="/v1/b2c/{tracking_code}/cancel"))
    assert RequestSketch(method="PUT", url=f"{server.url}/v1/b2c/{CODE}/cancel") == platform.sketch(
        ref, cancel
    )


def test_the_budget_is_asked_before_a_cancel(make_platform, budget):
    """Waiting for room counts one request, and gets the token of that moment."""
    tokens = []

    def token():
        tokens.append(TOKEN)
        return TOKEN

    make_platform(token=token).wait_for_room()

    assert (1, [TOKEN]) == (budget.spent, tokens)


@pytest.mark.parametrize("base_url", ["http://open-api.example", "", "https://u:secret@x.example"])
def test_a_base_url_that_would_leak_or_fail(make_platform, base_url):
    """Only https roots are accepted, and http for this machine alone; there is no default."""
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        make_platform(base_url=base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "canary\n", "canary token", "cànary"])
def test_a_token_that_cannot_be_sent_is_not_quoted(make_platform, token):
    """A token that is no header value is refused at once, without being printed."""
    with pytest.raises(ConfigurationError) as caught:
        make_platform(token=token)
    assert "nary" not in str(caught.value)
