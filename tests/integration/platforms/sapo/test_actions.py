from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from carrierflow.domain.model import FulfillmentRef, RemoteWord, RequestSketch, Status
from carrierflow.errors import (
    AccessDenied,
    ConfigurationError,
    Interrupted,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    Refused,
)

from .conftest import ORDER, ORDER_ID, PAGE, PARCEL_ID, START, TOKEN, action


S = Status
DONE = {
    "ship": ("fulfilled", "ship", S.DELIVERING),
    "receive": ("received", "receive", S.DELIVERED),
    "cancel": ("cancelled", "cancel", S.CANCEL),
    "cancel_shipped": ("cancelling", "cancel", S.WAITINGFORRETURN),
    "receive_after_cancellation": ("returned", "receive_after_cancellation", S.RETURN),
}


@pytest.mark.parametrize("name", DONE)
def test_an_action_is_one_post_and_one_look(
    server, answer, platform, ref, writes, soon, budget, name
):
    """A parcel is told by a POST of `{}`, and returned as it is read after that."""
    state, segment, expected = DONE[name]
    server.plays(answer.reply(), answer.order(state))

    seen = platform.write(ref, writes[name], not_later_than=soon)

    assert [action(segment), ORDER] == server.paths
    assert [b"{}", b""] == server.bodies
    assert {TOKEN} == {headers["X-Sapo-Access-Token"] for _, _, headers in server.received}
    assert (ref, expected) == (seen.ref, seen.carrier.status)
    assert (1, 1, 1) == (platform.requests.put, platform.requests.get, budget.spent)


YES = {
    "empty": lambda answer: answer.reply(),
    "blank": lambda answer: answer.reply(b" \n"),
    "no content": lambda answer: answer.reply(status=204),
    "printed": lambda answer: answer.printed("fulfillment_receive"),
    "composite null": lambda answer: answer.reply({"fulfillment": {"status": "received"}}),
    "created": lambda answer: answer.reply({"fulfillment": None}, status=201),
    "some other": lambda answer: answer.reply(True),
}


@pytest.mark.parametrize("kind", YES)
def test_any_good_answer_is_a_yes(server, answer, platform, ref, writes, soon, kind):
    """An answer may be empty or show a part: what counts is how the parcel is read then."""
    server.plays(YES[kind](answer), answer.order("received"))
    seen = platform.write(ref, writes["receive"], not_later_than=soon)
    assert RemoteWord(raw="received", status=S.DELIVERED) == seen.carrier
    assert RemoteWord(raw="paid", status=S.CODPAID) == seen.cod
    assert ("order", "2018-07-09T09:28:50Z") == (seen.source, seen.updated_at_raw)


@pytest.mark.parametrize("state", ["packed", "cancelled", "unknown"])
def test_a_yes_that_does_not_show_is_open(server, answer, platform, ref, writes, soon, state):
    """What is read right after an answer may be old, or somebody else's: a later read decides."""
    server.plays(answer.printed("fulfillment_receive"), answer.order(state))
    with pytest.raises(OutcomeUnknown, match="does not show what it was told yet"):
        platform.write(ref, writes["ship"], not_later_than=soon)


MAY_BE_DONE = {
    "422": lambda answer: answer.printed("fulfillment_receive_refused", status=422),
    "422 of the other shape": lambda answer: answer.error(status=422),
    "422 empty": lambda answer: answer.reply(status=422),
    "409": lambda answer: answer.no(status=409),
    "404": lambda answer: answer.error(status=404),
    "an error with 200": lambda answer: answer.printed("fulfillment_ship_refused"),
    "a data error with 200": lambda answer: answer.printed("fulfillment_take_back_refused"),
}
THERE = [
    ("ship", "fulfilled"),
    ("ship", "received"),
    ("ship", "cancelling"),
    ("ship", "returned"),
    ("receive", "received"),
    ("cancel", "cancelled"),
    ("cancel_shipped", "cancelling"),
    ("cancel_shipped", "returned"),
    ("receive_after_cancellation", "returned"),
]
NOT_THERE = [
    ("ship", "packed"),
    ("ship", "cancelled"),
    ("ship", "unknown"),
    ("receive", "packed"),
    ("receive", "fulfilled"),
    ("receive", "returned"),
    ("cancel", "fulfilled"),
    ("cancel", "cancelling"),
    ("cancel", "received"),
    ("cancel_shipped", "cancelled"),
    ("cancel_shipped", "received"),
    ("receive_after_cancellation", "cancelling"),
]


@pytest.mark.parametrize("kind", MAY_BE_DONE)
@pytest.mark.parametrize(("name", "state"), THERE)
def test_a_no_about_a_parcel_that_is_there_is_a_yes(
    server, answer, platform, ref, writes, soon, kind, name, state
):
    """A refused action at a parcel that is where it leads, or past that, has got what it wanted."""
    server.plays(MAY_BE_DONE[kind](answer), answer.order(state))

    seen = platform.write(ref, writes[name], not_later_than=soon)

    assert (2, ORDER) == (len(server.paths), server.paths[1])
    assert seen.carrier.status in {
        S.DELIVERING,
        S.DELIVERED,
        S.CANCEL,
        S.WAITINGFORRETURN,
        S.RETURN,
    }


@pytest.mark.parametrize("kind", MAY_BE_DONE)
@pytest.mark.parametrize(("name", "state"), NOT_THERE)
def test_a_no_about_any_other_is_a_refusal(
    server, answer, platform, ref, writes, soon, kind, name, state
):
    """A refused action at a parcel that is read and is elsewhere is a refusal."""
    server.plays(MAY_BE_DONE[kind](answer), answer.order(state))
    with pytest.raises(Refused):
        platform.write(ref, writes[name], not_later_than=soon)
    assert (2, ORDER) == (len(server.paths), server.paths[1])


def test_a_no_about_a_parcel_that_is_gone_is_a_refusal(server, answer, platform, ref, writes, soon):
    """Where the order shows that there is no such parcel, nobody did anything to it."""
    server.plays(
        answer.error(status=404), answer.reply({"order": answer.body(answer.parcel(id=1))})
    )
    with pytest.raises(Refused):
        platform.write(ref, writes["ship"], not_later_than=soon)


def test_a_yes_about_a_parcel_that_is_gone_is_unknown(server, answer, platform, ref, writes, soon):
    """A parcel that is not shown after a good answer is one of which nothing is known."""
    server.plays(answer.reply(), answer.reply({"order": answer.body(answer.parcel(id=1))}))
    with pytest.raises(OutcomeUnknown):
        platform.write(ref, writes["ship"], not_later_than=soon)


@pytest.mark.parametrize("status", [400, 405, 410, 415])
def test_any_other_no_is_a_refusal_at_once(server, answer, platform, ref, writes, soon, status):
    """What says nothing of the parcel's state is refused without a look at it."""
    server.plays(answer.no(status=status))
    with pytest.raises(Refused) as caught:
        platform.write(ref, writes["ship"], not_later_than=soon)
    assert (status, [action("ship")]) == (caught.value.http_status, server.paths)


def test_a_refusal_says_why(server, answer, platform, ref, writes, soon):
    """The sentence of a refusal has Sapo's words, without anything that could be personal."""
    server.plays(answer.no("đơn của Nguyen Van A, 0901 234 567", about="status"), answer.order())
    with pytest.raises(Refused) as caught:
        platform.write(ref, writes["cancel"], not_later_than=soon)
    assert ("HTTP 422: status: đơn của … …", 422) == (
        caught.value.reason,
        caught.value.http_status,
    )


UNKNOWN = {
    "lost": lambda answer: answer.hang_up,
    "broken off": lambda answer: answer.break_off,
    "server error": lambda answer: answer.no(status=500),
    "bad gateway": lambda answer: answer.reply(PAGE, status=502),
    "moved": lambda answer: answer.reply(status=302, Location="/x"),
    "timed out there": lambda answer: answer.no(status=408),
    "page": lambda answer: answer.reply(PAGE),
    "page with 401": lambda answer: answer.reply(PAGE, status=401),
    "page with 403": lambda answer: answer.reply(PAGE, status=403),
    "page with 404": lambda answer: answer.reply(PAGE, status=404),
    "page with 422": lambda answer: answer.reply(PAGE, status=422),
    "page with 503": lambda answer: answer.reply(PAGE, status=503),
    "page by its type": lambda answer: answer.reply(b"x", status=403, Content_Type="text/html"),
    "no JSON": lambda answer: answer.reply(b"OK"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_says_neither_yes_nor_no_is_unknown(server, answer, platform, ref, writes, soon, kind):
    """An answer that is none, or not Sapo's, leaves it open, and nothing is sent again."""
    server.plays(UNKNOWN[kind](answer))
    with pytest.raises(OutcomeUnknown) as caught:
        platform.write(ref, writes["ship"], not_later_than=soon)
    assert [action("ship")] == server.paths
    assert "Nguyen" not in str(caught.value)


UNREAD = {
    "lost": lambda answer: answer.hang_up,
    "refused": lambda answer: answer.no(status=400),
    "not there": lambda answer: answer.error(status=404),
    "denied": lambda answer: answer.error(status=401),
    "busy": lambda answer: answer.reply(status=429),
    "server error": lambda answer: answer.error(status=503),
    "page": lambda answer: answer.reply(PAGE),
    "empty": lambda answer: answer.reply(),
    "an error with 200": lambda answer: answer.error(status=200),
    "odd": lambda answer: answer.order("odd"),
    "another": lambda answer: answer.order(id=7),
    "nameless": lambda answer: answer.reply({"order": answer.body(id=None)}),
    "no parcels": lambda answer: answer.reply({"order": answer.body()}),
    "twice": lambda answer: answer.reply({"order": answer.body(*[answer.parcel()] * 2)}),
}


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("said", ["reply", "no"])
def test_an_action_that_cannot_be_read_back_is_unknown(
    server, answer, platform, ref, writes, soon, said, kind
):
    """After a yes or a no, a parcel that cannot be read is one of which nothing is known."""
    trouble = UNREAD[kind](answer)
    server.plays(getattr(answer, said)(), trouble, trouble)
    with pytest.raises(OutcomeUnknown):
        platform.write(ref, writes["ship"], not_later_than=soon)
    assert 1 == server.paths.count(action("ship"))


def test_a_stop_while_reading_back_leaves_it_unknown(
    server, answer, make_platform, ref, writes, soon
):
    """Whoever stops the work after the action left does not make it unsent."""

    def stop():
        raise Interrupted

    server.plays(answer.reply(), answer.stay_silent)
    with pytest.raises(OutcomeUnknown):
        make_platform(idle=stop).write(ref, writes["ship"], not_later_than=soon)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_may_not_act(server, answer, platform, ref, writes, soon, status):
    """401 and 403 in Sapo's own words are about the token, and nothing is read after them."""
    server.plays(answer.error("Invalid scope", status=status))
    with pytest.raises(AccessDenied, match="HTTP") as caught:
        platform.write(ref, writes["ship"], not_later_than=soon)
    assert (status, [action("ship")]) == (caught.value.http_status, server.paths)


@pytest.mark.parametrize("body", [b"", PAGE])
def test_a_pause_means_not_sent(server, answer, platform, ref, writes, soon, budget, body):
    """A 429 turned the action away at the door, whoever says so, and the budget pauses."""
    server.plays(answer.reply(body, status=429, Retry_After="7"))
    with pytest.raises(NotSent):
        platform.write(ref, writes["ship"], not_later_than=soon)
    assert ([action("ship")], [7.0]) == (server.paths, budget.pauses)


def test_nothing_leaves_too_late(server, platform, ref, writes):
    """After its deadline an action is not sent at all."""
    with pytest.raises(NotSent):
        platform.write(ref, writes["ship"], not_later_than=START - timedelta(seconds=1))
    assert [] == server.paths


def test_a_host_that_is_not_there_was_told_nothing(make_platform, ref, writes, soon):
    """Where no connection can be made, the action certainly had no effect."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(NotSent):
        make_platform(base_url=url).write(ref, writes["ship"], not_later_than=soon)


@pytest.mark.parametrize("text", ["", " ", "../1", "1/2", "1?x", "abc", "1" * 21])
def test_nothing_but_a_number_gets_into_an_address(server, platform, writes, soon, text):
    """An action at what can be no parcel leaves no request."""
    for order_id, parcel_id in ((text, PARCEL_ID), (ORDER_ID, text)):
        ref = FulfillmentRef(shop="s1", order_id=order_id, fulfillment_id=parcel_id)
        with pytest.raises(Refused):
            platform.write(ref, writes["ship"], not_later_than=soon)
        with pytest.raises(InvalidInput):
            platform.sketch(ref, writes["ship"])
    assert [] == server.paths


@pytest.mark.parametrize("changes", [{"name": "finalize"}, {"to": S.RETURN}])
def test_nothing_else_can_be_told(server, platform, ref, writes, soon, changes):
    """Any other write is refused before it is sent."""
    with pytest.raises(Refused, match="no way"):
        platform.write(ref, replace(writes["ship"], **changes), not_later_than=soon)
    assert [] == server.paths


@pytest.mark.parametrize("name", DONE)
def test_a_person_can_repeat_an_action(server, platform, ref, writes, name):
    """The sketch of an action is its method and its address, without the token."""
    method, path = action(DONE[name][1])
    expected = RequestSketch(method=method, url=server.url + path)
    assert expected == platform.sketch(ref, writes[name])


def test_addresses_may_be_bare(server, answer, make_platform, ref, writes, soon):
    """Without the ending that integrations use, addresses are as the document prints them."""
    server.plays(answer.reply(), answer.order("fulfilled"))
    make_platform(json_suffix=False).write(ref, writes["ship"], not_later_than=soon)
    assert [
        f"/admin/orders/{ORDER_ID}/fulfillments/{PARCEL_ID}/ship",
        f"/admin/orders/{ORDER_ID}",
    ] == [path for _, path in server.paths]


def test_the_budget_is_asked_before_an_action(make_platform, budget):
    """Waiting for room counts one request, and gets the token of that moment."""
    tokens = []

    def token():
        tokens.append(TOKEN)
        return TOKEN

    make_platform(token=token).wait_for_room()

    assert (1, [TOKEN]) == (budget.spent, tokens)


@pytest.mark.parametrize("base_url", ["http://x.mysapogo.com", "", "https://u:secret@x.example"])
def test_a_base_url_that_would_leak_or_fail(make_platform, base_url):
    """Only https roots are accepted, and http for this machine alone; there is no default."""
    with pytest.raises(ConfigurationError, match="base URL") as caught:
        make_platform(base_url=base_url)
    assert "secret" not in str(caught.value)
