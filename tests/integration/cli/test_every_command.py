"""Every command, on a ledger full of texts that others wrote to do harm."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sqlite3
from pathlib import Path

import click
import pytest
from docs.pages import ROOT, generated, reference, rows
from receiver import SECRET

from carrierflow import build, load_settings
from carrierflow.cli import cli
from carrierflow.cli.terminal import cells
from carrierflow.domain.foreign_text import shown
from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import FulfillmentRef, RequestSketch
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key


NASTY = "[/x][red]:key:\x1b[31m\x9b\u202e\x07漢\u200b"
ORDER, PARCEL = f"o{NASTY}", f"p{NASTY}"
REF = FulfillmentRef(shop="alpha", order_id=ORDER, fulfillment_id=PARCEL)
TOKEN = "a-token"
SKETCH = RequestSketch(method="PUT", url="https://api.example/1")
WIDTH = 80

ENDLESS = {"serve", "sandbox", "schedule run"}
"""Commands that go on until they are stopped; what they print is a line of our own."""

BY_DESK = ("--actor", "desk")

COMMANDS = {
    "db upgrade": [],
    "db check": [],
    "db harden": [*BY_DESK],
    "keys generate": [],
    "keys generate-seal": ["log.example", "another-{mode}.key"],
    "keys reseal": [*BY_DESK],
    "shop add": ["beta-{mode}", "--base-url", "{url}", "--token-file", "token", *BY_DESK],
    "shop list": [],
    "shop show": ["alpha"],
    "shop check": ["alpha"],
    "shop set": ["beta-{mode}", "base_url={url}", *BY_DESK],
    "shop pause": ["beta-{mode}", *BY_DESK],
    "shop resume": ["beta-{mode}", *BY_DESK],
    "shop rotate-token": ["beta-{mode}", "--token-file", "token", *BY_DESK],
    "shop revoke": ["beta-{mode}", *BY_DESK],
    "shop install-url": ["gamma-{mode}"],
    "carrier register": ["alpha"],
    "carrier list": ["alpha"],
    "carrier update": ["alpha", "--inactive"],
    "carrier unregister": ["alpha", "--force"],
    "webhooks subscribe": ["alpha"],
    "webhooks list": ["alpha"],
    "webhooks unsubscribe": ["alpha"],
    "open": ["alpha", ORDER, "{mode}" + PARCEL, "--tracking-number", NASTY],
    "record": [
        "alpha",
        PARCEL,
        "delivering",
        "--key",
        "k1",
        *("--actor", NASTY, "--reason", NASTY),
    ],
    "record-file": ["rows-{mode}.jsonl"],
    "amend": ["alpha", PARCEL, "{corrected}", "--actor", NASTY, "--reason", NASTY],
    "revise": ["alpha", PARCEL, "--tracking-number", NASTY, "--actor", NASTY, "--reason", NASTY],
    "show": ["alpha", PARCEL],
    "history": ["alpha", PARCEL],
    "notes": ["alpha", PARCEL, *BY_DESK],
    "status": [],
    "list": ["--shop", "alpha"],
    "incidents list": [],
    "incidents show": ["1"],
    "incidents assign": ["1", "--owner", NASTY, "--actor", "mai"],
    "incidents report": ["1"],
    "incidents export": [],
    "audit seal": [],
    "audit verify": [],
    "audit checkpoint": [],
    "audit prove": ["alpha", PARCEL, "delivery:1"],
    "audit export": ["export-{mode}", "--csv", *BY_DESK],
    "audit timeline": ["alpha", PARCEL],
    "audit as-of": ["2038-01-01", "--list"],
    "audit cod": ["--list"],
    "audit cash": ["--from", "2026-01-01", "--list"],
    "audit runs": ["--list"],
    "audit administration": [],
    "audit time-in-state": [],
    "audit drift": ["--list"],
    "audit coverage": [],
    "audit definitions": [],
    "audit corrections": [],
    "audit sample entries": ["--seed", NASTY, "--count", "3"],
    "audit sample parcels": ["--seed", "s"],
    "audit sample strata": ["--seed", "s", "--by", "shop"],
    "audit sample amount": ["--seed", "s", "--materiality", "1000", "--sheet", "sheet.csv"],
    "audit sample evaluate": ["sheet.csv", "--again"],
    "audit report": ["--out", "report-{mode}.html"],
    "incidents resolve": [
        "{number}",
        *("--action", "unfreeze", "--actor", NASTY),
        "--reason",
        NASTY,
    ],
    "incidents approve": ["{proposed}", "--actor", NASTY],
    "incidents reject": ["{unwanted}", "--actor", NASTY, "--reason", NASTY],
    "reconcile --dry-run": ["--shop", "alpha", "--plan-out", "plan-{mode}.jsonl"],
    "apply": ["plan-{mode}.jsonl"],
    "reconcile": ["--shop", "alpha"],
    "work": ["--until-idle"],
    "import": ["alpha"],
    "runs": ["--shop", "alpha"],
    "changes": [],
    "deliver": ["--to", "{url}/nowhere"],
    "erase parcel": ["alpha", PARCEL, *BY_DESK],
    "erase old": ["--older-than", "1", "--dry-run"],
    "notify": ["--dry-run"],
    "schedule list": ["--jobs", str(ROOT / "jobs")],
    "schedule once": ["probe", "--jobs", "jobs"],
    "states": [],
    "demo": ["--parcels", "20"],
}
"""What to run each command with, in an order in which all of them work."""

FAIL = {"deliver", "record-file", "schedule once", "webhooks subscribe"}
"""Commands that cannot do their work: a bad row, a job that raises, an app without an address."""

TELLS = (
    *("show", "list", "notes", "incidents list", "incidents show", "incidents resolve"),
    *("audit timeline", "audit as-of", "audit corrections", "audit coverage"),
    *("audit sample entries", "audit sample parcels", "audit sample strata"),
)
"""Commands whose answer holds a text of others, for people and for programs."""

ELSEWHERE = {"demo", "incidents export", "states"}
"""Commands whose document has an inner form of its own."""

FREE = {"evidence", "rows", "counters", "details", "kinds", "reasons"}
"""Objects whose keys are no words of ours, or those of a report: evidence, rows by number."""


FILES = {"changes", "incidents export"}
"""Commands that print a file, to a person too: what is in it is for programs."""


class Screen(io.TextIOWrapper):
    """A stream that says it is a person's terminal, or that it is not."""

    def __init__(self, *, tty):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._tty = tty

    def isatty(self):
        return self._tty

    @property
    def text(self):
        return self.buffer.getvalue().decode()


def run(arguments, *, tty):
    """Run a command in this process; return its exit code and what it printed on both streams."""
    out, err = Screen(tty=tty), Screen(tty=False)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(arguments, standalone_mode=False)
    return code or 0, out.text, err.text


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What every command answers: to a person at a narrow terminal, and to a program."""
    folder = tmp_path_factory.mktemp("everything")
    before, here = dict(os.environ), Path.cwd()
    world = World()
    world.add_shop(code="alpha", token=TOKEN)
    with SandboxServer(world) as server:
        os.environ |= {
            "CARRIERFLOW_DATABASE_URL": f"sqlite:///{folder}/ledger.db",
            "CARRIERFLOW_SECRET_KEY": generate_key(),
            "CARRIERFLOW_SEAL_KEY_FILE": "seal.key",
            "CARRIERFLOW_CLIENT_ID": "client",
            "CARRIERFLOW_CLIENT_SECRET": "secret",
            "CARRIERFLOW_CARRIER_NAME": "A carrier",
            "CARRIERFLOW_PUBLIC_URL": "https://carrier.example",
            "CARRIERFLOW_WEBHOOK_VERIFY_TOKEN": "verify",
            "CARRIERFLOW_GET_BACKOFF_SECONDS": "0.001",
            "CARRIERFLOW_APPROVALS": "abandon=2",
            "CARRIERFLOW_WEBHOOK_URL": server.url,
            "CARRIERFLOW_NOTIFY_WEBHOOK": server.url,
            "CARRIERFLOW_DESTINATIONS": f"{server.url}/nowhere {SECRET}",
            "COLUMNS": str(WIDTH),
        }
        os.chdir(folder)
        try:
            prepare(folder, server.url)
            yield {name: answer(name, server.url) for name in COMMANDS}
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)


def prepare(folder, url):
    (folder / "token").write_text(TOKEN)
    for mode in "tj":
        row = {"shop": "alpha", "fulfillment_id": f"f{mode}", NASTY: "x"}
        (folder / f"rows-{mode}.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "jobs").mkdir()
    (folder / "jobs" / "probe.py").write_text(
        "from datetime import timedelta\nfrom carrierflow import Job\n"
        f"def run(app):\n    raise RuntimeError({NASTY!r})\n"
        "JOB = Job(name='probe', every=timedelta(hours=1), run=run)\n"
    )
    for arguments in (
        ["keys", "generate-seal", "log.example", "seal.key"],
        ["db", "upgrade"],
        ["shop", "add", "alpha", "--base-url", url, "--token-file", "token", *BY_DESK],
        ["open", "alpha", ORDER, PARCEL, "--tracking-number", NASTY],
        ["record", "alpha", PARCEL, "picking", "--note", f"{NASTY}\nsecond line"],
    ):
        assert run(arguments, tty=False)[0] == 0
    app = build(load_settings())
    findings = [
        Finding(
            kind=kind,
            sentence=f"The platform says {NASTY}.",
            ref=REF,
            evidence={"raw": NASTY},
            request=SKETCH,
        )
        for kind in ("unknown_code", "diverged", "stuck")
    ]
    findings += [
        Finding(
            kind="unreadable", sentence="It is odd.", ref=None, evidence={"order_id": f"{number}"}
        )
        for number in range(4)
    ]
    app.reconciler.parts.store.open_incidents(app.shops.get("alpha"), findings, now=app.now())
    for number in "4567":
        app.incidents.resolve(number, ResolveAction.ABANDON, actor="lan", reason=NASTY)
    app.store.engine.dispose()


def answer(name, url):
    found = {}
    for mode, tty in (("t", True), ("j", False)):
        words = words_for(mode, url)
        arguments = [filled(each, words) for each in COMMANDS[name]]
        options = ["--json"] if mode == "j" else []
        found[mode] = run([*name.split(), *arguments, *options], tty=tty)
    return found


def words_for(mode, url):
    """Return what stands for the names in the arguments, as a person's or a program's go."""
    words = {"mode": mode, "url": url, "number": "2" if mode == "t" else "3"}
    words["corrected"] = "picking" if mode == "t" else "readytopick"
    return words | dict(zip(("proposed", "unwanted"), "46" if mode == "t" else "57", strict=True))


def filled(text, words):
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def test_no_command_is_forgotten_here():
    """A new command has to say what it is run with."""
    names = {name.removeprefix("carrierflow ") for name, _, _ in generated.commands()}

    assert names - ENDLESS == {name.partition(" --")[0] for name in COMMANDS}


def test_every_command_answers_both(answers):
    """A person and a program are told the same end; nothing here is a mistake of use."""
    codes = {name: (found["t"][0], found["j"][0]) for name, found in answers.items()}

    assert {} == {n: answers[n] for n, pair in codes.items() if pair[0] != pair[1]}
    failed = {name for name, pair in codes.items() if pair[0] == 1}
    assert FAIL == failed, {name: answers[name] for name in failed}


UNATTENDED = {"upgraded", "checked", "definition_in_force", "seal_key", "anchor"}
"""Acts that programs do too, with nobody at hand who could be named."""


@pytest.mark.usefixtures("answers")
def test_what_people_do_bears_their_name():
    """Of all acts that were written down, those without an actor are what programs do."""
    with contextlib.closing(sqlite3.connect("ledger.db")) as connection:
        query = "SELECT DISTINCT kind, actor FROM carrierflow_administration"
        acts = connection.execute(query).fetchall()

    assert {kind for kind, actor in acts if actor is None} <= UNATTENDED
    assert {"desk"} == {actor for kind, actor in acts if kind not in UNATTENDED}


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("name", [name for name, given in COMMANDS.items() if BY_DESK[1] in given])
def test_what_people_do_is_not_done_by_nobody(name):
    """Where neither an option nor a setting says who it is, it is a mistake of use, and says so."""
    words = words_for("t", "http://127.0.0.1:1")
    given = [filled(each, words) for each in COMMANDS[name] if each not in BY_DESK]

    with pytest.raises(click.UsageError, match="name them by --actor or by CARRIERFLOW_ACTOR"):
        run([*name.split(), *given], tty=False)


def test_nothing_that_others_wrote_steers_a_terminal(answers):
    """On either stream, all that is printed prints; the only colours are our own bold."""
    for name, found in answers.items():
        for _, *streams in found.values():
            for text in streams:
                lines = text.replace("\x1b[1m", "").replace("\x1b[0m", "").split("\n")
                assert [] == [line for line in lines if not line.isprintable()], name


READ_BY_PEOPLE = ("report-t.html", "export-t/history.csv", "sheet.csv")


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("name", READ_BY_PEOPLE)
def test_nothing_that_others_wrote_steers_what_shows_a_file(name):
    """A page or a spreadsheet holds it whole, and no sign of it that does not print."""
    text = Path(name).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")

    assert [] == [line for line in text.split("\n") if not line.isprintable()]
    assert None is re.search("&#(x1b|27|x202e|8238);", text, flags=re.IGNORECASE)
    assert shown(NASTY) in text or name == "sheet.csv"


@pytest.mark.parametrize("name", TELLS)
def test_what_others_wrote_is_shown_as_it_is(answers, name):
    """No sign of it is taken for markup or left out, and a program gets it exactly."""
    whole = "".join(answers[name]["t"][1].split())

    assert "".join(shown(NASTY).split()) in whole
    assert NASTY in json.dumps(json.loads(answers[name]["j"][1]), ensure_ascii=False).replace(
        "\\u001b", "\x1b"
    ).replace("\\u0007", "\x07")


def test_nothing_is_wider_than_the_terminal(answers):
    """Lines have 80 columns at most, but for a single word that is longer: it is never cut."""
    for name, found in answers.items():
        if name in FILES:
            continue
        for line in found["t"][1].replace("\x1b[1m", "").replace("\x1b[0m", "").split("\n"):
            longest = max(map(cells, line.split(" ")))
            assert cells(line) <= max(WIDTH, longest + 24), (name, line)
            assert cells(line) <= WIDTH or longest > WIDTH - 30, (name, line)


def keys_below(document):
    """Yield each key of what stands inside a document, at any depth."""
    if isinstance(document, list):
        for each in document:
            yield from keys_below(each)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield key
            if key not in FREE or isinstance(value, list):
                yield from keys_below(value)


def test_every_key_of_every_document_is_in_the_reference(answers):
    """The row of a command names what its document holds; what stands inside is on the page."""
    page = reference("json")
    found = {
        name: row[1] for row in rows(page) for name in COMMANDS if f"`{name}`" in row[0].split(", ")
    }
    assert set(COMMANDS) == set(found)

    for name, told in found.items():
        document = json.loads(answers[name]["j"][1])
        if "error" in document:
            continue
        assert [] == [key for key in document if f"`{key}`" not in told], name
        if name in ELSEWHERE:
            continue
        missing = {key for key in keys_below(document) if f"`{key}`" not in page}
        assert set() == missing, name
