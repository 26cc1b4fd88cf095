from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.carrier_service import Request
from carrierflow.platforms.onflow import OnflowHints, is_admitted

from .making import CODE, printed


SECRET = "canary-path-secret"


def hinted(body):
    """Read what a webhook is about."""
    request = Request(method="POST", path="/warehouse/webhooks/x", body=body)
    return OnflowHints([SECRET]).webhook(request).order_id


def test_a_webhook_names_a_shipment():
    """The code of the shipment is all that is taken of a body that anybody may have written."""
    assert CODE == hinted(printed("webhook_shipment_created"))


def test_a_webhook_about_stock_names_none():
    """An event that is about no shipment hints at none, and is no error."""
    assert hinted(printed("webhook_stock_updated")) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"tracking_code": 7}', b'{"tracking_code": null}']
    + [json.dumps({"tracking_code": code}).encode() for code in ("", " ", "../x", "a/b", "x" * 65)],
)
def test_what_names_no_shipment_hints_at_none(body):
    """A body that cannot be read, or a code that can be none, hints at nothing."""
    assert hinted(body) is None


@pytest.mark.parametrize("given", ["", " ", "canary", SECRET + "x", SECRET.upper(), "\udcff"])
def test_without_the_secret_nothing_is_looked_at(given):
    """A webhook to an address without the secret is turned away."""
    assert not is_admitted(given, secrets=[SECRET])


def test_two_secrets_are_in_force_while_one_replaces_the_other():
    """The new secret and the old one both let a webhook in, line ends behind them or not."""
    secrets = [f"{SECRET}\n", "next-secret"]
    assert [True, True, False] == [
        is_admitted(given, secrets=secrets) for given in (SECRET, "next-secret", "other")
    ]


@pytest.mark.parametrize("secrets", [(), ("",), (" \n",)])
def test_no_secret_lets_nobody_in(secrets):
    """Where no secret is set, no address is the right one, not even an empty one."""
    assert not is_admitted("", secrets=secrets)


@given(st.binary())
def test_any_body_is_taken(body):
    """No bytes at all make a webhook fail, and hardly any name a shipment."""
    assert hinted(body) is None
