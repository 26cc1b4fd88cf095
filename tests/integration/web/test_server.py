from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
import requests
from plain_runs import begin, end

from carrierflow import Event, FulfillmentRef, Opening, Status
from carrierflow.carrier_service import MAX_BODY, ROUTES
from carrierflow.web.figures import FIGURES


RATES = "/haravan/myshop/rates"
PARCEL = FulfillmentRef(shop="myshop", order_id="1001", fulfillment_id="2001")


def test_a_signed_call_is_answered(platform):
    """What the platform sends reaches the carrier, and its answer comes back."""
    reply = platform.call("POST", RATES, {"total_grams": 1200.0, "cod_amount": "250000.0"})

    assert 200 == reply.status_code
    assert False is reply.json()["error"]
    assert [25_000, 50_000] == [rate["total_price"] for rate in reply.json()["data"]["rates"]]


def test_the_bytes_are_checked_as_they_came(platform):
    """White space and Vietnamese letters are part of what is signed."""
    raw = '{ "destination": {"address1": "12 Nguyễn Huệ,  Quận 1"},\n "total_grams": 1 }'.encode()

    assert 200 == platform.call("POST", RATES, raw=raw).status_code
    assert 401 == platform.call("POST", RATES, raw=raw, secret="other").status_code


def test_a_body_that_is_too_long_is_refused_in_the_envelope(platform):
    """Ten megabytes are not read to their end, and the platform is told why."""
    longest = b'"' + b"x" * (MAX_BODY - 2) + b'"'
    assert 200 == platform.call("POST", RATES, raw=longest).status_code

    reply = platform.call("POST", RATES, raw=b"x" * (10 * MAX_BODY))
    assert 413 == reply.status_code
    assert (True, None) == (reply.json()["error"], reply.json()["data"])


def test_every_request_has_an_id(platform):
    """A sound id of the caller's comes back; another one is replaced, never repeated."""
    given = platform.call("POST", RATES, {}, **{"X-Request-ID": "a-1"})
    odd = platform.call("POST", RATES, {}, **{"X-Request-ID": "a b" * 40})
    none = requests.get(platform.url + "/health", timeout=30)

    assert "a-1" == given.headers["X-Request-ID"]
    assert 32 == len(odd.headers["X-Request-ID"])
    assert 32 == len(none.headers["X-Request-ID"])


def test_a_caller_that_hangs_up_harms_nobody(platform):
    """Half a body and a closed connection are forgotten; the next caller is served."""
    host, port = platform.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"POST {RATES} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500\r\n\r\nhalf"
        connection.sendall(head.encode())

    assert 200 == platform.call("POST", RATES, {}).status_code


def test_health_needs_no_database_and_readiness_does(platform, app):
    """A process whose database is gone is alive and not ready."""
    assert "ready\n" == requests.get(platform.url + "/ready", timeout=30).text

    app.store.engine.dispose()
    Path(app.store.engine.url.database).write_bytes(b"no database at all" * 1000)

    assert 503 == requests.get(platform.url + "/ready", timeout=30).status_code
    assert 200 == requests.get(platform.url + "/health", timeout=30).status_code
    assert "carrierflow_database_up 0.0" in requests.get(platform.url + "/metrics", timeout=30).text


def test_the_document_has_every_path_and_method(platform):
    """Whoever reads /openapi.json knows all that is answered."""
    paths = requests.get(platform.url + "/openapi.json", timeout=30).json()["paths"]

    told = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    called = {("/haravan" + r.template, method) for r in ROUTES for method in r.methods}
    hinted = {("/sapo/{shop}/webhooks", "POST"), ("/onflow/{shop}/webhooks/{secret}", "POST")}
    assert told == called | hinted


@pytest.mark.parametrize("path", ["/", "/haravan", "/haravan/", "/haravan/x/y/z", "/haravan/../x"])
def test_other_paths_are_not_found(platform, path):
    """A path that is none of ours is a 404, signed or not."""
    assert 404 == platform.call("POST", path, {}).status_code


def test_metrics_count_callbacks_by_kind_and_result(platform):
    """Each answered call is in the figures of the next scrape."""
    platform.call("POST", RATES, {"total_grams": 1})
    platform.call("POST", RATES, {"total_grams": 90_000})
    platform.call("POST", RATES, {}, secret="wrong")

    text = requests.get(platform.url + "/metrics", timeout=30).text

    for result in ("done", "refused", "unsigned"):
        line = f'carrierflow_callbacks_total{{call="rates",result="{result}"}} 1.0'
        assert line in text, text
    assert 'carrierflow_shops{state="active"} 1.0' in text


def test_every_figure_is_shown(platform, app):
    """All figures of the reference are there, and nothing else bears our name."""
    platform.call("POST", RATES, {})
    app.ledger.open(Opening(ref=PARCEL, cod_amount=0))
    app.ledger.record(Event(shop="myshop", fulfillment_id="2001", status=Status.PICKING))

    text = requests.get(platform.url + "/metrics", timeout=30).text

    named = set(re.findall(r"^# TYPE carrierflow_(\w+?)(?:_total)? ", text, flags=re.MULTILINE))
    assert set(FIGURES) == named
    assert 'carrierflow_verdicts_total{verdict="accepted"} 1.0' in text
    assert 'carrierflow_unpublished{state="active"} 1.0' in text
    assert 'carrierflow_shop_unpublished{shop="myshop"} 1.0' in text
    assert "carrierflow_database_up 1.0" in text


def test_no_shop_that_is_paused_is_named_for_what_runs_have_to_do(platform, app):
    """Whoever watches is not told that no run looks after it; it still counts among all."""
    app.ledger.open(Opening(ref=PARCEL, cod_amount=0))
    app.shops.pause("myshop")

    text = requests.get(platform.url + "/metrics", timeout=30).text

    assert 'carrierflow_shops{state="paused"} 1.0' in text
    assert 'carrierflow_open{state="paused"} 1.0' in text
    assert 'shop="myshop"' not in text


def test_runs_of_other_processes_are_counted_once(platform, app):
    """Each run that ends is added to the totals, whoever made it, at the first scrape after it."""

    def published():
        text = requests.get(platform.url + "/metrics", timeout=30).text
        return int(re.search(r"^carrierflow_published_total (\d+)", text, re.MULTILINE)[1])

    assert 0 == published()
    for name, count in (("one", 3), ("two", 4)):
        begin(app.store, name, "myshop", now=app.now())
        end(app.store, name, "myshop", counters={"published": count}, now=app.now())
        published()

    assert 7 == published()
