"""The three databases that the tests run on, and how each is made, filled and thrown away.

SQLite is always there. The servers are named by the environment, each by the URL of a database
from which others can be made: `CARRIERFLOW_TEST_POSTGRES` and `CARRIERFLOW_TEST_MARIADB`.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from carrierflow.storage import build_engine, upgrade


__all__ = [
    "KINDS",
    "SERVERS",
    "Database",
    "ManualClock",
    "copy_of",
    "create",
    "drop_templates",
    "every_database",
    "left_out",
    "one_of_each",
    "required",
    "url_of",
]

SERVERS = {
    "postgres": ("PostgreSQL", "CARRIERFLOW_TEST_POSTGRES"),
    "mariadb": ("MariaDB", "CARRIERFLOW_TEST_MARIADB"),
}
KINDS = ("sqlite", *SERVERS)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
"""When tables were made: before anything that a test records by a clock of its own."""
REQUIRED = "CARRIERFLOW_TEST_REQUIRE_SERVERS"


def every_database(*, but=()):
    """Return the parameters of a fixture that gives each database in turn."""
    return [
        pytest.param(kind, marks=pytest.mark.servers) if kind in SERVERS else kind
        for kind in KINDS
        if kind not in but
    ]


@dataclass(frozen=True)
class Database:
    """One database of a test, by its URL."""

    kind: str
    url: str

    def build(self):
        """Build a new engine; whoever asks for it disposes of it."""
        return build_engine(self.url)


class ManualClock:
    """A clock that stands until it is set or moved on; aware, UTC."""

    def __init__(self, moment=datetime(2026, 3, 1, 8, 0, tzinfo=UTC)):
        self.moment = moment

    def __call__(self):
        return self.moment

    def set(self, moment):
        """Let it be this moment."""
        self.moment = moment

    def advance(self, span=None, **parts):
        """Move on by a span, or by `seconds=…` and the like, and return the new moment."""
        self.moment += timedelta(**parts) if span is None else span
        return self.moment

    def sleep(self, duration):
        """Let the time pass that somebody would wait for."""
        self.advance(seconds=duration)


def required():
    """Tell whether a run without the servers has failed."""
    return os.environ.get(REQUIRED) == "1"


def url_of(kind):
    """Return the URL of a server, or None if the environment names none."""
    return os.environ.get(SERVERS[kind][1]) or None


def left_out():
    """Say which servers' tests are left out, and why; one sentence each."""
    return [
        f"Left out: every test on {name}, because {variable} names no server."
        for kind, (name, variable) in SERVERS.items()
        if url_of(kind) is None
    ]


@contextmanager
def create(kind, folder, *, migrated=True):
    """Make a new database, a copy of one that was migrated before, and drop it at the end."""
    if not migrated:
        with _made(kind, folder) as database:
            yield database
        return
    if kind not in _templates:
        _templates[kind] = _kept.enter_context(
            _made(kind, _kept.enter_context(TemporaryDirectory()))
        )
        _migrate(_templates[kind])
    template = _templates[kind]
    if kind == "sqlite":
        yield copy_of(template, folder)
        return
    with _made(kind, folder, template=template if kind == "postgres" else None) as database:
        if kind == "mariadb":
            _fill(database, template)
        yield database


@contextmanager
def one_of_each(folder):
    """Return a function that makes a migrated database of each kind once; drop them at the end."""
    made = {}
    with ExitStack() as stack:

        def get(kind):
            if kind not in made:
                made[kind] = stack.enter_context(create(kind, folder))
            return made[kind]

        yield get


_templates = {}
_kept = ExitStack()
"""What is dropped when this process ends."""


def drop_templates():
    """Drop the databases that others were copied from."""
    _kept.close()
    _templates.clear()


def _migrate(database):
    engine = database.build()
    upgrade(engine, clock=lambda: BEFORE)
    engine.dispose()


def copy_of(template, folder):
    """Return a SQLite database with everything that another one holds."""
    path = Path(folder) / f"{uuid.uuid4().hex}.db"
    shutil.copyfile(make_url(template.url).database, path)
    return Database("sqlite", f"sqlite:///{path}")


def _fill(database, template):
    """Give an empty database what another one holds, as MariaDB shows it."""
    source = make_url(template.url).database
    engine = database.build()
    with engine.connect() as connection:
        ask = connection.exec_driver_sql
        tables = ask(f"SHOW TABLES FROM {source}").scalars().all()
        triggers = [row.Trigger for row in ask(f"SHOW TRIGGERS FROM {source}")]
        statements = ["SET foreign_key_checks = 0"]
        statements += [ask(f"SHOW CREATE TABLE {source}.{table}").one()[1] for table in tables]
        statements += [f"INSERT INTO {table} SELECT * FROM {source}.{table}" for table in tables]
        statements += [ask(f"SHOW CREATE TRIGGER {source}.{name}").one()[2] for name in triggers]
        for statement in statements:
            ask(statement.replace("%", "%%"))
        connection.commit()
    engine.dispose()


@contextmanager
def _made(kind, folder, *, template=None):
    name = f"carrierflow_test_{uuid.uuid4().hex[:16]}"
    if kind == "sqlite":
        yield Database(kind, f"sqlite:///{Path(folder) / name}.db")
        return
    options = " CHARACTER SET utf8mb4" if kind == "mariadb" else ""
    if template is not None:
        options = f" TEMPLATE {make_url(template.url).database}"
    _on_server(kind, f"CREATE DATABASE {name}{options}")
    try:
        if kind == "postgres":
            _on_server(kind, f"ALTER DATABASE {name} SET synchronous_commit = off")
        url = make_url(url_of(kind)).set(database=name)
        yield Database(kind, url.render_as_string(hide_password=False))
    finally:
        _on_server(kind, f"DROP DATABASE {name}" + " WITH (FORCE)" * (kind == "postgres"))


def _on_server(kind, statement):
    engine = build_engine(url_of(kind))
    try:
        with _connection(kind, engine) as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))
    finally:
        engine.dispose()


def _connection(kind, engine):
    """Connect to a server; where it need not be there, its tests are skipped if it is not."""
    try:
        return engine.connect()
    except DBAPIError as error:
        name, variable = SERVERS[kind]
        sentence = f"{name} does not answer at {variable}: {' '.join(str(error.orig).split())}"
        if required():
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
