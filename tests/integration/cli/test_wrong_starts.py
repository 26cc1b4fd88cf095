"""Every command, started where it cannot work: one sentence, exit code 1, and nothing written."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from contextlib import closing

import pytest
from docs.pages import generated

from carrierflow import Settings, build
from carrierflow.reconcile.plan import Plan
from carrierflow.storage.migrate import VERSION_TABLE

from .test_every_command import COMMANDS, filled, words_for


ENDLESS = {"serve": ["--port", "0"], "schedule run": ["--jobs", "jobs"], "sandbox": ["--port", "0"]}
"""Commands that would go on until they are stopped, if they could work."""

ALONE = {
    *("keys generate", "keys generate-seal", "schedule list", "states", "demo", "sandbox"),
    "audit sample evaluate",  # looks at its sheet first, which is all that it needs
}
"""Commands that need no database."""

WITHOUT_SETTINGS = ALONE - {"sandbox"}
"""Commands that may do their work whatever the settings are."""

MAKES = {"db upgrade"}
"""Commands that put right what is not migrated, or not there."""

JOB = """\
from datetime import timedelta
from carrierflow import Job
def run(app):
    raise RuntimeError("must not be reached")
JOB = Job(name="probe", every=timedelta(hours=1), run=run)
"""


def with_tables(path, *statements):
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def of_a_later_version(path):
    app = build(Settings(database_url=f"sqlite:///{path}"))
    app.upgrade()
    app.store.engine.dispose()
    with_tables(path, f"UPDATE {VERSION_TABLE} SET version_num = 'r9999'")


DATABASES = {
    "none": (lambda _: None, "There is no database at"),
    "a directory": (lambda path: path.mkdir(), "is a directory and no database"),
    "another file": (lambda path: path.write_text("minutes\n" * 300), "but not a database"),
    "another program's": (lambda path: with_tables(path, "CREATE TABLE t (x)"), "carrierflow"),
    "not migrated": (
        lambda path: with_tables(path, "PRAGMA journal_mode=WAL"),
        "run `carrierflow db upgrade`",
    ),
    "a later version's": (of_a_later_version, "is newer than this carrierflow"),
}
"""Databases on which no command can work: how each comes to be, and what is said of it."""

SETTINGS = {
    "unknown setting": (b'[carrierflow]\ndatabse_url = "x"\n', "perhaps database_url"),
    "not UTF-8": ('[carrierflow]\nclient_id = "\xe9"\n'.encode("latin-1"), "is not UTF-8"),
    "without its table": (b"database_url = 'x'\n", "has no [carrierflow] table"),
    "not TOML": (b"[carrierflow\n", "cannot be read"),
}


@pytest.fixture
def here(shell):
    """A shell in a folder that holds what commands are given, and no database."""
    shell.file("token", "canary")
    shell.file("rows-t.jsonl", "{}\n")
    line = {"shop": "alpha", "order_id": "1", "fulfillment_id": "2", "digest": ""}
    shell.file("plan-t.jsonl", Plan(lines=(line,)).to_text())
    shell.environment["CARRIERFLOW_NOTIFY_WEBHOOK"] = "http://127.0.0.1:9"
    secret = f"whsec_{b64encode(bytes(32)).decode()}"
    shell.environment["CARRIERFLOW_DESTINATIONS"] = f"http://127.0.0.1:9/nowhere {secret}"
    (shell.folder / "jobs").mkdir()
    shell.file("jobs/probe.py", JOB)
    return shell


PASSING = ("-wal", "-shm", ".pyc")
"""What SQLite and Python may leave beside a file that they look at."""


def contents(folder):
    found = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: text for path, text in found.items() if not path.name.endswith(PASSING)}


def failures(here, commands, says):
    """Return what each command did that did not just say what is wrong, once, with exit code 1."""
    before, found = contents(here.folder), {}
    for name, arguments in commands.items():
        words = words_for("t", "http://127.0.0.1:9")
        answer = here(*name.split(), *(filled(each, words) for each in arguments))
        told = " ".join(answer.err.split())
        one = told.startswith("Error: ") and told.count("Error") == 1 and says in told
        if (answer.code, answer.out, one) != (1, "", True) or contents(here.folder) != before:
            found[name] = answer
    return found


def commands(but):
    """Return every command of the program, but for some, with arguments that it could work with."""
    named = {name.removeprefix("carrierflow ") for name, _, _ in generated.commands()}
    found = {**COMMANDS, **ENDLESS}
    assert named == {name.partition(" --")[0] for name in found}
    return {name: arguments for name, arguments in found.items() if name not in but}


@pytest.mark.parametrize("start", DATABASES)
def test_a_database_that_cannot_be_worked_on_is_one_sentence(here, start):
    """Each command says so, and leaves what is there as it is."""
    make, says = DATABASES[start]
    make(here.folder / "ledger.db")
    heals = MAKES if start in {"none", "not migrated"} else set()

    assert {} == failures(here, commands(ALONE | heals), says)


@pytest.mark.parametrize("start", SETTINGS)
def test_settings_that_cannot_be_read_are_one_sentence(here, start):
    """Each command that has settings says so, and makes nothing."""
    content, says = SETTINGS[start]
    here.file("carrierflow.toml", content)

    assert {} == failures(here, commands(WITHOUT_SETTINGS), says)


def test_tables_of_ours_stand_beside_others_where_somebody_says_so(here):
    """`db upgrade --into-existing` adds them to a file of another program, whose rows stay."""
    path = here.folder / "ledger.db"
    with_tables(path, "CREATE TABLE t (x)", "INSERT INTO t VALUES (7)")

    assert 0 == here("db", "upgrade", "--into-existing").code

    assert (0, 0) == (here("db", "upgrade").code, here("shop", "list").code)
    with closing(sqlite3.connect(path)) as connection:
        assert [(7,)] == connection.execute("SELECT x FROM t").fetchall()
