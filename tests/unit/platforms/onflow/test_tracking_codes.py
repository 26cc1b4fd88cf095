from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import ConfigurationError
from carrierflow.platforms.onflow import ShipmentPaths
from carrierflow.platforms.onflow.tracking_codes import is_shipment, is_tracking_code

from .making import CODE


@pytest.mark.parametrize("code", [CODE, "OASC-26_1", "1", "x" * 64])
def test_a_code_is_letters_digits_and_dashes(code):
    """Whatever a code begins with, it is one plain segment of an address."""
    assert is_tracking_code(code)


@pytest.mark.parametrize(
    "code",
    [
        *("", " ", "\t", "OASC 1", " OASC1", "OASC1\n", "OASC/1", "..", ".", "-1"),
        *("a?b", "a#b", "a%2Fb", "x" * 65, "OASC\N{FULLWIDTH DIGIT ONE}", "ÔASC1", "OASC\x00"),
    ],
)
def test_what_is_no_segment_is_no_code(code):
    """Empty, blank, long or odd texts, and those that lead elsewhere, are never sent."""
    assert not is_tracking_code(code)


@given(st.text())
def test_a_code_stays_within_its_segment(code):
    """An address made of a code has exactly the segments of its template."""
    if is_tracking_code(code):
        path = ShipmentPaths().cancel_of(code)
        assert f"/api/v1/shipments/b2c/{code}/cancel" == path == urlsplit(path).path


def test_order_and_fulfillment_are_one_code():
    """A reference names a shipment only where both of its ids are the tracking code."""
    one = FulfillmentRef(shop="w1", order_id=CODE, fulfillment_id=CODE)
    two = FulfillmentRef(shop="w1", order_id="OASC0000000002", fulfillment_id=CODE)
    none = FulfillmentRef(shop="w1", order_id="", fulfillment_id="")
    assert [True, False, False] == [is_shipment(ref) for ref in (one, two, none)]


def test_the_documented_addresses_are_the_defaults():
    """Without a word about them, shipments are read and cancelled where it is documented."""
    paths = ShipmentPaths()
    assert "/api/v1/shipments/OASC1/detail" == paths.detail_of("OASC1")
    assert "/api/v1/shipments/b2c/OASC1/cancel" == paths.cancel_of("OASC1")


def test_addresses_may_move():
    """Another template is taken as it stands, with the code in its place."""
    paths = ShipmentPaths(detail="/v1/shipments/b2c/{tracking_code}")
    assert "/v1/shipments/b2c/OASC1" == paths.detail_of("OASC1")


@pytest.mark.parametrize(
    "template",
    [
        "",
        "/",
        "/shipments/detail",
        "{tracking_code}",
        "shipments/{tracking_code}",
        "/shipments/{tracking_code}/",
        "/{tracking_code}/{tracking_code}",
        "/{tracking_code}{tracking_code}",
        "/shipments/{code}",
        "/shipments/x{tracking_code}",
        "/../{tracking_code}",
        "//{tracking_code}",
        "/a b/{tracking_code}",
        "/{tracking_code}?x=1",
        "https://x.example/{tracking_code}",
        "/{tracking_code}\n",
    ],
)
def test_what_is_no_template_is_refused_at_once(template):
    """A template that would lead elsewhere, or leave the code out, is refused before its use."""
    for name in ("detail", "cancel"):
        with pytest.raises(ConfigurationError, match="no path"):
            ShipmentPaths(**{name: template})
