"""The page on senders' files: its files and its commands, run."""

import json
import shlex
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from carrierflow import FulfillmentRef, Opening, build, generate_key, load_settings
from carrierflow.cli import cli

from .pages import DOCS, blocks, rows


OPENED = datetime(2026, 3, 1, 1, tzinfo=UTC)
PAGE = DOCS / "howto" / "read-senders-files.md"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command of the page beside its files, on a ledger that knows two of its waybills."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("CARRIERFLOW_SECRET_KEY", generate_key())
    scans, sender, _ = blocks(PAGE, "text")
    (tmp_path / "scans.csv").write_text(scans, "utf-8")
    (tmp_path / "hub.toml").write_text(sender, "utf-8")
    app = build(load_settings())
    app.upgrade()
    app.shops.add("myshop", token="t", base_url="http://127.0.0.1")
    for number in ("42", "43"):
        ref = FulfillmentRef(shop="myshop", order_id=f"9{number}", fulfillment_id=number)
        app.ledger.open(Opening(ref=ref, tracking_number=f"W00{number}", at=OPENED))
    app.store.engine.dispose()

    def play(line):
        _, *words = shlex.split(line)
        return CliRunner().invoke(cli, words)

    return play


def test_the_file_of_the_page_is_recorded_as_it_says(run, tmp_path):
    """Each row gets the verdict that the page shows, and the sentences are those of the page."""
    with_file, _ = blocks(PAGE, "sh")

    answer = run(with_file)

    assert blocks(PAGE, "text")[2] == answer.stderr + answer.stdout
    verdicts = [
        json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text("utf-8").splitlines()
    ]
    assert ["42", "42", "43", None, None] == [each["fulfillment_id"] for each in verdicts]


def test_the_options_of_the_page_say_the_same_as_its_file(run):
    """What the options do not map is rejected."""
    _, with_options = blocks(PAGE, "sh")

    answer = run(with_options)

    assert "3 rejected, 5 rows" in answer.stdout
    assert "'In the van' is not a status" in answer.stderr


def test_what_spreadsheets_do_is_told(run, tmp_path):
    """Each row of the table that names a cell is tried: read, or rejected, as it says."""
    told = {row[0]: row[1] for row in rows(PAGE.read_text("utf-8"))}
    header = "fulfillment_id,status,at,order_id,cod_amount"

    for cell, row in {
        "'0042": "'0042,picking,2026-03-01T08:30Z,942,",
        "1.05E+09": "1.05E+09,picking,2026-03-01T08:30Z,,",
        "1054978733,00": '"1054978733,00",picking,2026-03-01T08:30Z,,',
        "250.000": "44,picking,2026-03-01T08:30Z,944,250.000",
        "250,000 ₫": '44,picking,2026-03-01T08:30Z,944,"250,000 ₫"',
        "01/03/2026 08:30": "42,picking,01/03/2026 08:30,,",
        "1899-12-30": "42,picking,1899-12-30T00:00Z,,",
    }.items():
        (tmp_path / "one.csv").write_text(f"{header}\n{row}\n", "utf-8")
        (says,) = [what for which, what in told.items() if cell in which]
        answer = run("carrierflow record-file one.csv --shop myshop --force")
        assert says.startswith("rejected") == ("1 rejected" in answer.stdout), cell
