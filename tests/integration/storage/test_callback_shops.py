"""Whose shops a platform's callbacks and webhooks are about, where others bear the same names."""

from __future__ import annotations

import pytest
from plain_runs import hints

from carrierflow.carrier_service.ports import WebhookDelivery
from carrierflow.carrier_service.shipments import Shipment
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.errors import UnknownShop
from carrierflow.storage.callbacks import SqlCallbackStore


PLATFORMS = ("haravan", "sapo")
NUMBER = "CF-77"


@pytest.fixture
def shops_by_platform(store, make_shop, ledger, clock):
    """A shop on each of two platforms, under one id there, with a parcel of the same names."""
    found = {name: make_shop(store, platform=name, org_id="1000") for name in PLATFORMS}
    for name, shop in found.items():
        ref = FulfillmentRef(shop=shop, order_id="1001", fulfillment_id="2001")
        parcel = ledger.open(Opening(ref=ref, tracking_number=NUMBER))
        shipment = Shipment(
            external_code="code",
            digest="d",
            tracking_number=NUMBER,
            tracking_url=None,
            shipping_fee=0,
            accepted_at=clock(),
        )
        its = SqlCallbackStore(store, platform=name)
        its.run_callback(lambda tx, s=shipment, p=parcel: tx.add_shipment(s, p))
    return found


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_webhook_is_about_the_shop_of_its_own_platform(store, shops_by_platform, clock, platform):
    """Of two shops with one id, that one is found, and its parcel alone is looked at next."""
    its = SqlCallbackStore(store, platform=platform)
    delivery = WebhookDelivery(
        digest=f"{platform} {shops_by_platform[platform]}",
        topic="orders/updated",
        org_id="1000",
        order_id="1001",
        received_at=clock(),
        ciphertext=b"x",
    )

    named = its.store_webhook(delivery, acted=False)

    ours = set(shops_by_platform.values())
    assert [shops_by_platform[platform]] == [code for code in named if code in ours]
    assert [shops_by_platform[platform]] == [c for c in its.shops_of("1000") if c in ours]
    assert {name: ["1001"] if name == platform else [] for name in PLATFORMS} == {
        name: [hint.order_id for hint in hints(store, code)]
        for name, code in shops_by_platform.items()
    }


LOOKS = {
    "by code": lambda tx, shop: tx.by_external_code(shop, "code"),
    "by number": lambda tx, shop: tx.by_tracking_number(shop, NUMBER),
    "by fulfillment": lambda tx, shop: tx.by_fulfillment(shop, "2001"),
    "already used": lambda tx, shop: tx.already_used(shop, "code", NUMBER),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_callback_finds_what_is_its_own_platform_s(store, shops_by_platform, platform, look):
    """Under the code of a shop elsewhere there is nothing, and no such shop."""
    its = SqlCallbackStore(store, platform=platform)

    found = {
        name: its.read(lambda tx, code=code: look(tx, code))
        for name, code in shops_by_platform.items()
    }

    assert [platform] == [name for name, it in found.items() if it is not None]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_callback_is_taken_for_no_shop_of_another_platform(store, shops_by_platform, platform):
    """It is answered as if nobody knew the code."""
    its = SqlCallbackStore(store, platform=platform)

    for name, code in shops_by_platform.items():
        if name == platform:
            its.read(lambda tx, code=code: tx.check_shop(code))
        else:
            with pytest.raises(UnknownShop):
                its.read(lambda tx, code=code: tx.check_shop(code))
