"""Two hundred shops that all say no: the run ends soon, and cron mails one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from loopback import Answers, ScriptedServer

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key


SHOPS = [f"shop-{number:03}" for number in range(200)]
SECONDS = 30
"""What the run may take, the start of the command included."""


@contextmanager
def no_listeners():
    """Give each shop a host of its own at which nobody listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in SHOPS]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        yield [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]


@contextmanager
def strangers():
    """Give all shops one platform, which knows no token of theirs."""
    with SandboxServer(World()) as server:
        yield [server.url] * len(SHOPS)


@contextmanager
def forbidden():
    """Give all shops one platform, which lets none of them do anything."""
    with ScriptedServer() as server:
        no = Answers.reply({"errors": "This app has no right."}, status=403)
        server.plays(*[no] * (10 * len(SHOPS)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield [server.url] * len(SHOPS)
        server.shutdown()


@pytest.fixture
def reconcile(tmp_path):
    """Connect the shops, each with a parcel, and run the command; return what it did and said."""
    url, key = f"sqlite:///{tmp_path}/ledger.db", generate_key()
    app = build(Settings(database_url=url, secret_key=key))
    app.upgrade()

    def run(hosts):
        for code, host in zip(SHOPS, hosts, strict=True):
            app.shops.add(code, token=f"token-{code}", base_url=host)
            ref = FulfillmentRef(shop=code, order_id="1", fulfillment_id="2")
            app.ledger.open(Opening(ref=ref, cod_amount=0))
        named = {
            "CARRIERFLOW_DATABASE_URL": url,
            "CARRIERFLOW_SECRET_KEY": key,
            "CARRIERFLOW_OUTAGE_HOURS": "0",  # the shops are new: no silence of theirs is long yet
        }
        command = [sys.executable, "-m", "carrierflow", "reconcile", "--full"]
        began = time.monotonic()
        done = subprocess.run(
            command, env=os.environ | named, capture_output=True, text=True, check=False
        )
        return done, time.monotonic() - began

    yield run
    app.store.engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("refusing", [no_listeners, strangers, forbidden])
def test_two_hundred_refusing_shops_are_soon_done(reconcile, refusing):
    """Half a minute and one line: nobody listens, a token does not count, or has no right."""
    with refusing() as hosts:
        done, took = reconcile(hosts)

    print(f"{refusing.__name__}: {took:.1f} s; stderr: {done.stderr}")
    assert done.returncode != 0
    assert took < SECONDS
    assert 1 == len(done.stderr.splitlines())
