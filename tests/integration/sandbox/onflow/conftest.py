from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.exchange import HttpReply, HttpRequest
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule
from carrierflow.sandbox.http_client import Answer
from carrierflow.sandbox.onflow import Onflow, OnflowWorld


@pytest.fixture
def clock():
    """A clock that stands at a fixed moment."""
    return ManualClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))


@pytest.fixture
def world(clock):
    """A platform with one account."""
    world = OnflowWorld(clock=clock)
    world.add_account(code="alpha", token="token-alpha", webhook_url="https://us.example/h/s3cret")
    return world


@pytest.fixture
def faults():
    """Faults that a test may script."""
    return Faults()


@pytest.fixture
def script(faults):
    """Let the next request, or the next webhook, suffer one fault."""
    return lambda kind, **options: faults.add(Rule(fault=Fault(kind=FaultKind(kind), **options)))


@pytest.fixture
def receiver():
    """Whoever receives webhooks; says 200 unless a test puts another status in front."""
    return Receiver()


@pytest.fixture
def onflow(world, faults, receiver):
    """The front door of that platform."""
    return Onflow(world, faults=faults, send=receiver)


@pytest.fixture
def call(onflow):
    """Send one request in process and return its outcome."""

    def send(method, path, body=None, *, token=None, language="vi"):
        raw = b"" if body is None else json.dumps(body).encode()
        bare = "token-alpha" if token is None else token
        headers = {"Authorization": bare, "Accept-Language": language}
        return onflow.handle(HttpRequest.of(method, path, headers, raw))

    return send


@pytest.fixture
def ask(call):
    """Send one request that must be answered, and return its status and its JSON."""

    def send(method, path, body=None, **options):
        reply = call(method, path, body, **options)
        assert isinstance(reply, HttpReply)
        return reply.status, json.loads(reply.body)

    return send


@pytest.fixture
def cancel(call):
    """Send one cancel."""
    return lambda code, **options: call("PUT", f"/api/v1/shipments/b2c/{code}/cancel", **options)


@pytest.fixture
def detail(ask):
    """Ask for one shipment and return what is said of it."""
    return lambda code: ask("GET", f"/api/v1/shipments/{code}/detail")[1]["data"]


@pytest.fixture
def code(world):
    """One packed shipment: its tracking code."""
    return world.add_shipment(account="alpha", stage="packed").tracking_code


class Receiver:
    """Remembers what it heard, and answers as it is told to."""

    def __init__(self):
        self.heard = []
        self.says = []

    def __call__(self, call):
        self.heard.append(call)
        return Answer(status=self.says.pop(0) if self.says else 200)

    def statuses(self):
        """Return the status numbers that were heard, in this order."""
        return [json.loads(call.body)["status"] for call in self.heard]
