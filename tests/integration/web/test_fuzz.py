"""Whatever a signed request holds, the platform gets an answer that it understands."""

from __future__ import annotations

import os

import pytest
import requests
import schemathesis
from asgi import serving
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from carrierflow.carrier_service import ROUTES
from carrierflow.platforms.haravan.signing import sign
from carrierflow.web import create_app

from .conftest import SECRET


EXAMPLES_EACH = int(os.environ.get("CARRIERFLOW_TEST_FUZZ", "60"))
"""Requests for each operation and mode; a night may have more."""

OPERATIONS = [("/haravan" + route.template, m) for route in ROUTES for m in route.methods]


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Signing(requests.auth.AuthBase):
    """Signs the bytes that really leave."""

    def __call__(self, prepared):
        """Add the signature to a request."""
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else body
        prepared.headers["X-Haravan-Hmac-SHA256"] = sign(body, SECRET)
        prepared.headers["X-Haravan-Topic"] = "orders/updated"
        return prepared


@pytest.fixture
def document(app, service):
    """The callbacks as their own OpenAPI document describes them, behind a socket."""
    with serving(create_app(app, service)) as url:
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_request_gets_an_answer(document, app, path, method, mode):
    """No 5xx, no failure of ours, and nothing but what the document says."""
    named = {"shop": "myshop"} if "{shop}" in path else None

    @settings(max_examples=EXAMPLES_EACH, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method].as_strategy(generation_mode=mode, path_parameters=named))
    def ask(case):
        case.validate_response(case.call(auth=Signing()), checks=CHECKS)

    ask()
    failed = {key: n for key, n in app.counters.counts("callbacks").items() if "failed" in str(key)}
    assert {} == failed
