import re
import shlex
import unicodedata

import click
import pytest
from click.testing import CliRunner

from carrierflow import (
    Event,
    FulfillmentRef,
    Job,
    Opening,
    Status,
    build,
    generate_key,
    load_settings,
)
from carrierflow.audit.export.spreadsheet import HEADINGS
from carrierflow.cli import cli
from carrierflow.domain.lifecycle import LABELS

from .pages import DOCS, ROOT, blocks, called, every_page, generated, prose


PAGES = every_page()
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPERATORS = {"|", "||", "&&", ">", "<"}


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_lead_somewhere(page):
    """Every link inside the repository leads to a file, and every anchor to a heading."""
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("folder", ["tutorial", "howto", "explanation", "reference", "decisions"])
def test_every_page_is_listed(folder):
    """A page that stands in a folder stands in its table of contents too."""
    listed = (DOCS / folder / "index.md").read_text("utf-8").splitlines()
    found = {page.stem for page in (DOCS / folder).glob("*.md")} - {"index"}

    assert set() == found - set(listed)


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_pages_name_no_place_of_one_machine(page):
    """Nothing on a page is true on one machine only."""
    text = page.read_text("utf-8")

    assert [] == re.findall(r"(?<![\w.])/(?:work|tmp|root|home|Users|mnt)/\S*", text)


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_pages_are_english(page):
    """Letters that English has not stand in Vietnamese labels only, which the code gives."""
    text = page.read_text("utf-8")
    for allowed in (*HEADINGS, *(label.vi for label in LABELS.values()), "đồng", "Đ", "Δ"):
        text = text.replace(allowed, "")
    foreign = {
        c for c in text if c.isalpha() and not c.isascii() and unicodedata.category(c) != "So"
    }

    assert set() == foreign


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_mark_is_filled(page):
    """A page that asks for a generated part gets one."""
    assert "<!-- generated" not in generated.fill(page.read_text("utf-8"))


def _command_lines():
    for page in PAGES:
        text = "\n".join(blocks(page, "sh"))
        for line in text.splitlines():
            yield from (
                line[found.start() :].rstrip(")")
                for found in re.finditer(r"carrierflow (?=[a-z])", line)
                if not line.startswith(("pip", "#"))
            )


@pytest.mark.parametrize("line", sorted(set(_command_lines())))
def test_every_command_line_is_understood(line, tmp_path, monkeypatch):
    """Each command on a page exists, with those options, arguments and choices."""
    monkeypatch.chdir(tmp_path)
    for name in ("plan.jsonl", "role-password.txt", "token.txt", "new-token.txt", "carrier.py"):
        (tmp_path / name).write_text("x")
    _, *words = shlex.split(line.partition(" #")[0])
    end = next((n for n, word in enumerate(words) if word in OPERATORS), len(words))

    command, arguments = cli, words[:end]
    context = click.Context(cli, info_name="carrierflow")
    while isinstance(command, click.Group):
        name, command, arguments = command.resolve_command(context, arguments)
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=name, parent=context)
    command.make_context(name, arguments, parent=context).close()


def test_the_job_of_the_page_is_one():
    """The file that the how-to shows defines a job that the scheduler would take."""
    (code,) = blocks(DOCS / "howto" / "schedule-without-cron.md", "python")
    names = {}

    exec(code, names)  # noqa: S102 - our own page

    assert isinstance(names["JOB"], Job)


def test_the_sandbox_of_the_page_starts(capsys):
    """The lines of the how-to start a platform with a planned fault."""
    (code,) = blocks(DOCS / "howto" / "use-the-sandbox-with-faults.md", "python")

    exec(code, {})  # noqa: S102 - our own page

    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


def test_the_hardening_of_the_page_runs(tmp_path, monkeypatch, capsys):
    """The lines of the how-to harden a file, and find no hole but the one that a file keeps."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'hard.db'}"
    app = build(load_settings(database_url=url, secret_key=generate_key()))
    app.upgrade()
    engine = app.store.engine
    (code,) = blocks(DOCS / "howto" / "harden-the-database.md", "python")

    exec(code, {"owner_engine": engine, "app_engine": engine, "password": None})  # noqa: S102

    printed = capsys.readouterr().out.splitlines()
    assert "Every trigger is in place." in printed
    assert ["DDL"] == [line.split()[0] for line in printed if " False " in line]
    engine.dispose()


def test_the_carrier_of_the_page_answers(tmp_path, monkeypatch, capsys):
    """The class of the how-to is a carrier, and the call that the page makes gets a price."""
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'carrier.db'}",
        "SECRET_KEY": generate_key(),
        "CLIENT_SECRET": "the client secret",
    }.items():
        monkeypatch.setenv(f"CARRIERFLOW_{name}", value)
    app = build()
    app.upgrade()
    app.shops.add("myshop", token="t", base_url="http://127.0.0.1")
    app.store.engine.dispose()
    names = {}

    for code in blocks(DOCS / "howto" / "answer-haravans-callbacks.md", "python"):
        exec(code, names)  # noqa: S102 - our own page

    assert '"total_price":35000' in capsys.readouterr().out
    names["app"].store.engine.dispose()


def test_what_the_page_agrees_is_agreed(tmp_path, monkeypatch):
    """Each line of the how-to about revisions does what it says, and all of it verifies."""
    monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", f"sqlite:///{tmp_path / 'agreed.db'}")
    monkeypatch.setenv("CARRIERFLOW_SECRET_KEY", generate_key())
    app = build()
    app.upgrade()
    app.shops.add("myshop", token="t", base_url="http://127.0.0.1")
    refs = [FulfillmentRef(shop="myshop", order_id="1", fulfillment_id=n) for n in ("2001", "2002")]
    for ref in refs:
        app.ledger.open(Opening(ref=ref, cod_amount=510_000))
    for status in (Status.PICKING, Status.DELIVERING, Status.DELIVERED):
        app.ledger.record(Event(shop="myshop", fulfillment_id="2002", status=status))
    page = DOCS / "howto" / "change-what-was-agreed.md"
    lines = [shlex.split(line) for code in blocks(page, "sh") for line in code.splitlines()]
    for _, *words in lines:
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert 0 == done.exit_code, done.output
    exec(blocks(page, "python")[0], {"app": app, "ref": refs[0]})  # noqa: S102 - our own page

    agreed = [app.parcel("myshop", ref.fulfillment_id) for ref in refs]
    assert [(450_000, "VN0042"), (80_000, None)] == [
        (parcel.cod_amount, parcel.tracking_number) for parcel in agreed
    ]
    assert app.verifier.verify().ok
    app.store.engine.dispose()


def test_the_settings_of_the_pages_are_accepted(tmp_path, monkeypatch):
    """Each TOML file that a page shows can be loaded."""
    monkeypatch.chdir(tmp_path)
    shown = [code for page in PAGES for code in blocks(page, "toml")]

    for code in shown:
        (tmp_path / "shown.toml").write_text(code)
        assert load_settings(tmp_path / "shown.toml").model_dump() != load_settings().model_dump()

    assert len(shown) >= 2


def test_paths_of_the_repository_exist():
    """A file that a page names by its path is there."""
    named = {
        path
        for page in PAGES
        for path in re.findall(
            r"`((?:carrierflow|examples|jobs|docs)/[\w./-]*)`", page.read_text("utf-8")
        )
    }

    assert [] == [path for path in sorted(named) if not (ROOT / path).exists()]


def test_the_shortest_platform_is_shown_as_it_is_tested():
    """The page holds the made-up platform whole, and from the tests that run it."""
    page = DOCS / "howto" / "add-a-platform.md"
    shown = re.findall(
        r"^```\{literalinclude\} (\S+)$", page.read_text("utf-8"), flags=re.MULTILINE
    )

    assert ["postbox.py", "postbox_sandbox.py"] == [path.rpartition("/")[2] for path in shown]
    assert {True} == {(page.parent / path).is_file() for path in shown}


def test_the_lists_of_files_for_a_platform_agree():
    """CONTRIBUTING and the how-to name the same files to touch."""
    page = (DOCS / "howto" / "add-a-platform.md").read_text("utf-8")
    files = re.findall(r"\b(\w+\.(?:py|toml|md))`", page.partition("## In which order")[0])
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## How to add a platform")[2]

    assert [] == [name for name in files if name not in guide.partition("\n## ")[0]]


def test_the_pattern_of_a_platform_is_told_file_by_file():
    """Whoever adds a platform reads of each file of the one that is there, and of no other."""
    files = {path.name for path in (ROOT / "carrierflow/platforms/haravan").glob("*.py")}
    page = (DOCS / "howto" / "add-a-platform.md").read_text("utf-8")

    assert files - {"__init__.py"} == set(re.findall(r"`(\w+\.py)`", page))
