"""The units that we hand out are ones that systemd takes, and start commands that there are."""

from __future__ import annotations

import configparser
import os
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
ENGINES = [unit for unit in SERVICES if "celery" in unit.stem or "procrastinate" in unit.stem]
OURS = [unit for unit in SERVICES if unit not in ENGINES]
INSTALLED, HERE = "/opt/carrierflow/bin/", Path(sys.executable).parent


def read(unit):
    """Return the sections of a unit."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(unit.read_text("utf-8"))
    return parser


@pytest.mark.systemd
def test_systemd_finds_nothing_wrong(tmp_path):
    """`systemd-analyze verify` is silent, once the program lies where the unit says."""
    names = [unit.name.replace("@.", "@one.") for unit in UNITS]
    for unit, name in zip(UNITS, names, strict=True):
        text = unit.read_text("utf-8").replace(INSTALLED, f"{HERE}/")
        (tmp_path / name).write_text(text)
    units = [str(tmp_path / name) for name in names]

    done = subprocess.run(
        [shutil.which("systemd-analyze"), "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    ours = [line for line in done.stderr.splitlines() if "carrierflow" in line]
    assert ([], 0) == (ours, done.returncode), done.stderr


@pytest.mark.parametrize("unit", ENGINES, ids=lambda unit: unit.stem)
def test_each_unit_of_an_engine_starts_a_command_that_there_is(unit):
    """Celery and Procrastinate understand its words, and find the example's application."""
    command, *words = shlex.split(read(unit)["Service"]["ExecStart"])
    engine = "celery" if "celery" in unit.stem else "procrastinate"
    url = "postgresql://postgres@127.0.0.1/carrier"

    done = subprocess.run(
        [command.replace(INSTALLED, f"{HERE}/"), *words, "--help"],
        cwd=ROOT / "examples" / f"on_{engine}",
        env=os.environ | {"CELERY_BROKER_URL": "memory://", "CARRIERFLOW_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 0 == done.returncode, done.stderr
    assert "usage" in done.stdout.lower()


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.stem)
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
