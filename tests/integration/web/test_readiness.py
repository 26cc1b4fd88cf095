"""`/ready` says whether a callback could be kept now: a database that takes no writes is not it."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
import requests
from asgi import serving
from databases import every_database
from sqlalchemy.engine import make_url

from carrierflow import build, load_settings
from carrierflow.storage.encryption import generate_key
from carrierflow.web import create_app
from integration.storage.test_sessions import standby


PROBE = 5
"""Seconds after which whoever asks gives up."""


@contextmanager
def answering(url):
    """Yield an app on a database, and where it answers."""
    app = build(load_settings(database_url=url, secret_key=generate_key()))
    with serving(create_app(app, None)) as address:
        yield app, address
    app.store.engine.dispose()


def asked(address):
    """Ask whether it is ready; a probe waits so long and no longer."""
    began = time.monotonic()
    reply = requests.get(f"{address}/ready", timeout=6 * PROBE)
    assert time.monotonic() - began < PROBE
    return reply


@pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)
def test_a_database_that_takes_no_writes_is_not_ready(own_database):
    """It says so within five seconds, in a sentence, and is ready again when writes are taken."""
    with answering(own_database.url) as (app, address):
        assert 200 == asked(address).status_code
        with standby(own_database, app.store.engine):
            for _ in range(2):
                reply = asked(address)
                assert 503 == reply.status_code
                assert "read" in reply.text.lower()
                assert "Traceback" not in reply.text
        assert 200 == asked(address).status_code


def test_a_file_that_takes_no_writes_is_not_ready(sqlite_database):
    """A SQLite file that may only be read is not ready either."""
    path = make_url(sqlite_database.url).database
    with answering(f"sqlite:///file:{path}?mode=ro&uri=true") as (_, address):
        reply = asked(address)

    assert 503 == reply.status_code
    assert "readonly" in reply.text
