"""What an import brings along: counted in modules, for milliseconds are another machine's."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import click

import carrierflow
from carrierflow.cli import cli
from carrierflow.cli.command_index import PARTS


HOME = Path(carrierflow.__file__).parent / "cli"

NEVER = {
    *("alembic", "mako", "rich", "pygments", "starlette", "uvicorn", "prometheus_client"),
    *("sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "cryptography.x509"),
    *("carrierflow.audit.reports.reports", "carrierflow.audit.export.exporter"),
    *("carrierflow.audit.pages.report_page", "carrierflow.sandbox", "carrierflow.demo"),
}
"""What recording a scan has no use for, on SQLite."""

HEAVY = NEVER | {
    *("sqlalchemy", "pydantic", "pydantic_settings", "requests", "urllib3", "stamina"),
    *("cryptography", "transitions", "click", "schedule", "smtplib", "email", "ssl", "asyncio"),
}
"""What nobody has asked for who imports an event and the door."""

IMPORTED = """
import json, sys
before = set(sys.modules)
{code}
print(json.dumps(sorted(set(sys.modules) - before)))
print(json.dumps(len([name for name in sys.modules if name.startswith("carrierflow")])))
"""

RECORDED = """
from carrierflow import Event, Opening, FulfillmentRef, Settings, Status, build
app = build(Settings(database_url={url!r}))
ref = FulfillmentRef(shop="a", order_id="1", fulfillment_id="2")
try:
    app.ledger.open(Opening(ref=ref))
except Exception as error:
    assert type(error).__name__ == "UnknownShop", error
"""

COMMAND = """
import click
from carrierflow.cli import cli
import carrierflow.app.assembly
assert cli.get_command(click.Context(cli), "record").name == "record"
"""


def brought(code, folder):
    """Return the modules that some code brings, and how many there are of ours."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED.format(code=code)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    found, ours = map(json.loads, done.stdout.splitlines())
    return set(found), ours


def test_importing_an_event_and_the_door_brings_nothing_heavy(tmp_path):
    """No database, no settings, no network: only the words, until somebody builds."""
    found, ours = brought("from carrierflow import Event, build", tmp_path)

    assert set() == found & HEAVY
    assert ours < 20


def test_asking_for_one_name_brings_no_other(tmp_path):
    """A public name brings its own module, and what that needs."""
    found, _ = brought("from carrierflow import Status, UnknownShop, Lifecycle", tmp_path)

    assert set() == found & (HEAVY - {"transitions"})


def test_recording_brings_no_migrations_and_no_web(tmp_path, sqlite_database):
    """A scan needs a database and the ledger, and none of what draws, serves or migrates."""
    found, _ = brought(RECORDED.format(url=sqlite_database.url), tmp_path)

    assert "sqlalchemy" in found
    assert set() == found & NEVER


def test_the_command_that_records_brings_no_other(tmp_path):
    """`carrierflow record` does not wait for the libraries of reports, sandbox and progress."""
    found, _ = brought(COMMAND, tmp_path)

    assert "click" in found
    assert set() == found & NEVER


def test_every_public_name_is_found_where_type_checkers_find_it():
    """What is imported when asked for is what is written there for those who only read."""
    tree = ast.parse(Path(carrierflow.__file__).read_text(encoding="utf-8"))
    (checked, *_) = (node for node in tree.body if isinstance(node, ast.If))
    written = {
        alias.asname or alias.name: node.module.removeprefix("carrierflow.")
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert written == carrierflow._HOME_OF
    assert set(carrierflow.__all__) <= set(written)
    assert set(carrierflow.__all__) <= set(dir(carrierflow))


def test_each_command_is_found_by_its_name_alone():
    """Each part adds the commands that are written there, and no part adds another."""
    context = click.Context(cli)
    names = cli.list_commands(context)

    assert names == [cli.get_command(context, name).name for name in names]
    assert set(names) == set(cli.commands)
    assert cli.get_command(context, "nonsense") is None
    assert {f"{name}.py" for name in PARTS} <= {path.name for path in HOME.glob("*.py")}
