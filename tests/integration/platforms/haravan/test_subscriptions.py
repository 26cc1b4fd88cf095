"""The switch of a shop's webhooks over real HTTP."""

from __future__ import annotations

import pytest

from carrierflow.carrier_service.registration import Subscription
from carrierflow.errors import AccessDenied, NotSent, OutcomeUnknown, PlatformUnavailable, Refused
from carrierflow.platforms.haravan import HaravanClient, HaravanSubscriptions, Unmetered

from .conftest import SHORT, TOKEN


DONE = {"error": False, "message": "ok"}


@pytest.fixture(name="there")
def _there(server, clock, naps):
    client = HaravanClient(
        base_url=server.url,
        folder="/api",
        token=TOKEN,
        budget=Unmetered(),
        limits=SHORT,
        now=clock,
        sleep=naps.append,
    )
    subscriptions = HaravanSubscriptions(client)
    yield subscriptions
    subscriptions.close()


def test_the_switch_is_one_address(server, answer, there):
    """On is a POST of an empty object, off a DELETE, both with the shop's token."""
    server.plays(answer.reply(DONE), answer.reply(DONE))

    there.subscribe()
    there.unsubscribe()

    assert [("POST", "/api/subscribe"), ("DELETE", "/api/subscribe")] == server.paths
    assert [b"{}", b""] == server.bodies
    assert {f"Bearer {TOKEN}"} == {headers["Authorization"] for _, _, headers in server.received}


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"error": False, "data": rows}])
def test_the_list_may_be_bare_or_wrapped(server, answer, there, wrap):
    """Both shapes of the list are read."""
    row = {"id": 7, "event": "orders/updated", "url": "https://ship.example/webhooks"}
    server.plays(answer.reply(wrap([row, {}, "nonsense"])), answer.reply(wrap([])))

    assert [
        Subscription(id="7", topic="orders/updated", url="https://ship.example/webhooks"),
        Subscription(id="", topic="", url=None),
    ] == there.listed()
    assert [] == there.listed()


def test_a_no_in_a_good_answer_is_a_no(server, answer, there):
    """`error: true` is a refusal, whatever the status, and its words lose what is personal."""
    said = {"error": True, "message": "No webhook for Nguyen Van Canary, 0909123987"}
    server.plays(answer.reply(said))

    with pytest.raises(Refused, match="it does not switch webhooks: No webhook for") as caught:
        there.subscribe()
    assert "Canary" not in str(caught.value)
    assert "0909" not in str(caught.value)


@pytest.mark.parametrize(
    ("step", "fate"),
    [
        ("hang_up", OutcomeUnknown),
        ({"body": b""}, OutcomeUnknown),
        ({"body": {"message": "ok"}}, OutcomeUnknown),
        ({"status": 502, "body": b"<html>"}, OutcomeUnknown),
        ({"status": 429, "Retry_After": "2"}, NotSent),
        ({"status": 401}, AccessDenied),
        ({"status": 403}, AccessDenied),
        ({"status": 400}, Refused),
    ],
)
def test_a_switch_is_sent_once(server, answer, there, step, fate):
    """No answer, however bad, makes a second request; its fate is named."""
    server.plays(answer.reply(**step) if isinstance(step, dict) else getattr(answer, step))

    with pytest.raises(fate):
        there.subscribe()

    assert 1 == len(server.received)


@pytest.mark.parametrize("body", [{}, {"data": None}, b"", b"<html>"])
def test_a_list_that_is_none_is_unreadable(server, answer, there, body):
    """A reply without a list is not taken for webhooks that are off."""
    server.plays(*[answer.reply(body)] * 4)

    with pytest.raises(PlatformUnavailable):
        there.listed()
