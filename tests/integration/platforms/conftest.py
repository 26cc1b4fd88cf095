"""What tests of every platform have in common: a scripted server, a budget, and a platform."""

from __future__ import annotations

import threading

import pytest
from loopback import FakeBudget, ScriptedServer


@pytest.fixture(name="server")
def _server():
    server = ScriptedServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(name="budget")
def _budget():
    return FakeBudget()


@pytest.fixture(name="naps")
def _naps():
    return []


@pytest.fixture(name="platform")
def _platform(make_platform):
    return make_platform()
