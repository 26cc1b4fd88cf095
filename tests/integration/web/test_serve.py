"""`carrierflow serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import requests
from terminals import runner

from carrierflow.cli import cli

from .conftest import EXAMPLES, SECRET, Platform
from .load import load


@pytest.fixture
def environment(app, tmp_path):
    """What a deployment sets, with the database of the app."""
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return given | {
        "CARRIERFLOW_DATABASE_URL": str(app.store.engine.url),
        "CARRIERFLOW_SECRET_KEY": app.settings.secret_key.get_secret_value(),
        "CARRIERFLOW_CLIENT_SECRET": SECRET,
    }


@pytest.fixture
def serve(environment, tmp_path):
    """Start the command on a free port; yields its process and a platform that reaches it."""
    started = []

    def start(*options):
        command = [sys.executable, "-m", "carrierflow", "serve", "--port", "0", "--json", *options]
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        lines = [process.stdout.readline() for _ in range(3)]
        return process, Platform(json.loads("".join(lines))["url"])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_serves_until_it_is_told_to_stop(serve, tmp_path):
    """It says where it listens, answers, runs jobs beside, and ends cleanly on a polite kill."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    (jobs / "mark.py").write_text(
        "from datetime import timedelta\nfrom pathlib import Path\nfrom carrierflow import Job\n"
        f"DONE = Path({str(tmp_path / 'done')!r})\n"
        "JOB = Job(name='mark', every=timedelta(hours=1), run=lambda app: DONE.touch())\n"
    )
    process, platform = serve("--carrier", str(EXAMPLES / "carrier.py"), "--jobs", str(jobs))

    assert False is platform.call("POST", "/haravan/myshop/rates", {}).json()["error"]
    assert 200 == requests.get(platform.url + "/ready", timeout=30).status_code
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert 130 == process.returncode
    assert (tmp_path / "done").exists()


def test_without_a_carrier_it_answers_webhooks_that_only_hint(serve, environment):
    """It starts without an app's secret; nobody is called, and who proves nothing is told so."""
    del environment["CARRIERFLOW_CLIENT_SECRET"]
    environment["CARRIERFLOW_ONFLOW_WEBHOOK_SECRET"] = "in-the-path"
    _, platform = serve()

    assert 404 == platform.call("POST", "/haravan/myshop/rates", {}).status_code
    assert 200 == platform.call("POST", "/onflow/myshop/webhooks/in-the-path", {}).status_code
    assert 401 == platform.call("POST", "/onflow/myshop/webhooks/another", {}).status_code
    assert 401 == platform.call("POST", "/sapo/myshop/webhooks", {}).status_code
    paths = requests.get(platform.url + "/openapi.json", timeout=30).json()["paths"]
    assert {"/sapo/{shop}/webhooks", "/onflow/{shop}/webhooks/{secret}"} == set(paths)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1", "defines no CARRIER"),
        ("CARRIER = object()", "has no method 'quote'"),
        ("import nothing_like_that", "cannot be loaded"),
    ],
)
def test_a_file_that_is_no_carrier_is_one_sentence(environment, tmp_path, content, says):
    """What is wrong with the carrier's file is said before anything listens."""
    file = tmp_path / "odd.py"
    file.write_text(content)

    found = runner().invoke(cli, ["serve", "--carrier", str(file)], env=environment)

    assert 1 == found.exit_code
    assert says in found.stderr


def test_without_a_client_secret_it_does_not_start(environment):
    """Nobody could prove who calls, so nothing is answered at all."""
    del environment["CARRIERFLOW_CLIENT_SECRET"]

    carrier = str(EXAMPLES / "carrier.py")
    found = runner().invoke(cli, ["serve", "--carrier", carrier], env=environment)

    assert 1 == found.exit_code
    assert "CARRIERFLOW_CLIENT_SECRET" in found.stderr


@pytest.mark.slow
def test_a_load_leaves_no_call_without_an_answer(sqlite_database, tmp_path):
    """Callers at once, a reconciler beside them, one file for all: every call is answered."""
    figures = load(sqlite_database.url, tmp_path, rate=50, seconds=4)

    assert {} == figures["errors"]
    assert 200 == figures["calls"]
    assert {"done"} == set(figures["runs"])
