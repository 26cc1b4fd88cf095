"""The carrier service behind a real HTTP server on loopback, and a platform that signs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from asgi import serving
from receiver import SECRET as PUSH_SECRET

from carrierflow import build, generate_key, load_settings
from carrierflow.app.load_file import load_name
from carrierflow.platforms.haravan.signing import sign
from carrierflow.web import create_app


EXAMPLES = Path(__file__).parents[3] / "examples"
SECRET = "client-secret"


class Platform:
    """Calls a carrier as the platform does: signed JSON."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def call(self, method, path, body=None, *, raw=None, secret=SECRET, **headers):
        """Send one signed call and return the response."""
        content = json.dumps(body or {}).encode() if raw is None else raw
        signed = {"X-Haravan-Hmac-SHA256": sign(content, secret), **headers}
        return self.session.request(
            method, self.url + path, data=content, headers=signed, timeout=30
        )


@pytest.fixture
def app(sqlite_database):
    """An app on a fresh SQLite file, with a shop and a client secret."""
    settings = load_settings(
        database_url=sqlite_database.url,
        secret_key=generate_key(),
        client_id="client",
        get_backoff_seconds=0.001,
        client_secret=SECRET,
        public_url="http://127.0.0.1:1/haravan",
        accounts_url="http://127.0.0.1:1",
        destinations=(f"http://127.0.0.1:1 {PUSH_SECRET}",),
    )
    made = build(settings)
    made.shops.add("myshop", token="token", base_url="http://127.0.0.1:1")
    yield made
    made.store.engine.dispose()


@pytest.fixture
def service(app):
    """Its carrier service, with the carrier of the examples."""
    return app.carrier_service(load_name(EXAMPLES / "carrier.py", "CARRIER"))


@pytest.fixture
def platform(app, service):
    """A platform that reaches the web app over a socket."""
    with serving(create_app(app, service)) as url:
        yield Platform(url)
