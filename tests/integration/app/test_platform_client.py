"""A client for an embedder: from an application, with the shop's token, budget and limits."""

from __future__ import annotations

import pytest
from carrier import carrying

import carrierflow
from carrierflow import (
    FulfillmentFilter,
    NewFulfillment,
    NotThere,
    OutcomeUnknown,
    Refused,
    ShopRevoked,
    Throttled,
    UnknownShop,
    UnsupportedByPlatform,
)
from carrierflow.platforms import haravan
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule


@pytest.fixture
def carrier(tmp_path):
    """A carrier with one shop."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", get_retries=1) as made:
        made.connect("alpha")
        yield made


@pytest.fixture
def client(carrier):
    """A client of that shop."""
    with carrier.app.platform_client("alpha") as made:
        yield made


@pytest.fixture
def order_id(carrier):
    """An order without a fulfillment."""
    return str(carrier.world.add_order(shop="alpha", total=250_000).id)


def asked(carrier):
    """Return the requests that reached the platform, oldest first."""
    return [(each.method, each.path) for each in carrier.world.recorder.exchanges]


def test_it_is_one_class_by_either_name(client):
    """What the application hands out is what the platform's room exports."""
    assert isinstance(client, carrierflow.Client)
    assert carrierflow.Client is haravan.Client


def test_a_parcel_is_created_read_and_given_another_number(client, order_id):
    """Each call shows what the one before it did."""
    wanted = NewFulfillment(tracking_number="CF-1", cod_amount=90_000, notify_customer=True)
    made = client.create_fulfillment(order_id, wanted)
    ref = made.ref
    changed = client.update_fulfillment(order_id, ref.fulfillment_id, tracking_number="CF-2")
    read = client.fulfillment(order_id, ref.fulfillment_id)
    (listed,) = client.fulfillments(order_id).fulfillments

    assert ("alpha", order_id, 1) == (ref.shop, ref.order_id, client.count_fulfillments(order_id))
    assert ("CF-1", 90_000, "readytopick", "codpending") == (
        made.tracking_number,
        made.cod_amount,
        made.carrier.status,
        made.cod.status,
    )
    assert ["CF-2"] * 3 == [one.tracking_number for one in (changed, read, listed)]
    assert {ref} == {one.ref for one in (changed, read, listed)}


def test_orders_show_what_was_created(client, order_id):
    """By id, by when they changed, and alone."""
    made = client.create_fulfillment(order_id)

    found = [*client.orders([order_id]), *client.orders_changed(made.updated_at)]

    assert [[made.ref]] * 3 == [
        [one.ref for one in order.fulfillments] for order in (*found, client.order(order_id))
    ]


def test_lists_are_filtered_and_paged(carrier, client, order_id):
    """What is asked for comes, and nothing else."""
    made = []
    for _ in range(4):
        made.append(client.create_fulfillment(order_id))
        carrier.clock.advance(60)
    ids = [one.ref.fulfillment_id for one in made]

    def listed(**chosen):
        found = client.fulfillments(order_id, FulfillmentFilter(**chosen)).fulfillments
        return [ids.index(one.ref.fulfillment_id) for one in found]

    assert [0, 1, 2, 3] == listed()
    assert [1, 3] == listed(ids=(ids[1], ids[3], "17"))
    assert [2, 3] == listed(since_id=ids[1])
    assert ([0, 1, 2], [3]) == (listed(limit=3), listed(limit=3, page=2))
    assert [2, 3] == listed(created_at_min=made[2].created_at)
    assert [0, 1] == listed(updated_at_max=made[1].updated_at)


def test_an_unknown_outcome_is_told_and_nothing_is_sent_again(carrier, client, order_id):
    """The parcel is there once, and is found by reading."""
    lost = Rule(fault=Fault(kind=FaultKind.LOST_REPLY), method="POST", times=1)
    carrier.server.haravan.faults.add(lost)

    with pytest.raises(OutcomeUnknown):
        client.create_fulfillment(order_id, NewFulfillment(tracking_number="CF-1"))

    assert ["POST"] == [method for method, _ in asked(carrier)]
    (found,) = client.fulfillments(order_id).fulfillments
    assert "CF-1" == found.tracking_number


def test_what_is_not_there_is_said(carrier, client, order_id):
    """A read of nothing is `NotThere`; a write to nothing is refused."""
    for read in (client.count_fulfillments, client.fulfillments, client.order):
        with pytest.raises(NotThere):
            read("17")
    with pytest.raises(NotThere):
        client.fulfillment(order_id, "17")
    with pytest.raises(Refused) as caught:
        client.create_fulfillment("17")
    assert 404 == caught.value.http_status
    carrier.world.cancel_order("alpha", int(order_id))
    with pytest.raises(Refused):
        client.create_fulfillment(order_id)


def test_it_spends_what_runs_spend(carrier, client, order_id):
    """Requests of the client are in the budget of the shop, and stop where that ends."""
    before = carrier.app.backlogs()[0].budget_used
    for _ in range(5):
        client.count_fulfillments(order_id)
    assert before + 4 <= carrier.app.backlogs()[0].budget_used

    carrier.app.shops.change("alpha", choices={"rate_bucket": "13", "rate_leak": "0.001"})
    with carrier.app.platform_client("alpha") as narrow:
        narrow.count_fulfillments(order_id)
        sent = len(asked(carrier))
        with pytest.raises(Throttled):
            narrow.create_fulfillment(order_id)
    assert sent == len(asked(carrier))


@pytest.mark.parametrize("platform", ["sapo", "onflow"])
def test_other_platforms_have_none(carrier, platform):
    """They say so before anything is asked."""
    carrier.app.shops.add("beta", platform=platform, token="t", base_url=carrier.server.url)

    with pytest.raises(UnsupportedByPlatform, match="from a program"):
        carrier.app.platform_client("beta")


def test_a_shop_that_is_not_connected_has_none(carrier):
    """An unknown shop, and one whose token is gone."""
    carrier.app.shops.revoke("alpha")
    with pytest.raises(ShopRevoked):
        carrier.app.platform_client("alpha")
    with pytest.raises(UnknownShop):
        carrier.app.platform_client("nowhere")
