"""What an import brings along: counted in modules, for milliseconds are another machine's."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

import carrierflow
from carrierflow.cli import cli
from carrierflow.cli.command_index import PARTS, SUMMARIES


HOME = Path(carrierflow.__file__).parent / "cli"

NEVER = {
    *("alembic", "mako", "rich", "pygments", "starlette", "uvicorn", "prometheus_client"),
    *("sqlalchemy.orm", "sqlalchemy.dialects.postgresql", "cryptography.x509"),
    *("requests", "urllib3", "stamina"),
    *("carrierflow.audit.reports.reports", "carrierflow.audit.export.exporter"),
    *("carrierflow.audit.pages.report_page", "carrierflow.sandbox", "carrierflow.demo"),
}
"""What recording a scan has no use for, on SQLite."""

HEAVY = NEVER | {
    *("sqlalchemy", "pydantic", "pydantic_settings", "requests", "urllib3", "stamina"),
    *("cryptography", "transitions", "click", "schedule", "smtplib", "email", "ssl", "asyncio"),
}
"""What nobody has asked for who imports an event and the door."""

LIBRARIES = {
    *("sqlalchemy", "pydantic", "pydantic_settings", "requests", "urllib3", "stamina", "rich"),
    *("cryptography", "transitions", "schedule", "asyncio", "ssl", "carrierflow.app.carrierflow"),
}
"""What whoever asks for help does not wait for."""

OWN = {"command_index", "importing", "session", "streams", "terminal"}
"""The modules of the command line that every command has."""

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

ASKED = """
import contextlib, io, sys
from carrierflow.cli import run
with contextlib.redirect_stdout(io.StringIO()) as told:
    run({arguments!r})
assert {word!r} in told.getvalue(), told.getvalue()
"""

COMPLETED = """
import contextlib, io, os
from carrierflow.cli import run
os.environ |= dict(
    _CARRIERFLOW_COMPLETE="bash_complete", COMP_WORDS="carrierflow re", COMP_CWORD="1"
)
told = io.TextIOWrapper(io.BytesIO())
with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
    run(name="carrierflow")
names = ["reconcile", "record", "record-file", "revise"]
assert told.buffer.getvalue().decode().split() == ["plain," + name for name in names]
"""


def parts_of_the_command_line(found):
    """Return the modules of commands among some, beside those that every command has."""
    begin = "carrierflow.cli."
    return {name.removeprefix(begin) for name in found if name.startswith(begin)} - OWN


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


@pytest.mark.parametrize(("argument", "word"), [("--help", "reconcile"), ("--version", "version")])
def test_help_and_version_bring_no_command(argument, word, tmp_path):
    """Names and what each is for are an index: no command is imported, nor what it works with."""
    found, _ = brought(ASKED.format(arguments=[argument], word=word), tmp_path)

    assert set() == parts_of_the_command_line(found)
    assert set() == found & LIBRARIES


GARBAGE = """
import gc
from carrierflow.cli import main, run
arguments = ["--database-url", {url!r}, "status"]
assert 0 == run(arguments)
assert (True, 0) == (gc.isenabled(), gc.get_freeze_count()), "a host's garbage"
try:
    main(arguments)
except SystemExit as end:
    assert not end.code, end
assert gc.isenabled()
assert gc.get_freeze_count() > 50_000
"""


def test_garbage_is_left_alone_by_a_command_and_to_a_host(tmp_path, sqlite_database):
    """A host's process looks for its garbage as before; a command's does not, in what stays."""
    code = GARBAGE.format(url=sqlite_database.url)

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr


def test_completing_a_name_brings_no_command(tmp_path):
    """A shell that asks for a name at each touch of a key gets it from the index."""
    found, _ = brought(COMPLETED, tmp_path)

    assert set() == parts_of_the_command_line(found)
    assert set() == found & LIBRARIES


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("record", {"recording", "parcel_names", "fulfillment_json", "ranges"}),
        ("reconcile", {"reconciling", "complaints", "of_any_shop", "ranges", "stopping"}),
        ("runs", {"ranges", "runs"}),
        ("changes", {"following", "ranges", "stopping"}),
        ("erase", {"erasing", "ranges"}),
        ("list", {"parcel_list", "fulfillment_json", "spans"}),
    ],
)
def test_the_help_of_a_command_brings_that_command(command, parts, tmp_path):
    """Whoever asks what `record` takes waits for `record`, and not for a database's library."""
    asked = ASKED.format(arguments=[command, "--help"], word="Usage")
    found, _ = brought(asked, tmp_path)

    assert parts == parts_of_the_command_line(found)
    assert set() == found & (LIBRARIES - {"transitions"})


@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_index_says_of_each_command_what_its_help_says(width):
    """Help that imports nothing is the help that click writes of the commands themselves."""
    context = click.Context(cli, info_name="carrierflow")
    ours, clicks = click.HelpFormatter(width=width), click.HelpFormatter(width=width)

    cli.format_commands(context, ours)
    click.Group.format_commands(cli, context, clicks)

    assert clicks.getvalue() == ours.getvalue()
    assert SUMMARIES == {
        name: cli.get_command(context, name).get_short_help_str(1_000) for name in SUMMARIES
    }


def test_the_index_completes_as_click_does():
    """A shell is offered the same names and the same words about them."""
    context = click.Context(cli, info_name="carrierflow")
    for begun in ("", "re", "--", "nonsense"):
        ours = cli.shell_complete(context, begun)
        clicks = click.Group.shell_complete(cli, context, begun)
        assert [(each.value, each.help) for each in clicks] == [
            (each.value, each.help) for each in ours
        ]


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
    assert set(SUMMARIES) == {name for added in PARTS.values() for name in added.split()}
    assert {f"{name}.py" for name in PARTS} <= {path.name for path in HOME.glob("*.py")}
