from __future__ import annotations

import pytest

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.haravan import BadInput, LeakyBucket


def test_never_lets_more_pass_than_size_and_leak():
    """Over any span, at most the bucket's size plus what leaked in it passes, and it is exact."""
    bucket, now, passed = LeakyBucket(), 0, []
    for turn in range(5_000):
        now += turn * 7_919_777 % (TICKS_PER_SECOND // 3)
        while bucket.take(now):
            passed.append(now)

    for first in range(0, len(passed), 97):
        span = passed[-1] - passed[first]
        assert len(passed) - first <= 80 + span * 4 / TICKS_PER_SECOND
    assert 80 + (passed[-1] - passed[0]) * 4 // TICKS_PER_SECOND == len(passed)


def test_a_request_passes_at_the_very_tick():
    """A full bucket refuses one tick before a quarter of a second, and passes then."""
    bucket = LeakyBucket()
    assert all(bucket.take(0) for _ in range(80))

    assert not bucket.take(TICKS_PER_SECOND // 4 - 1)
    assert bucket.take(TICKS_PER_SECOND // 4)


@pytest.mark.parametrize(("size", "leak"), [(2, 1), (40, 2)])
def test_size_and_leak_are_options(size, leak):
    """Another size and another leak hold as well."""
    bucket = LeakyBucket(size=size, leak_per_second=leak)

    assert size == sum(bucket.take(0) for _ in range(100))
    assert leak == sum(bucket.take(TICKS_PER_SECOND) for _ in range(100))
    assert f"{size}/{size}" == bucket.header(TICKS_PER_SECOND)


@pytest.mark.parametrize("options", [{"size": 0}, {"leak_per_second": 0}])
def test_refuses_a_bucket_that_lets_nothing_pass(options):
    """A bucket without room or without a leak is a mistake."""
    with pytest.raises(ValueError, match="bucket"):
        LeakyBucket(**options)


def test_header_counts_and_429_tells_when(call, clock):
    """Each reply tells how full the bucket is; the 81st at once is refused with Retry-After."""
    replies = [call("GET", "/com/orders/count.json") for _ in range(81)]

    assert "1/80" == replies[0].headers["X-Haravan-Api-Call-Limit"]
    assert (200, "80/80") == (replies[79].status, replies[79].headers["X-Haravan-Api-Call-Limit"])
    assert (429, "80/80", "2.0") == (
        replies[80].status,
        replies[80].headers["X-Haravan-Api-Call-Limit"],
        replies[80].headers["Retry-After"],
    )
    clock.advance(2)
    later = call("GET", "/com/orders/count.json")
    assert (200, "73/80") == (later.status, later.headers["X-Haravan-Api-Call-Limit"])


def test_a_throttled_put_is_not_applied(world, call, read):
    """What the bucket refuses leaves no trace on the parcel."""
    ids = world.add_parcel(shop="alpha")
    for _ in range(80):
        call("GET", "/com/orders/count.json")

    refused = call("PUT", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}/carrier_status/picking.json")

    assert 429 == refused.status
    assert "readytopick" == read(ids).carrier_status


def test_buckets_belong_to_shops(world, call):
    """One shop's full bucket does not throttle another shop."""
    world.add_shop(code="beta", token="token-beta", bucket_size=3)

    statuses = [call("GET", "/com/orders/count.json", shop="beta").status for _ in range(4)]

    assert [200, 200, 200, 429] == statuses
    assert 200 == call("GET", "/com/orders/count.json").status


def test_tokens_are_checked(call):
    """A wrong token gets 401 and is told to use Bearer."""
    reply = call("GET", "/com/orders.json", shop="unknown")

    assert (401, "Bearer") == (reply.status, reply.headers["WWW-Authenticate"])


def test_replaced_tokens_stop_working(world, call):
    """After a shop gets another token, the old one opens nothing."""
    world.replace_token("alpha", "token-new")

    assert 401 == call("GET", "/com/orders.json").status
    assert 200 == call("GET", "/com/orders.json", shop="new").status


def test_tokens_belong_to_one_shop(world):
    """A token that opens one shop cannot be given to another."""
    world.add_shop(code="beta", token="token-beta")

    with pytest.raises(BadInput, match="token"):
        world.replace_token("beta", "token-alpha")


def test_a_read_only_token_may_not_write(world, call):
    """A token without the write scope reads, and gets 403 for a write."""
    world.add_shop(code="beta", token="token-beta", may_write=False)
    order_id, fulfillment_id = world.add_parcel(shop="beta")
    path = f"/com/orders/{order_id}/fulfillments/{fulfillment_id}"

    assert 200 == call("GET", f"{path}.json", shop="beta").status
    assert 403 == call("PUT", f"{path}/carrier_status/picking.json", shop="beta").status
