from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.http_client import Outgoing
from carrierflow.sandbox.refusals import NoAnswer


@pytest.fixture
def deliver(onflow):
    """Send what is due and return how many were tried."""
    return onflow.hook_sender.deliver


def test_each_stage_is_told(world, deliver, receiver, cancel):
    """A webhook names the shipment and its number, at the secret address, and is not signed."""
    code = world.add_shipment(account="alpha", reference="M-1").tracking_code
    world.pick(code)
    cancel(code)

    assert 3 == deliver()

    first = receiver.heard[0]
    assert [100, 200, 450] == receiver.statuses()
    assert ("POST", "https://us.example/h/s3cret", {"Content-Type": "application/json"}) == (
        first.method,
        first.url,
        first.headers,
    )
    assert (code, "M-1", 1767600000) == tuple(
        json.loads(first.body)[name]
        for name in ("tracking_code", "merchant_tracking_code_reference", "status_update_time")
    )
    assert 3 == len({json.loads(each.body)["instance_id"] for each in receiver.heard})


def test_an_account_without_an_address_hears_nothing(world, deliver):
    """Whoever gave no address has no webhooks."""
    world.add_account(code="beta", token="token-beta")
    world.add_shipment(account="beta")

    assert 0 == deliver()


def test_a_failure_is_tried_again(world, deliver, receiver, clock):
    """After a pause, until a 2xx comes or the tries are used up."""
    world.add_shipment(account="alpha")
    receiver.says = [500, 302] + [503] * 10

    tried = [(deliver(), clock.advance(60))[0] for _ in range(8)]

    assert [1, 1, 1, 1, 1, 0, 0, 0] == tried


def test_nobody_at_home_is_a_failure_too(world, onflow, clock):
    """A refused connection is tried again like a bad answer."""

    def nobody(_call: Outgoing):
        raise NoAnswer("Nobody is there.")

    world.add_shipment(account="alpha")
    onflow.hook_sender._send = nobody

    assert [1, 0] == [onflow.hook_sender.deliver(), onflow.hook_sender.deliver()]
    clock.advance(60)
    assert 1 == onflow.hook_sender.deliver()


@pytest.mark.parametrize(
    ("kind", "at_once", "a_minute_later"),
    [
        ("call_lost", [200], []),
        ("call_doubled", [100, 100, 200], []),
        ("call_reply_lost", [100, 200], [100]),
        ("call_late", [200], [100]),
        ("call_reordered", [200, 100], []),
        ("call_unsigned", [100, 200], []),
        ("call_missigned", [100, 200], []),
    ],
)
def test_webhooks_have_faults(
    kind, at_once, a_minute_later, world, deliver, receiver, script, clock
):
    """They get lost, doubled, late and overtaken; no signature can be missing where none is."""
    script(kind, seconds=30)
    code = world.add_shipment(account="alpha").tracking_code
    world.pick(code)

    deliver()
    heard = len(receiver.heard)
    clock.advance(60)
    deliver()

    assert at_once == receiver.statuses()[:heard]
    assert a_minute_later == receiver.statuses()[heard:]
