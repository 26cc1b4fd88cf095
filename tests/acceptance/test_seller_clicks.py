"""The whole way from a click to the ledger and back, in a real browser, between two processes.

`CARRIERFLOW_TEST_SCREENSHOT` names a file for the tutorial's picture of the seller's desk.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import Page, chromium
from selenium.webdriver.common.by import By

from .shop_traffic import SHOP, open_town


pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def town(tmp_path):
    """A Haravan whose shop has no app yet, a carrier, a seller and an operator."""
    with open_town(tmp_path) as town:
        yield town


@pytest.fixture
def page(town, tmp_path):
    """The seller's desk of that shop."""
    with chromium(tmp_path / "profile") as browser:
        browser.get(f"{town.seller.url}/seller")
        yield Page(browser)


def ship(page):
    page.press("Make an order")
    page.press("Ship")
    page.sees("Standard, 2 to 3 days")
    page.browser.find_element(By.ID, "ship").click()
    page.sees("The carrier took the parcel as CF")


def picture(page):
    """Keep a picture of the page where the environment says so."""
    name = os.environ.get("CARRIERFLOW_TEST_SCREENSHOT")
    if name:
        page.browser.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
        Path(name).write_bytes(page.browser.get_screenshot_as_png())


def test_a_person_leads_a_parcel_through_its_life(town, page):
    """Install, ship, watch, be refused, be granted, uninstall, come back: all of it by hand."""
    seller, operator = town.seller, town.operator
    page.sees("not installed")
    page.browser.get(operator.runs("shop", "install-url", SHOP, "--base-url", seller.url)["url"])
    page.sees("is connected")
    page.browser.get(f"{seller.url}/seller")
    page.sees("Giao Thử")

    ship(page)
    on_its_way = newest_parcel(seller)
    operator.records(on_its_way, "picking", "delivering")
    page.sees("Đang giao hàng")
    ship(page)
    in_time = newest_parcel(seller)

    press_within(page, on_its_way, "Cancel parcel")
    page.sees("The parcel can no longer be cancelled")
    picture(page)
    assert "delivering" == operator.shows(on_its_way)[0] == seller.statuses(on_its_way)[0]
    press_within(page, in_time, "Cancel parcel")
    page.sees("the carrier agreed, the parcel is cancelled")
    assert "cancel" == operator.shows(in_time)[0] == seller.statuses(in_time)[0]

    page.press("Uninstall the app")
    page.browser.switch_to.alert.accept()
    page.sees("not installed")
    page.browser.find_element(By.ID, "install").click()
    page.sees("is connected")
    (shop,) = operator.runs("shop", "list")["shops"]
    assert "active" == shop["state"]


def newest_parcel(seller):
    order = seller.state()["orders"][0]
    return {"order_id": order["id"], "fulfillment_id": order["parcels"][-1]["id"]}


def press_within(page, ids, text):
    parcel = page.browser.find_element(By.ID, f"parcel-{ids['fulfillment_id']}")
    parcel.find_element(By.XPATH, f".//button[.='{text}']").click()
