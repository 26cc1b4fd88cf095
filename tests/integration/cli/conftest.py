"""A command line with a ledger in a folder of its own, and a Haravan beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from terminals import runner

from carrierflow.cli import cli
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key


TOKEN = "canary-token-1f0e9d8c7b6a"


@dataclass
class Answer:
    """What one invocation printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands as a person would, in one folder."""

    folder: object
    environment: dict = field(default_factory=dict)

    def __call__(self, *arguments, stdin=None):
        """Run one command."""
        found = runner().invoke(cli, [str(a) for a in arguments], input=stdin, env=self.environment)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Answer(found.exit_code, found.stdout, found.stderr)

    def file(self, name, content):
        """Write a file and return its path."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Shell(
        folder=tmp_path,
        environment={
            "CARRIERFLOW_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db",
            "CARRIERFLOW_SECRET_KEY": generate_key(),
            "CARRIERFLOW_ACTOR": "desk",
            "CARRIERFLOW_GET_BACKOFF_SECONDS": "0.001",
        },
    )


@pytest.fixture
def ready(shell):
    """A shell whose database is migrated."""
    assert shell("db", "upgrade").code == 0
    return shell


@pytest.fixture
def haravan():
    with SandboxServer(World()) as server:
        yield server


@pytest.fixture
def shop(ready, haravan):
    """A connected shop with one parcel, known on both sides."""
    world = haravan.haravan.world
    world.add_shop(code="alpha", token=TOKEN)
    token = ready.file("token.txt", TOKEN)
    answer = ready("shop", "add", "alpha", "--base-url", haravan.url, "--token-file", token)
    assert answer.code == 0, answer.err
    order, fulfillment = world.add_parcel(shop="alpha", cod_amount=510_000)
    assert ready("open", "alpha", order, fulfillment, "--cod-amount", 510_000).code == 0
    return str(fulfillment)
