import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrierflow.carrier_service import MAX_BODY, Call, Request, route_of

from .conftest import envelope, order, signed


CALLS = [Call.RATES, Call.CREATE, Call.DETAIL, Call.CANCEL, Call.BY_EXTERNAL_CODE]
DEEP = b"[" * 10_000 + b"]" * 10_000
NESTED = b'{"origin":' * 10_000 + b"1" + b"}" * 10_000
BODIES = {
    "no JSON": (b"canary, not JSON", "not JSON"),
    "cut short": (b'{"origin": {"name": "can', "not JSON"),
    "no UTF-8": (b'{"note": "\xff\xfe"}', "not JSON"),
    "a list": (b"[{}]", "not a JSON object"),
    "a word": (b'"canary"', "not a JSON object"),
    "not a number": (b'{"cod_amount": NaN}', "not JSON"),
    "infinity": (b'{"cod_amount": -Infinity}', "not JSON"),
    "deep": (DEEP, "nested too deeply"),
    "deep within": (NESTED, "nested too deeply"),
    "many digits": (b'{"cod_amount": ' + b"9" * 5_000 + b"}", "not JSON"),
    "many digits behind the point": (b'{"cod_amount": 1.' + b"9" * 5_000 + b"}", "not JSON"),
    "ten megabytes": (b'{"note": "' + b"x" * 10 * MAX_BODY + b'"}', "longer than 1048576 bytes"),
}
FIELDS = {
    "cod_amount": [
        -1,
        "-1",
        True,
        [],
        {},
        "a lot",
        "1,000",
        0.5,
        "1e99",
        "\uff11",
        "9" * 5_000,
        10**16,
    ],
    "total_grams": [-1, False, "heavy", [1]],
    "items": ["x", {}, [1], [[]], [{"quantity": "two"}], [{"grams": -1}], [{"name": {}}]],
    "origin": ["x", [], 1, {"name": []}, {"phone": {"a": 1}}, {"address1": "x" * 3000}],
    "destination": [True, {"ward": "\0"}, {"ward": "\ud800"}],
    "external_code": [None, "", "  ", [], {}, True, "x" * 129],
    "external_order_id": [None, "", "12a", -5, 1.5, "1/2", 10**20, {}, True],
    "external_fulfillment_id": [None, "../x", [], "x" * 100],
    "note": [[], {}, "\udfff"],
}


def problem(service, path, body):
    """Send a signed body and return the message of the refusal."""
    reply = service.answer(signed("POST", path, body))
    told = envelope(reply)
    assert (200, True, None) == (reply.status, told["error"], told["data"])
    return told["message"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", BODIES)
def test_a_signed_body_that_cannot_be_read_is_refused(service, courier, caplog, call, name):
    """Every kind of nonsense gets a sentence in the envelope, and nobody is asked anything."""
    body, expected = BODIES[name]
    route = route_of(call)

    with caplog.at_level(logging.DEBUG):
        reply = service.answer(signed(route.methods[-1], route.path("sms"), body))

    told = envelope(reply)
    assert (200, True, None) == (reply.status, told["error"], told["data"])
    assert expected in told["message"]
    assert "canary" not in told["message"] + caplog.text
    assert "Traceback" not in caplog.text
    assert [] == courier.asked


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, vs in FIELDS.items() for v in vs])
def test_a_field_that_cannot_be_what_it_must_is_named(service, courier, field, value):
    """The answer says which field is wrong, repeats nothing of it, and no parcel is taken."""
    message = problem(service, "/sms/orders", order(**{field: value}))

    assert f"`{field}" in message
    assert len(message) < 200
    assert [] == courier.asked


@pytest.mark.parametrize("field", ["tracking_number", "external_code"])
@pytest.mark.parametrize("value", [None, "", [], {}, True, "x" * 129, "\0"])
def test_a_parcel_must_be_named(service, field, value):
    """A call about no parcel is told what is missing."""
    path = "/sms/detail" if field == "tracking_number" else "/sms/by-external-code"

    assert f"`{field}`" in problem(service, path, {field: value})


def test_missing_fields_that_are_not_needed_are_none(service, courier):
    """A bare body is enough for a price: production leaves much of it out."""
    service.answer(signed("POST", "/sms/rates", {"origin": None, "items": None, "unheard": [{}]}))

    (asked,) = courier.asked
    assert (None, None, 0, None, ()) == (
        asked.origin,
        asked.destination,
        asked.cod_amount,
        asked.total_grams,
        asked.items,
    )


@pytest.mark.parametrize("call", CALLS)
def test_an_unknown_shop_is_not_served(service, call):
    """A path of a shop that is not connected gets an answer, and no hint at other shops."""
    route = route_of(call)

    body = order(tracking_number="CF-1")
    reply = service.answer(signed(route.methods[-1], route.path("nobody"), body))

    assert "not connected to this shop" in envelope(reply)["message"]
    assert 200 == reply.status


@pytest.mark.parametrize("path", ["/", "", "/sms", "/sms/rates/x", "/a b/rates", "//rates", "/%2e"])
def test_other_paths_are_nobody_s(service, path):
    """A path that is none of ours is 404, whoever asks."""
    assert 404 == service.answer(signed("POST", path, {})).status


def test_other_methods_are_not_answered(service):
    """A known path with a wrong method is 405."""
    assert 405 == service.answer(signed("PATCH", "/sms/rates", {})).status
    assert 405 == service.answer(signed("POST", "/sms/cancel", {})).status


def test_a_carrier_s_number_that_cannot_be_kept_is_our_failure(service, courier, caplog):
    """What the carrier's own code does wrong is logged for the carrier, not told to sellers."""
    courier.quote = lambda _: "canary"

    reply = service.answer(signed("POST", "/sms/rates", {}))

    assert (200, True) == (reply.status, envelope(reply)["error"])
    assert "canary" not in envelope(reply)["message"]
    assert "carrierflow.callback_failed" in caplog.text


TEXTS = st.text(max_size=40) | st.sampled_from(["1001", "9_1001_2001", "CF-9_1001_2001", "0.5"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from([*FIELDS, "tracking_number", "shipping_rate_id", "external_store_id", "id"])
DOCUMENTS = st.dictionaries(NAMES | TEXTS, VALUES, max_size=10) | VALUES
RAW = st.binary(max_size=200) | DOCUMENTS.map(lambda d: json.dumps(d).encode())
COMPLETE = st.dictionaries(NAMES, VALUES, max_size=2).map(lambda d: json.dumps(order(**d)).encode())
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=200, suppress_health_check=SHARED)
@given(
    call=st.sampled_from([*CALLS, Call.WEBHOOK]),
    body=RAW | COMPLETE,
    query=st.dictionaries(st.sampled_from(["tracking_number", "external_code"]), st.text()),
    topic=st.text(max_size=20) | st.sampled_from(["orders/updated", "orders/cancelled"]),
)
def test_whatever_is_signed_gets_an_envelope(service, caplog, call, body, query, topic):
    """No body, query or header is answered with an exception, a 5xx or a stack trace."""
    route = route_of(call)
    request = signed(
        route.methods[-1],
        route.path("sms"),
        body,
        query=query,
        **{"X-Haravan-Topic": topic, "X-Haravan-Org-Id": topic},
    )
    caplog.clear()

    reply = service.answer(request)

    assert 200 == reply.status
    if call is not Call.WEBHOOK:
        told = envelope(reply)
        assert (told["message"] is None) is not told["error"]
    assert "Traceback" not in caplog.text


@settings(max_examples=100, suppress_health_check=SHARED)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", ""]) | st.text(max_size=8),
    path=st.sampled_from(["/webhooks", "/sms/rates", "/sms/cancel"]) | st.text(max_size=30),
    headers=st.dictionaries(st.text(max_size=30), st.text(max_size=60), max_size=4),
    query=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
    body=st.binary(max_size=100),
)
def test_whatever_is_not_signed_is_turned_away(
    service, courier, method, path, headers, query, body
):
    """Without a signature no request reaches anything; each is answered all the same."""
    request = Request(method=method, path=path, headers=headers, query=query, body=body)

    reply = service.answer(request)

    assert reply.status in {401, 404, 405}
    assert envelope(reply)["error"]
    assert [] == courier.asked
