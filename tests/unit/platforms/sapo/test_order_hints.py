from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.carrier_service import Request
from carrierflow.platforms.sapo import SapoHints, is_signed

from .making import body_of


SECRET = "canary-app-secret"
ORDER = json.dumps(body_of("order_read")["order"]).encode()


def signature(body, secret=SECRET):
    """Sign a body as Sapo does."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def sent(body, signed=None, topic="orders/update"):
    """Return a webhook as it arrives."""
    headers = {"x-sapo-topic": topic, "x-sapo-hmac-sha256": signed or ""}
    return Request(method="POST", path="/alpha/webhooks", headers=headers, body=body)


def hinted(body, topic="orders/update"):
    """Read what a webhook is about."""
    return SapoHints([SECRET]).webhook(sent(body, topic=topic)).order_id


def test_the_signature_is_the_one_that_openssl_makes():
    """Base64 of HMAC-SHA256, by a value that was computed elsewhere (RFC 4231, case 2)."""
    mac = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    body = b"what do ya want for nothing?"
    assert is_signed(body, base64.b64encode(mac).decode(), secrets=["Jefe"])


def test_a_webhook_names_an_order():
    """The order stands in the body as it is, and its id is all that is taken."""
    assert "14900465" == hinted(ORDER)


@pytest.mark.parametrize("topic", ["", "products/update", "orders/invented", "orders", "\udcff"])
def test_what_is_about_something_else_names_no_order(topic):
    """The id of a product is none of an order; a topic that is not known is told by no name."""
    found = SapoHints([SECRET]).webhook(sent(ORDER, topic=topic))
    assert ("unknown", None) == (found.topic, found.order_id)


@pytest.mark.parametrize("given_", [None, "", " ", "x", signature(ORDER)[:-1], signature(b"x")])
def test_an_unsigned_webhook_hints_at_nothing(given_):
    """A body that nobody signed, or signed otherwise, is not looked at."""
    assert not SapoHints([SECRET]).is_admitted(sent(ORDER, given_), None)


def test_a_changed_body_is_not_signed():
    """The signature is over the bytes as they came."""
    assert not is_signed(ORDER + b" ", signature(ORDER), secrets=[SECRET])


def test_several_secrets_are_in_force_while_one_replaces_the_other():
    """The new secret and the old one both count, line ends behind them or not."""
    secrets = [f"{SECRET}\n", "next-secret"]
    found = [
        SapoHints(secrets).is_admitted(sent(ORDER, signature(ORDER, one)), None)
        for one in (SECRET, "next-secret", "other")
    ]
    assert [True, True, False] == found


@pytest.mark.parametrize("secrets", [(), ("",), (" \n",)])
def test_an_empty_secret_lets_nobody_in(secrets):
    """Where no secret is set, no signature is the right one, not even that of an empty one."""
    assert not is_signed(ORDER, signature(ORDER, ""), secrets=secrets)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}"]
    + [json.dumps({"id": it}).encode() for it in (None, True, -1, "", "../x", "1" * 21, 1.5)],
)
def test_what_names_no_order_hints_at_none(body):
    """A body that cannot be read, or an id that can be none, hints at nothing."""
    assert hinted(body) is None


@given(st.binary())
def test_any_signed_body_is_taken(body):
    """No bytes at all make a webhook fail."""
    assert hinted(body) is None
