from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.domain.model import FulfillmentRef, RemoteWord, Status, Unreadable
from carrierflow.errors import (
    AccessDenied,
    Interrupted,
    InvalidInput,
    PlatformUnavailable,
    ReadRefused,
    Throttled,
    UnsupportedByPlatform,
)
from carrierflow.platforms.onflow import ShipmentPaths

from .conftest import CODE, DETAIL, START, TOKEN


OTHER = "OASC0000000002"
UNUSABLE = ["", " ", "OASC 1", "../OASC1", "OASC/1", "x" * 65]


def test_a_shipment_is_read_at_its_own_address(server, answer, platform, ref, budget):
    """One GET with the bare token reads a shipment, as a fulfillment and as its own order."""
    server.plays(answer.detail(), answer.detail())

    seen, order = platform.fulfillment(ref), platform.order(CODE)

    assert [DETAIL, DETAIL] == server.paths
    assert {TOKEN} == {headers["Authorization"] for _, _, headers in server.received}
    assert RemoteWord(raw="300", status=Status.DELIVERING) == seen.carrier
    assert (ref, START, START) == (seen.ref, seen.asked_at, seen.seen_at)
    assert (CODE, (seen,), ()) == (order.order_id, order.fulfillments, order.unreadable)
    assert (2, 2, 0) == (budget.spent, platform.requests.get, platform.requests.put)


def test_several_shipments_cost_a_request_each(server, answer, platform):
    """Each code is asked for once, in the order given, however often it was named."""
    server.plays(answer.detail(OTHER), answer.packed())

    orders = platform.orders([OTHER, CODE, OTHER])

    assert [OTHER, CODE] == [order.order_id for order in orders]
    assert [Status.DELIVERING, Status.READYTOPICK] == [
        order.fulfillments[0].carrier.status for order in orders
    ]


def test_what_is_no_code_is_never_asked_for(server, answer, platform):
    """Empty, blank and otherwise unusable codes leave no request, and nothing is said of them."""
    server.plays(answer.detail())

    assert [CODE] == [order.order_id for order in platform.orders([*UNUSABLE, CODE])]
    assert [None] * 6 == [platform.order(code) for code in UNUSABLE]
    for code in UNUSABLE:
        ref = FulfillmentRef(shop="w1", order_id=code, fulfillment_id=code)
        assert platform.fulfillment(ref) is None
    mixed = FulfillmentRef(shop="w1", order_id=OTHER, fulfillment_id=CODE)
    assert platform.fulfillment(mixed) is None
    assert [DETAIL] == server.paths


@pytest.mark.parametrize("codes", [[], [f"OASC{n}" for n in range(51)]])
def test_no_codes_or_too_many_are_a_mistake(server, platform, codes):
    """One to fifty shipments are asked for at a time."""
    with pytest.raises(InvalidInput, match="1 to 50"):
        platform.orders(codes)
    assert [] == server.paths


def test_changes_are_not_listed(server, platform):
    """No way of listing is documented, so none is tried, and nobody takes it for no change."""
    for page in (1, 2):
        with pytest.raises(UnsupportedByPlatform, match="Onflow has no list of what changed; it"):
            platform.orders_changed(datetime(2026, 3, 1, tzinfo=UTC), page=page)
    assert [] == server.paths


def test_addresses_are_configurable(server, answer, make_platform, ref):
    """Where the documents have moved on, another template is all that it takes."""
    server.plays(answer.detail())
    paths = ShipmentPaths(detail="/v1/shipments/b2c/{tracking_code}/detail")

    make_platform(paths=paths).fulfillment(ref)

    assert [("GET", f"/v1/shipments/b2c/{CODE}/detail")] == server.paths


def test_an_error_in_a_good_status_is_a_refusal(server, answer, platform, ref):
    """A 200 whose flag says error is told with its code and log id, and is not asked again."""
    said = "shipment of Nguyen Van A, 0901 234 567, is closed"
    server.plays(answer.no(said, error_code=4001, log_id="66f-1a"))

    with pytest.raises(ReadRefused) as caught:
        platform.fulfillment(ref)

    assert str(caught.value) == (
        "The platform cannot be read now: HTTP 200: shipment of … …, is closed "
        "(error_code 4001, log_id 66f-1a)."
    )
    assert 1 == len(server.paths)


def test_a_refused_shipment_hides_no_other(server, answer, platform):
    """Of several shipments, one that is refused or not there is left out alone."""
    server.plays(answer.no(), answer.reply(status=404), answer.detail())
    codes = ["OASC0000000003", OTHER, CODE]
    assert [CODE] == [order.order_id for order in platform.orders(codes)]


def test_an_account_that_shows_nothing_is_given_up(server, answer, platform):
    """Where nothing was ever answered, five refusals are enough."""
    server.plays(*[answer.no()] * 5)
    with pytest.raises(ReadRefused):
        platform.orders([f"OASC{number}" for number in range(50)])
    assert 5 == len(server.paths)


def test_an_account_that_shows_something_is_not_given_up(server, answer, platform):
    """Once a shipment was read, any number of refusals are about the shipments refused."""
    server.plays(answer.detail(), *[answer.no()] * 9)
    assert [CODE] == [
        order.order_id for order in platform.orders([CODE, *(f"OASC{n}" for n in range(9))])
    ]


MISSING = {
    "HTTP 404": lambda answer: answer.reply(status=404),
    "envelope with 404": lambda answer: answer.no(status=404, error_code="NOT_FOUND"),
    "envelope": lambda answer: answer.no(error_code="NOT_FOUND"),
}


@pytest.mark.parametrize("kind", MISSING)
def test_not_found_is_believed_only_where_something_was_answered(
    server, answer, platform, ref, kind
):
    """It may be anybody's word until a shipment was read; then it means that there is none."""
    server.plays(MISSING[kind](answer), answer.detail(), MISSING[kind](answer))

    with pytest.raises(ReadRefused):
        platform.fulfillment(ref)
    platform.fulfillment(ref)
    assert platform.fulfillment(ref) is None


@pytest.mark.parametrize("kind", MISSING)
def test_an_order_that_is_not_found_is_none(server, answer, platform, kind):
    """Not found is an answer to the question for an order, with either status."""
    server.plays(MISSING[kind](answer))
    assert platform.order(CODE) is None


def test_one_odd_shipment_is_one_odd_row(server, answer, platform, ref):
    """A shipment that cannot be read comes as such, beside others that can."""
    odd = answer.detail(status_info={"value": "300"})
    server.plays(odd, odd, answer.detail(OTHER))

    assert isinstance(platform.fulfillment(ref), Unreadable)
    first, second = platform.orders([CODE, OTHER])

    assert ((), CODE) == (first.fulfillments, first.unreadable[0].fulfillment_id)
    assert () == second.unreadable


def test_the_detail_of_another_shipment_is_no_answer(server, answer, platform, ref):
    """A reply about another shipment is asked for again, and then given up."""
    server.plays(answer.detail(OTHER), answer.detail(OTHER))
    with pytest.raises(PlatformUnavailable, match="another shipment"):
        platform.fulfillment(ref)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_accepted(server, answer, platform, ref, status):
    """401 and 403 in Onflow's own words are about the token."""
    server.plays(answer.no("token expired", status=status, log_id="66f-1a"))
    with pytest.raises(AccessDenied, match=r"token expired \(log_id 66f-1a\)") as caught:
        platform.fulfillment(ref)
    assert status == caught.value.http_status


def test_a_token_may_be_refused_in_a_good_status(server, answer, platform):
    """The documented code of an invalid token stops the account, though the status says 200."""
    server.plays(answer.no("Invalid access token", error_code="UNAUTHORIZED"))
    with pytest.raises(AccessDenied, match="Invalid access token"):
        platform.orders([CODE])


UNAVAILABLE = {
    "lost": lambda answer: answer.hang_up,
    "broken off": lambda answer: answer.break_off,
    "server error": lambda answer: answer.no("down", status=502),
    "page": lambda answer: answer.reply(b"<html>Nguyen</html>"),
    "page with 403": lambda answer: answer.reply(b"<html>Nguyen</html>", status=403),
    "page with 404": lambda answer: answer.reply(b"<html>Nguyen</html>", status=404),
    "empty": lambda answer: answer.reply(),
    "no flag": lambda answer: answer.envelope({}, error=None),
    "no data": lambda answer: answer.envelope(None),
}


@pytest.mark.parametrize("kind", UNAVAILABLE)
def test_what_is_no_answer_is_asked_again(server, answer, platform, ref, naps, kind):
    """Trouble on the way is tried again, and is then no word about the shipment."""
    trouble = UNAVAILABLE[kind](answer)
    server.plays(trouble, trouble, trouble, answer.detail())

    with pytest.raises(PlatformUnavailable) as caught:
        platform.fulfillment(ref)

    assert not isinstance(caught.value, ReadRefused)
    assert "Nguyen" not in str(caught.value)
    assert 1 == len(naps)
    assert ref == platform.fulfillment(ref).ref


def test_a_pause_is_kept(server, answer, platform, ref, budget):
    """A 429 pauses the account's budget for as long as it asks for."""
    busy = answer.reply(status=429, Retry_After="7")
    server.plays(busy, busy)
    with pytest.raises(Throttled):
        platform.fulfillment(ref)
    assert [7.0, 7.0] == budget.pauses


def test_a_read_may_be_given_up(server, answer, make_platform, ref):
    """Whoever asks the work to stop does not wait for a slow answer."""

    def stop():
        raise Interrupted

    server.plays(answer.stay_silent)
    with pytest.raises(Interrupted):
        make_platform(idle=stop).fulfillment(ref)


def test_every_shipment_is_ours_and_the_budget_is_the_accounts(server, answer, platform, ref):
    """An account shows its own shipments alone; its budget says what there is room for."""
    server.plays(answer.detail())
    assert platform.is_ours(platform.fulfillment(ref))
    assert 3 == platform.room(3.0)
