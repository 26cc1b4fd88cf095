"""The units that we hand out are ones that systemd takes, and start commands that there are."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from docs.pages import ROOT

from carrierflow.cli import cli


FOLDER = ROOT / "examples" / "deployment"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]


def read(unit):
    """Return the sections of a unit."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(unit.read_text("utf-8"))
    return parser


@pytest.mark.systemd
def test_systemd_finds_nothing_wrong(tmp_path):
    """`systemd-analyze verify` is silent, once the program lies where the unit says."""
    program = Path(sys.executable).with_name("carrierflow")
    assert program.exists()
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/carrierflow/bin/carrierflow", str(program))
        (tmp_path / unit.name).write_text(text)
    units = [str(tmp_path / unit.name) for unit in UNITS]

    done = subprocess.run(
        [shutil.which("systemd-analyze"), "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    ours = [line for line in done.stderr.splitlines() if "carrierflow" in line]
    assert ([], 0) == (ours, done.returncode), done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_each_unit_starts_a_command_that_there_is(unit):
    """Its words are understood; files are not looked for here."""
    _, *words = shlex.split(read(unit)["Service"]["ExecStart"])
    command, context = cli, click.Context(cli, info_name="carrierflow")
    while isinstance(command, click.Group):
        _, command, words = command.resolve_command(context, words)
    options = {each for it in command.params for each in it.opts}

    assert [] == [word for word in words if word.startswith("--") and word not in options]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_clean_stop_is_no_failure_and_no_secret_stands_in_a_unit(unit):
    """130 is how a polite kill ends; secrets come from a file that others cannot read."""
    service = read(unit)["Service"]

    assert "130" in service["SuccessExitStatus"].split()
    assert "EnvironmentFile" in service
    assert not any(name.startswith("Environment") for name in service if name != "EnvironmentFile")


def test_what_a_run_leaves_for_later_is_no_failure_of_its_unit():
    """Work left, or another run that holds the shop, does not turn the unit red."""
    service = read(FOLDER / "carrierflow-reconcile.service")["Service"]

    assert {"3", "75", "130"} == set(service["SuccessExitStatus"].split())
    assert "TimeoutStartSec" in service
