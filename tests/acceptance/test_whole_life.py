"""A shop's whole life, from install to uninstall, between two processes and over real sockets."""

from __future__ import annotations

import pytest
import requests

from .shop_traffic import PATIENCE, SHOP, open_town, until


pytestmark = pytest.mark.slow


@pytest.fixture
def town(tmp_path):
    """A Haravan, a carrier, a seller and an operator."""
    with open_town(tmp_path) as town:
        yield town


def install(town):
    """Let the owner follow the carrier's link, log in, agree twice, and come back."""
    link = town.operator.runs("shop", "install-url", SHOP, "--base-url", town.seller.url)["url"]
    page = requests.get(link, timeout=PATIENCE)
    assert 200 == page.status_code, page.text


def state_of_shop(town):
    (shop,) = town.operator.runs("shop", "list")["shops"]
    return shop["state"]


def test_a_shops_whole_life(town):
    """From a seller's click to the uninstall, both sides agree at every step."""
    seller, operator = town.seller, town.operator
    install(town)
    assert ["Giao Thử"] == seller.state()["shop"]["carriers"]
    seller.controls("challenge")

    parcel = seller.ships(cod=250_000)
    assert ("readytopick", "codpending") == operator.shows(parcel) == seller.statuses(parcel)

    operator.scans(parcel, "picking")
    operator.scans(parcel, "delivering")
    assert {"changed": 0} == seller.controls("poll")
    assert ("readytopick", "codpending") == seller.statuses(parcel)
    operator.publishes()
    operator.records(parcel, "notmeetcustomer", "delivering")
    assert {"changed": 0} == seller.controls("poll")
    assert ("delivering", "codpending") == seller.statuses(parcel)
    status, refusal = seller.does("cancel", **parcel)
    assert 422 == status
    assert refusal["errors"]
    assert ("delivering", "codpending") == operator.shows(parcel) == seller.statuses(parcel)

    operator.records(parcel, "delivered", "codreceipt")
    assert ("delivered", "codreceipt") == operator.shows(parcel) == seller.statuses(parcel)

    returned = seller.ships()
    operator.records(
        returned, "picking", "delivering", "notmeetcustomer", "waitingforreturn", "return"
    )
    assert ("return", "none") == operator.shows(returned) == seller.statuses(returned)

    cancelled = seller.ships(cod=99_000)
    assert (200, {"carrier_status": "cancel"}) == seller.does("cancel", **cancelled)
    assert ("cancel", "codpending") == operator.shows(cancelled) == seller.statuses(cancelled)

    judged = seller.controls("judge")
    assert ([], [], [], [], []) == tuple(
        judged[name]
        for name in (
            "illegal",
            "illegal_after_touch",
            "duplicates",
            "after_cancel",
            "illegal_polls",
        )
    )

    seller.does("uninstall")
    until(lambda: state_of_shop(town) == "revoked", what="the shop is revoked")
    assert ("delivered", "codreceipt") == operator.shows(parcel)
