from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from carrierflow.domain.model import Status
from carrierflow.errors import AccessDenied, InvalidInput, PlatformUnavailable, Throttled
from carrierflow.platforms.haravan import HttpLimits


NOBODY = {"orders": []}
SINCE = datetime(2026, 3, 1, 1, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(name="page")
def _page(payload):
    """A page that holds one order with one fulfillment."""
    return {"orders": [json.loads(payload("order_cancelled_with_fulfillment"))["order"]]}


def ask(platform):
    """Ask something that takes one request."""
    return platform.orders_changed(SINCE)


def query(server, index=0):
    """Return the path and the query of a request received."""
    parts = urlsplit(server.received[index][1])
    return parts.path, {name: value for name, (value,) in parse_qs(parts.query).items()}


def test_orders_are_read_in_one_request(server, answer, platform, page, clock, budget):
    """Orders are asked for by id in any state, with no field more than is needed."""
    clock.step = timedelta(milliseconds=1)
    server.plays(answer.reply(page), answer.reply(status=404))

    (order,) = platform.orders(["1235748629", "77"])

    assert query(server) == (
        "/com/orders.json",
        {
            "ids": "1235748629,77",
            "status": "any",
            "limit": "50",
            "fields": "id,updated_at,cancelled_at,fulfillment_status,fulfillments",
        },
    )
    (seen,) = order.fulfillments
    assert ("1235748629", Status.CANCEL) == (order.order_id, seen.carrier.status)
    assert (timedelta(milliseconds=1), "orders") == (seen.seen_at - seen.asked_at, seen.source)
    assert (2, 2, 0) == (budget.spent, platform.requests.get, platform.requests.put)
    assert ("GET", "/com/orders/77/fulfillments.json?limit=50") == server.paths[1]


@pytest.mark.parametrize("ids", [[], [str(number) for number in range(51)]])
def test_a_question_that_haravan_would_misread_is_not_asked(server, platform, ids):
    """No ids or more than fifty are refused here: the answer would be arbitrary."""
    with pytest.raises(InvalidInput):
        platform.orders(ids)
    assert [] == server.received


def test_an_impossible_id_spoils_no_question(server, answer, platform):
    """An id that Haravan cannot have is simply not there, and the others are asked for."""
    server.plays(answer.reply(NOBODY), answer.reply(status=404))

    assert () == platform.orders(["", "#1001"])
    assert platform.order("../1") is None
    assert [] == server.received
    assert () == platform.orders(["", "1,2", "7"])
    assert "7" == query(server)[1]["ids"]


def test_the_same_id_twice_is_one(server, answer, platform):
    """Fifty different ids fit, however often each is named."""
    server.plays(answer.reply(NOBODY), *[answer.reply(status=404)] * 50)
    assert () == platform.orders([str(number) for number in range(50)] * 2)


def test_changes_are_read_oldest_first(server, answer, platform, page):
    """The sweep asks for changes at or after a time, page by page, oldest first."""
    server.plays(answer.reply(page))

    assert 1 == len(platform.orders_changed(SINCE, page=3))
    assert query(server) == (
        "/com/orders.json",
        {
            "status": "any",
            "order": "updated_at asc",
            "updated_at_min": "2026-03-01T01:30:00.123Z",
            "page": "3",
            "limit": "50",
            "fields": "id,updated_at,cancelled_at,fulfillment_status,fulfillments",
        },
    )


def test_one_order_is_there_or_not(server, answer, platform, payload):
    """One order is read by its address, and 404 means that there is none."""
    server.plays(
        answer.reply(payload("order_cancelled_with_fulfillment")), answer.reply(status=404)
    )

    assert "1235748629" == platform.order("1235748629").order_id
    assert platform.order("1235748629") is None
    assert "/com/orders/1235748629.json" == query(server)[0]


def test_another_order_than_asked_for_is_not_believed(server, answer, make_platform, payload):
    """A reply about another order is no answer."""
    server.plays(answer.reply(payload("order_cancelled_with_fulfillment")))
    platform = make_platform(limits=HttpLimits(get_retries=0))
    with pytest.raises(PlatformUnavailable, match="another order"):
        platform.order("77")


@pytest.mark.parametrize(
    "step",
    [
        "hang_up",
        "break_off",
        "break_chunk",
        pytest.param(("reply", b"", {}), id="empty"),
        pytest.param(("reply", b"<html>", {}), id="html"),
        pytest.param(("reply", {"order": 1}, {}), id="shape"),
        pytest.param(("reply", b"", {"status": 422}), id="422"),
        pytest.param(("reply", b"", {"status": 500}), id="500"),
        pytest.param(("reply", b"", {"status": 503}), id="503"),
        pytest.param(("reply", b"", {"status": 429}), id="429"),
    ],
)
def test_reads_are_tried_again(server, answer, platform, budget, naps, step):
    """A read that met passing trouble is tried again, after a pause and within the budget."""
    trouble = getattr(answer, step) if isinstance(step, str) else answer.reply(step[1], **step[2])
    server.plays(trouble, trouble, answer.reply(NOBODY))

    assert () == ask(platform)

    assert (3, 3, [0.25, 0.5]) == (budget.spent, platform.requests.get, naps)


def test_reads_give_up(server, answer, platform, naps):
    """After the last retry the trouble is reported, and no sleep is wasted on it."""
    server.plays(*[answer.reply(status=502)] * 4)
    with pytest.raises(PlatformUnavailable, match="HTTP 502"):
        ask(platform)
    assert (4, [0.25, 0.5, 1.0]) == (len(server.received), naps)


def test_a_platform_that_keeps_asking_for_a_pause(server, answer, platform, budget):
    """A read that is throttled again and again says so; each pause is longer than the last."""
    server.plays(*[answer.reply(status=429, Retry_After="2.0")] * 4)
    with pytest.raises(Throttled) as caught:
        ask(platform)
    assert ([2.0, 2.0, 4.0, 8.0], 4) == (budget.pauses, platform.requests.throttled)
    assert 8.0 == caught.value.retry_after


@pytest.mark.parametrize(
    "header",
    ["3600", "1e9", "-5", "inf", "nan", "9" * 400, "0", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"],
)
def test_no_header_asks_for_more_than_the_longest_pause(server, answer, platform, budget, header):
    """However long a platform wants us to pause, it is obeyed within bounds."""
    server.plays(answer.reply(status=429, Retry_After=header), answer.reply(NOBODY))
    ask(platform)
    assert 1.0 <= budget.pauses[0] <= HttpLimits().longest_pause


def test_any_other_reply_ends_the_growth_of_pauses(server, answer, platform, budget):
    """Pauses grow only for refusals in a row."""
    throttled = answer.reply(status=429)
    server.plays(throttled, throttled, answer.reply(NOBODY), throttled, answer.reply(NOBODY))
    ask(platform)
    ask(platform)
    assert [1.0, 2.0, 1.0] == budget.pauses


@pytest.mark.parametrize("status", [301, 302, 400, 404, 405])
def test_a_clear_no_is_not_asked_again(server, answer, platform, status):
    """A refusal that no repetition mends ends a read at once, and no redirect is followed."""
    server.plays(answer.reply(status=status, Location=server.url + "/com/elsewhere.json"))
    with pytest.raises(PlatformUnavailable, match=str(status)):
        ask(platform)
    assert 1 == len(server.received)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_accepted(server, answer, platform, status):
    """A read with a token that is not accepted says so at once."""
    server.plays(answer.reply(status=status))
    with pytest.raises(AccessDenied):
        ask(platform)
    assert 1 == len(server.received)


@pytest.mark.parametrize("step", ["drip_body", "drip_headers", "stay_silent"])
def test_a_slow_reply_is_cut_off(server, answer, make_platform, step):
    """All of a reply together has one time limit, however steadily it trickles in."""
    platform = make_platform(limits=HttpLimits(request_timeout=0.2, get_retries=0))
    server.plays(getattr(answer, step))
    with pytest.raises(PlatformUnavailable):
        ask(platform)


def test_a_huge_reply_is_cut_off(server, answer, make_platform):
    """Of a reply of 50 MB no more is taken in than the limit and what the network holds."""
    platform = make_platform(limits=HttpLimits(get_retries=0))
    server.plays(answer.flood)
    with pytest.raises(PlatformUnavailable, match="larger than 8388608 bytes"):
        ask(platform)
    assert server.flooded < 30 * 1024 * 1024


def test_a_small_reply_that_unpacks_to_a_huge_one_is_cut_off(server, answer, make_platform):
    """The limit is on what a reply unpacks to."""
    platform = make_platform(limits=HttpLimits(get_retries=0))
    bomb = gzip.compress(b" " * 100_000_000, compresslevel=1)
    server.plays(answer.reply(bomb, Content_Encoding="gzip"))
    with pytest.raises(PlatformUnavailable, match="larger than"):
        ask(platform)


def test_a_huge_redirect_is_cut_off_too(server, answer, make_platform):
    """A redirect is not read further than any other reply."""
    platform = make_platform(limits=HttpLimits(get_retries=0, max_body=10_000))
    server.plays(answer.reply(b" " * 10_000_000, status=302, Location="http://["))
    with pytest.raises(PlatformUnavailable, match="302"):
        ask(platform)


@pytest.mark.parametrize(
    ("header", "used"), [("32/80", [32]), (" 80 / 80 ", [80]), ("many", []), ("-1/80", [])]
)
def test_the_call_limit_header_is_learnt(server, answer, platform, budget, header, used):
    """What the platform has counted goes to the budget, and nonsense does not."""
    server.plays(answer.reply(NOBODY, X_Haravan_Api_Call_Limit=header))
    ask(platform)
    assert used == budget.used


def test_cookies_are_not_sent_back(server, answer, platform):
    """No cookie that the platform sets is ever returned to it."""
    server.plays(answer.reply(NOBODY, Set_Cookie="tracker=1; Path=/"), answer.reply(NOBODY))
    ask(platform)
    ask(platform)
    assert "Cookie" not in server.received[1][2]


def test_the_environment_has_no_say(server, answer, platform, monkeypatch, tmp_path):
    """Neither a proxy nor a password file of the environment has any effect."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.plays(answer.reply(NOBODY))

    ask(platform)

    assert server.received[0][2]["Authorization"].startswith("Bearer ")


def test_connections_are_kept(server, answer, platform):
    """One connection serves one request after another."""
    server.plays(*[answer.reply(NOBODY)] * 3)
    for _ in range(3):
        ask(platform)
    assert 1 == server.connections


def test_three_threads_share_a_platform(server, answer, platform):
    """Threads never share a connection in use, and every request is counted once."""
    server.plays(*[answer.reply(NOBODY)] * 60)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: ask(platform), range(60)))
    assert (60, 60) == (platform.requests.get, len(server.received))
    assert server.connections <= 3


def test_shipments_of_this_carrier_are_known_by_its_code(server, answer, make_platform, page):
    """A fulfillment is ours if it names the carrier code that was configured."""
    server.plays(answer.reply(page))
    (order,) = make_platform().orders(["1235748629"])

    assert make_platform().is_ours(order.fulfillments[0])
    assert not make_platform(carrier_code="ghn2018").is_ours(order.fulfillments[0])
