from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import click
import pytest
from terminals import runner

from carrierflow.cli import cli
from carrierflow.cli.local import show_tour
from carrierflow.cli.session import Session
from carrierflow.cli.terminal import Page, cells
from carrierflow.demo import draw

from .conftest import PARCELS, platforms


COMMANDS = (
    "record-file",
    "status",
    "reconcile --dry-run",
    "reconcile --wait",
    "history demo",
    "incidents list",
    "incidents resolve",
    "audit verify",
)


@platforms
@pytest.mark.parametrize("seed", ["1", *(pytest.param(s, marks=pytest.mark.slow) for s in "23")])
def test_demo_ends_well(shown, platform, seed):
    """The tour of any platform and seed exits with 0 and writes nothing to stderr."""
    result = shown("--seed", seed, "--platform", platform)

    assert 0 == result.exit_code, result.output
    assert "" == result.stderr


def test_another_process_prints_the_same(shown):
    """Another process, with other hashes, prints the same bytes for a seed."""
    command = [sys.executable, "-m", "carrierflow", "demo", "--parcels", str(PARCELS)]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}

    again = subprocess.run(
        [*command, "--seed", "2"], env=environment, capture_output=True, timeout=60, check=True
    )

    assert shown("--seed", "2").stdout_bytes == again.stdout


def test_another_seed_prints_something_else(shown):
    """Another seed tells other days."""
    assert shown("--seed", "2").stdout != shown("--seed", "3").stdout


def test_the_same_seed_gives_the_same_document(run_demo, shown):
    """Two documents of one seed are the same bytes."""
    assert shown("--seed", "1", "--json").stdout == run_demo("--seed", "1", "--json").stdout


def test_the_environment_changes_nothing(run_demo, shown, monkeypatch):
    """Settings in the environment are for real shops: the tour does not hear them."""
    expected = shown("--seed", "1").stdout
    monkeypatch.setenv("CARRIERFLOW_MERCHANT_EDIT", "reassert")
    monkeypatch.setenv("CARRIERFLOW_LIFECYCLE_GROUPS", "late_cancel")
    monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", "postgresql://nowhere/at-all")

    assert expected == run_demo("--seed", "1").stdout


def test_the_first_platform_is_that_of_every_shop(shown):
    """Without a platform the tour is Haravan's."""
    assert shown("--seed", "1", "--platform", "haravan").stdout == shown("--seed", "1").stdout


@platforms
def test_every_section_is_there_in_order(shown, platform):
    """Eight sections, each with the command that shows the same of a real shop."""
    output = shown("--seed", "1", "--platform", platform).stdout

    assert list("12345678") == re.findall(r"^(\d)  [A-Z].*carrierflow \w", output, re.MULTILINE)
    assert [] == [command for command in COMMANDS if f"carrierflow {command}" not in output]
    assert "nothing was lost" in " ".join(output.split())


@platforms
@pytest.mark.parametrize("width", [80, 96, 120])
def test_the_tour_fits_its_terminal(tour, platform, width):
    """No line is wider than the terminal, no amount, number or command is cut, at any width."""
    lines = []
    figures = tour(platform, 1)

    draw(Page(lines.append, width=width, bold=False), figures)

    assert [] == [line for line in lines if cells(line) > width]
    whole = " ".join(" ".join(lines).replace(" \\ ", " ").split())
    for frozen in figures.frozen:
        assert f"{frozen.fulfillment_id} " in whole
        assert not frozen.cash or f"{frozen.cash:,} đ" in whole
    assert " ".join(figures.frozen[0].command.split()) in whole


@platforms
def test_nothing_of_this_machine_is_printed(shown, platform):
    """Neither a port, nor an address, nor a directory of this machine is on the screen."""
    asked = ("--seed", "1", "--platform", platform)
    output = shown(*asked).stdout + shown(*asked, "--json").stdout

    assert [] == re.findall(r"127\.0\.0\.1|localhost|http://|/tmp|sqlite", output)


@platforms
def test_json_is_one_document_with_all_figures(shown, platform):
    """`--json` prints one document, whose figures are those of the screen."""
    asked = ("--seed", "1", "--platform", platform)
    document = json.loads(shown(*asked, "--json").stdout)
    screen = " ".join(shown(*asked).stdout.split())

    assert (True, platform) == (document["ok"], document["platform"])
    assert f"{document['recorded']['rows']} scans" in screen
    assert f"{document['before']['cash']:,} đ" in screen
    assert re.search(rf"{document['plan']['puts']} P(UT|OST)s in all", screen)
    assert f"{document['verified']['rows']} entries" in screen


@platforms
def test_a_kept_ledger_can_be_asked(run_demo, tmp_path, platform):
    """The ledger kept by `--keep` answers the commands that the tour names."""
    kept = tmp_path / "tour"
    document = json.loads(run_demo("--keep", str(kept), "--platform", platform, "--json").stdout)
    base = ["--database-url", f"sqlite:///{kept / 'ledger.db'}"]

    def ask(*words):
        result = runner().invoke(cli, [*base, *words, "--json"])
        assert 0 == result.exit_code, result.output
        return json.loads(result.stdout)

    assert document["verified"]["rows"] == ask("audit", "verify")["rows"]
    assert len(document["frozen"]) == len(ask("incidents", "list")["incidents"])
    star = document["star"]
    shown = ask("history", "demo", star["fulfillment_id"])["entries"]
    assert [m["to_status"] for m in star["moves"]] == [entry["to"] for entry in shown]


def test_a_second_tour_spares_the_kept_ledger(run_demo, tmp_path):
    """A directory that holds a ledger already is refused with a sentence and exit code 1."""
    (tmp_path / "ledger.db").touch()

    result = run_demo("--keep", str(tmp_path))

    assert 1 == result.exit_code
    assert "exists" in result.stderr


def test_too_few_parcels_are_a_usage_error():
    """Fewer parcels than the story has parts are refused as a usage error."""
    assert 2 == runner().invoke(cli, ["demo", "--parcels", "5"]).exit_code


def test_a_story_that_fails_exits_with_1(tour, capsys):
    """Where a promise does not hold, the screen and a sentence say so, and the exit code is 1."""
    figures = tour("haravan", 1)
    broken = replace(figures, verified=replace(figures.verified, ok=False, first_bad="row 9"))

    with pytest.raises(click.exceptions.Exit) as ended:
        show_tour(Session(), broken)

    told = capsys.readouterr()
    assert 1 == ended.value.exit_code
    assert "The story did not come true." in told.out
    assert "Error: The history is damaged: row 9.\n" == told.err
