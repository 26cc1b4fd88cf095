"""Every command, where what it talks to takes its packets and says nothing.

That is a database or a platform behind a wire that freezes, or a SQLite file that another process
has locked: the command ends by itself within its time-outs, by a signal within five seconds, and
the next one goes on.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import uuid
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from databases import SERVERS, create, every_database
from integration.cli.test_every_command import (
    COMMANDS,
    ENDLESS,
    TOKEN,
    filled,
    prepare,
    run,
    words_for,
)
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key

from .commands import Command
from .proxy import Wire
from .test_cut_connections import wire_to
from .test_stopping import SECONDS


QUICK = {
    "DATABASE_CONNECT_TIMEOUT": 2,
    "DATABASE_STATEMENT_TIMEOUT": 1,
    "DATABASE_LOCK_TIMEOUT": 1,
    "DATABASE_POOL_TIMEOUT": 1,
    "CONNECT_TIMEOUT": 0.5,
    "REQUEST_TIMEOUT": 1,
    "GET_RETRIES": 1,
    "GET_BACKOFF_SECONDS": 0.001,
    "SETTLE_SECONDS": 0.5,
    "SEND_DEADLINE_SECONDS": 0.5,
    "LEASE_SECONDS": 1,
}

SECRET = f"whsec_{b64encode(bytes(32)).decode()}"
"""What messages are signed with that are pushed."""

LIMIT = 15
"""Seconds within which a command gives up: a few of these time-outs, one after the other."""

OTHERWISE = {
    "schedule once": ["look", "--jobs", "work"],
    "db harden": ["--role", "{role}", "--password-file", "token"],
    "reconcile": ["--full"],
    "notify": [],
}
"""What some commands are run with here, so that they touch what is frozen, and nothing else."""

UNTIL_STOPPED = {
    "serve": ["--port", "0", "--jobs", "work"],
    "schedule run": ["--jobs", "work"],
    "sandbox": ["--port", "0"],
}
"""Commands that go on until they are stopped."""

ALONE = {
    *("keys generate", "keys generate-seal", "schedule list", "states", "demo", "sandbox"),
    "audit sample evaluate",
}
"""Commands that ask neither a database of ours nor a platform."""

ANSWERED = {
    *("carrier register", "carrier list", "carrier update", "carrier unregister"),
    *("webhooks subscribe", "webhooks list", "webhooks unsubscribe", "import", "shop check"),
}
"""Commands that may have the platform's answer in hand by then: what else it told is lost."""

WHY = (
    *("The database cannot be used now", "it was lost while", "The platform cannot be read now"),
    *("unavailable", "could not be told", "could not be delivered"),
)
"""What the sentence of one that gave up says."""

DONE = ("already", "is not empty", "File exists", "Nothing is new")
"""What a command says that had done its work before its answer was lost, or has begun to tell."""

EARLY = 12
"""Packets to a server after which a command is connected, and has only begun."""

OWN = 22
"""Packets after which every command does its own work; those before look at the schema."""

JOBS = {"schedule once", "schedule run", "serve"}
"""Commands that log where a job failed, for whoever wrote it."""

LOOK = """
from datetime import timedelta
from carrierflow import Job
JOB = Job(name="look", every=timedelta(hours=1), run=lambda app: app.reconcile(full=True))
"""


ROLE = f"carrierflow_test_{uuid.uuid4().hex[:8]}"


class Lock:
    """What freezes a SQLite file: another process that holds it, from readers too."""

    is_frozen = False
    passed = 0

    def __init__(self, url):
        self._file = make_url(url).database
        self._holder = None

    def freeze(self, **_):
        """Take the file."""
        self._holder = sqlite3.connect(self._file, isolation_level=None)
        self._holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._holder.execute("BEGIN EXCLUSIVE")
        self.is_frozen = True

    def thaw(self):
        """Give it back."""
        if self._holder is not None:
            self._holder.close()
        self.is_frozen = False

    def cut_all(self):
        """Nobody holds on to anything."""


@dataclass
class Office:
    """A folder with a ledger, a platform, and what can be frozen of both."""

    kind: str
    folder: Path
    ice: object
    url: str
    environment: dict

    def start(self, name, *, mode):
        """Start a command of the table."""
        words = words_for(mode, self.url) | {"role": ROLE}
        told = (COMMANDS | UNTIL_STOPPED | OTHERWISE)[name]
        arguments = [*name.split(), *(filled(each, words) for each in told)]
        return Command(arguments, folder=self.folder, environment=self.environment)

    def whole(self, name, *, mode):
        """Run a command while nothing is frozen; return it, ended."""
        command = self.start(name, mode=mode)
        assert command.end(seconds=60) is not None, name
        return command

    @contextmanager
    def frozen(self, *, after):
        """Freeze after so many packets; what was held back then is lost."""
        self.ice.freeze(after=after)
        try:
            yield
        finally:
            self.ice.cut_all()
            self.ice.thaw()


@contextmanager
def wired(kind, folder, server):
    """Make a database, and lay a wire to what is to freeze: yields it and both addresses."""
    if kind == "platform":
        host, port = server.url.removeprefix("http://").split(":")
        with create("sqlite", folder) as database, Wire(host, int(port)) as wire:
            yield wire, database.url, f"http://127.0.0.1:{wire.port}"
    elif kind == "sqlite":
        with create(kind, folder) as database:
            yield Lock(database.url), database.url, server.url
    else:
        with create(kind, folder) as database, wire_to(database) as (wire, url):
            yield wire, url, server.url
            forget(database, ROLE)


SILENT = ("sqlite", "postgres", "mariadb", "platform")
"""What may fall silent."""


@pytest.fixture(params=[*every_database(), "platform"])
def office(request, tmp_path, monkeypatch):
    """Everything that the commands of the table need, with what freezes in their way."""
    world = World()
    world.add_shop(code="alpha", token=TOKEN)
    with SandboxServer(world) as server, wired(request.param, tmp_path, server) as all_of_it:
        ice, database, platform = all_of_it
        environment = {
            "DATABASE_URL": database,
            "SECRET_KEY": generate_key(),
            "SEAL_KEY_FILE": "seal.key",
            "ACTOR": "desk",
            "CLIENT_ID": "client",
            "CLIENT_SECRET": "secret",
            "CARRIER_NAME": "A carrier",
            "PUBLIC_URL": "https://carrier.example",
            "WEBHOOK_VERIFY_TOKEN": "verify",
            "WEBHOOK_URL": platform,
            "NOTIFY_WEBHOOK": platform,
            "DESTINATIONS": f"{platform}/nowhere {SECRET}",
            **{name: str(value) for name, value in QUICK.items()},
        }
        environment = {f"CARRIERFLOW_{name}": value for name, value in environment.items()}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        prepare(tmp_path, platform)
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "look.py").write_text(LOOK)
        environment["PATH"] = os.environ["PATH"]
        made = Office(request.param, tmp_path, ice, platform, environment)
        order, parcel = map(str, world.add_parcel(shop="alpha"))
        for words in (["open", "alpha", order, parcel], ["record", "alpha", parcel, "picking"]):
            assert 0 == run(words, tty=False)[0]
        for mode in "tj":
            assert 0 == made.whole("reconcile --dry-run", mode=mode).code
        yield made


FORGET = {
    "postgres": ("DROP OWNED BY {role}", "DROP ROLE {role}"),
    "mariadb": ("DROP USER {role}",),
}


def forget(database, role):
    """Take the role away that `db harden` made, which belongs to the server; if it came so far."""
    engine = database.build()
    with engine.connect() as connection, suppress(ProgrammingError, OperationalError):
        for statement in FORGET[database.kind]:
            connection.execute(text(statement.format(role=role)))
        connection.commit()
    engine.dispose()


def test_no_endless_command_is_forgotten_here():
    """A new command that goes on until it is stopped has to say what it is run with."""
    assert ENDLESS == set(UNTIL_STOPPED)


def depth(office, packets):
    """Return at which packet to freeze a command that sent so many: in the middle of its work."""
    if office.kind not in SERVERS:
        return 1
    return min(packets - 4, OWN)


@pytest.mark.slow
@pytest.mark.waits
def test_every_command_gives_up_what_is_silent(office):
    """Each ends by itself, says why in a sentence, and works once there are answers again."""
    tried = set()
    for name in COMMANDS:
        before = office.ice.passed
        whole = office.whole(name, mode="t")
        packets = office.ice.passed - before
        if name in ALONE or (not packets and office.kind == "platform"):
            continue
        with office.frozen(after=depth(office, packets)):
            command = office.start(name, mode="j")
            took = command.end(seconds=4 * LIMIT)
            reached = office.ice.is_frozen
        again = office.whole(name, mode="j")
        tried.add(name)

        told = f"{office.kind}, {name}: {command.code} after {took} s: {command.said}"
        assert reached, told
        assert took is not None, told
        assert took < LIMIT, told
        assert "Traceback" not in command.said or name in JOBS, told
        assert command.code in {1, 3} or name in ANSWERED, told
        assert command.code == 0 or any(why in command.said for why in WHY), told
        done = any(word in again.said for word in DONE)
        assert again.code == whole.code or done, f"{name}, again: {again.said}"
    if office.kind != "platform":
        assert set(COMMANDS) - ALONE == tried
    assert {"carrier list", "reconcile", "import", "schedule once", "notify"} <= tried


@pytest.mark.slow
@pytest.mark.waits
def test_every_command_that_waits_for_what_is_silent_can_be_stopped(office):
    """SIGTERM and Ctrl-C end it within five seconds, and the next command goes on.

    Each command gets one of them here, and the other one where something else is silent.
    """
    stopped, turn = set(), SILENT.index(office.kind)
    for place, name in enumerate(COMMANDS | UNTIL_STOPPED):
        if name in ALONE:
            continue
        number = (signal.SIGTERM, signal.SIGINT)[(place + turn) % 2]
        with office.frozen(after=EARLY if office.kind in SERVERS else 1):
            command = office.start(name, mode="t")
            while command.lives and not office.ice.is_frozen:
                command.wait(0.05)
            command.wait(0.1)
            if not command.lives and office.kind == "platform":
                continue
            command.send(number)
            took = command.end(seconds=4 * LIMIT)
        stopped.add(name)

        told = f"{office.kind}, {name}, {number!r}: {command.code} after {took} s: {command.said}"
        assert took is not None, told
        assert took < SECONDS, told
        assert command.code in {1, 130, -number} or name == "schedule run", told
        assert "Traceback" not in command.said or name in JOBS, told
    if office.kind != "platform":
        assert set(COMMANDS | UNTIL_STOPPED) - ALONE == stopped
    assert {"reconcile", "import", "schedule once", "schedule run"} <= stopped
    assert office.whole("reconcile", mode="t").code in {0, 3}
