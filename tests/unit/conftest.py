"""What makes a unit test one: it reaches no server and no database of its own."""

from __future__ import annotations

import socket
import sqlite3

import pytest


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch):
    """Refuse connections: a test that needs one belongs to `integration`."""

    def refuse(*_, **__):
        raise AssertionError("a unit test connects to nothing")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", refuse)
