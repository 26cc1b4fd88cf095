"""The seller's page in a real browser, against a carrier that answers on a port."""

from __future__ import annotations

import pytest
from chromium import Page, chromium
from selenium.webdriver.common.by import By

from carrierflow.sandbox.haravan import SandboxServer

from .carrier import FakeCarrier, bad, listening


pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A Chromium without a window."""
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def carrier():
    """A carrier that agrees to everything."""
    return FakeCarrier()


@pytest.fixture
def page(browser, world, carrier):
    """The page of a shop with that carrier."""
    with listening(carrier) as root, SandboxServer(world) as server:
        fields = {
            "name": "Giao Thử",
            "get_shipping_rates_url": f"{root}/rates",
            "create_order_url": f"{root}/create",
            "get_order_detail_url": f"{root}/detail",
            "cancel_order_url": f"{root}/cancel",
        }
        world.shop("alpha").services.register(fields, world.now())
        browser.get(f"{server.url}/seller?shop=alpha")
        yield Page(browser)
        browser.get("about:blank")


def ship(page):
    page.press("Make an order")
    page.sees("#100001")
    page.press("Ship")
    page.sees("Giao nhanh")
    page.browser.find_element(By.ID, "ship").click()
    page.sees("The carrier took the parcel as CF-1")


def only_parcel(world):
    (parcel,) = world.shop("alpha").parcels()
    return parcel


def test_a_person_ships_watches_and_cancels(page, world, carrier):
    """A person makes an order, ships it, watches it move, is refused a cancel, then granted it."""
    ship(page)
    page.sees("Chờ lấy hàng")

    world.edit(only_parcel(world).ref, carrier_status="picking")
    page.sees("Đang đi lấy")

    carrier.says["/cancel"] = bad("Đã lấy hàng, không thể hủy")
    page.press("Cancel parcel")
    page.sees("Đã lấy hàng, không thể hủy")
    assert "picking" == only_parcel(world).carrier_status

    carrier.says["/cancel"] = FakeCarrier().says["/cancel"]
    page.press("Cancel parcel")
    page.sees("the carrier agreed, the parcel is cancelled")
    page.sees("Hủy giao hàng")
    assert [] == [said for said in page.browser.get_log("browser") if said["source"] != "network"]


def test_a_person_sees_the_calls(page, carrier):
    """The calls to the carrier are listed, and show both sides when opened."""
    ship(page)

    summary = page.browser.find_element(By.XPATH, "//summary[contains(., 'create')]")
    summary.click()

    page.sees("external_code")
    page.sees("tracking_number")


def test_a_person_uninstalls(page, world):
    """An uninstall asks back once, and then the app is gone."""
    page.press("Uninstall the app")
    page.browser.switch_to.alert.accept()

    page.sees("not installed")
    assert world.shop_of("token-alpha") is None


def test_what_people_type_is_never_markup(page, world):
    """A tracking number that looks like markup is shown as text."""
    world.add_parcel(shop="alpha", tracking_number="<img src=x onerror=alert(1)>")

    page.sees("<img src=x onerror=alert(1)>")
    assert [] == page.browser.find_elements(By.CSS_SELECTOR, "main img")


def test_everything_has_a_name(page):
    """Every control has a label that can be read aloud."""
    page.press("Make an order")
    page.sees("#100001")
    nameless = page.browser.execute_script(
        "return [...document.querySelectorAll('input, select')].filter((e) => !e.labels.length)"
        ".concat([...document.querySelectorAll('button, a')].filter((e) => !e.textContent.trim()))"
        ".map((e) => e.outerHTML)"
    )
    assert [] == nameless


def test_focus_survives_a_redraw(page, world):
    """A button keeps the focus when its card is drawn anew."""
    ship(page)
    button = page.browser.find_element(By.XPATH, "//button[.='Cancel parcel']")
    page.browser.execute_script("arguments[0].focus()", button)

    world.edit(only_parcel(world).ref, carrier_status="delivering")
    page.sees("Đang giao hàng")

    assert "Cancel parcel" == page.browser.switch_to.active_element.text


def test_a_person_is_told_of_a_carrier_that_says_nothing(page, carrier, world):
    """A carrier that does not answer leaves a parcel to be handed over again."""
    answer, carrier.says["/create"] = carrier.says["/create"], bad("", status=503)
    page.press("Make an order")
    page.sees("#100001")
    page.press("Ship")
    page.sees("Giao nhanh")
    page.browser.find_element(By.ID, "ship").click()
    page.sees("answered with the status 503")
    page.press("Not now")

    carrier.says["/create"] = answer
    page.press("Hand over again")

    page.sees("The carrier took the parcel as CF-1")
    assert "CF-1" == only_parcel(world).tracking_number
