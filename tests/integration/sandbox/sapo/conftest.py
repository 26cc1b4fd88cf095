from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.exchange import HttpReply, HttpRequest
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule
from carrierflow.sandbox.http_client import Answer
from carrierflow.sandbox.sapo import TOKEN_HEADER, Sapo, SapoRef, SapoWorld


@pytest.fixture
def clock():
    """A clock that stands at a fixed moment."""
    return ManualClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))


@pytest.fixture
def world(clock):
    """A platform with one shop that is never throttled."""
    world = SapoWorld(clock=clock)
    world.add_shop(code="alpha", token="token-alpha", bucket_size=100_000)
    return world


@pytest.fixture
def faults():
    """Faults that a test may script."""
    return Faults()


@pytest.fixture
def post():
    """The webhooks that arrived, and the answers that they get, 200 unless said otherwise."""

    class Post:
        def __init__(self):
            self.arrived, self.answers = [], []

        def __call__(self, call):
            self.arrived.append(call)
            answer = self.answers.pop(0) if self.answers else 200
            if isinstance(answer, Exception):
                raise answer
            return Answer(status=answer)

    return Post()


@pytest.fixture
def sapo(world, faults, post):
    """The front door of that platform."""
    return Sapo(world, faults=faults, send=post)


@pytest.fixture
def call(sapo):
    """Send one request in process and return its outcome."""

    def send(method, path, body=None, *, token="token-alpha"):
        raw = b"" if body is None else json.dumps(body).encode()
        return sapo.handle(HttpRequest.of(method, path, {TOKEN_HEADER: token}, raw))

    return send


@pytest.fixture
def ask(call):
    """Send one request that must be answered in JSON, and return its status and its body."""

    def send(method, path, body=None, **options):
        reply = call(method, path, body, **options)
        assert isinstance(reply, HttpReply)
        return reply.status, json.loads(reply.body)

    return send


@pytest.fixture
def parcel(world):
    """Put a packed parcel into the shop and return what names it."""

    def make(**fields):
        return SapoRef(
            "alpha", *world.add_parcel(**{"shop": "alpha", "cod_amount": 250_000} | fields)
        )

    return make


@pytest.fixture
def act(ask):
    """Do an action to a parcel by a call, and return the status and the body."""

    def send(ref, action):
        return ask("POST", f"{path_of(ref)}/{action}.json", {})

    return send


@pytest.fixture
def shown(ask):
    """Read a parcel by its order, as a client does."""

    def read(ref):
        status, body = ask("GET", f"/admin/orders/{ref.order_id}.json")
        assert status == 200
        rows = body["order"]["fulfillments"]
        return next(row for row in rows if row["id"] == ref.fulfillment_id)

    return read


@pytest.fixture
def script(faults):
    """Let the next matching request go wrong."""

    def plan(kind, *, method=None, path="", times=1, **fields):
        fault = Fault(kind=FaultKind(kind), **fields)
        faults.add(Rule(fault=fault, method=method, path=path, times=times))

    return plan


def path_of(ref):
    """Return the path of a parcel's calls."""
    return f"/admin/orders/{ref.order_id}/fulfillments/{ref.fulfillment_id}"
