"""A carrier, a Haravan with accounts on loopback, and the browser of a shop's owner."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest
from carrier import START, Carrier

from carrierflow.carrier_service import Request
from carrierflow.sandbox.haravan import App, ManualClock, SandboxServer, World


ROOT = "http://127.0.0.1:9"
SECRET = "canary-client-secret-77c1"
HOUR = 3600


APP = App(client_secret=SECRET, token_seconds=HOUR, webhook_url=f"{ROOT}/webhooks")


class Courier:
    """A carrier that nobody asks anything here."""

    quote = accept = cancel = None


class Journey(Carrier):
    """A carrier that shops install; `follow` walks links as an owner's browser does."""

    step = 0

    def __init__(self, database, server, clock, **settings):
        own = {
            "client_id": "sandbox-app",
            "client_secret": SECRET,
            "public_url": ROOT,
            "accounts_url": server.url,
            "webhook_url": server.url,
            "carrier_name": "Sao Mai Express",
            "get_backoff_seconds": 0.01,
        }
        super().__init__(database.url, server.world, server, clock=clock, **own | settings)
        self.service = self.app.carrier_service(Courier())

    def add_shop(self, code, **options):
        """Open a shop at the platform, and return its id there."""
        return str(self.world.add_shop(code=code, token=f"own-{code}", **options).org_id)

    def invite(self, code):
        """Return the carrier's link for a shop."""
        return self.app.installer.invite(code, base_url=self.server.url).url

    def consent(self, url):
        """Open a page of the accounts, agree, and return where the browser is sent."""
        assert url.startswith(f"{self.server.url}/connect/authorize?")
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", f"{urlsplit(url).path}?{urlsplit(url).query}")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.getheader("Location")

    def visit(self, url):
        """Open a page of the carrier."""
        parts = urlsplit(url)
        return self.service.answer(
            Request(method="GET", path=parts.path, query=dict(parse_qsl(parts.query)))
        )

    def follow(self, url, *, shop=None):
        """Walk from a link of the accounts to the last page, and return that one."""
        while True:
            answer = self.visit(self.consent(url if shop is None else f"{url}&orgid={shop}"))
            if answer.status != 302:
                return answer
            url, shop = answer.headers["Location"], None

    def install(self, code):
        """Connect a shop, by a link of the carrier's."""
        answer = self.follow(self.invite(code), shop=str(self.world.shop(code).org_id))
        assert 200 == answer.status, answer.body
        return self.app.shops.get(code)

    def token(self, code):
        """Return the token of a shop in clear."""
        shop = self.app.shops.get(code)
        return self.app._keys.decrypt(
            shop.encrypted_token, context=f"token of shop {code}"
        ).decode()


@contextmanager
def journeys(database):
    """Let carriers be built that share one Haravan and one database."""
    clock = ManualClock(START)
    world = World(clock=clock, app=APP)
    made = []
    with SandboxServer(world) as server:

        def make(**settings):
            made.append(Journey(database, server, clock, **settings))
            return made[-1]

        yield make
        for journey in made:
            journey.close()


@pytest.fixture
def make_journey(sqlite_database):
    """Build carriers that share one Haravan."""
    with journeys(sqlite_database) as make:
        yield make


@pytest.fixture
def journey(make_journey):
    """A carrier and its Haravan."""
    return make_journey()
