"""`carrierflow sandbox` as a process: each platform comes up, and is steered over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from carrierflow.platforms.registry import PLATFORMS
from carrierflow.sandbox.sandboxes import SANDBOXES


def test_each_platform_has_a_sandbox():
    """What can be connected can be tried out, under the same name and title."""
    titles = {name: profile.title for name, profile in PLATFORMS.items()}

    assert titles == {name: kind.title for name, kind in SANDBOXES.items()}


@contextmanager
def running(*arguments):
    """Run a sandbox on a free port, and yield its address."""
    command = [sys.executable, "-m", "carrierflow", "sandbox", "--json", "--port", "0"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _document(process.stdout)["url"]
        finally:
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(20)


def _document(lines):
    text = ""
    for line in lines:
        text += line
        if line.startswith("}"):
            break
    return json.loads(text)


@pytest.mark.parametrize("platform", list(SANDBOXES))
def test_a_sandbox_is_steered_over_http(platform):
    """It comes up with its shops and parcels, says so, takes faults, and ends when interrupted."""
    arguments = ("--platform", platform, "--shop", "one", "--shop", "two", "--parcels", "2")
    with running(*arguments) as url:
        rule = {"kind": "lost_reply", "times": 2}
        planned = requests.post(f"{url}/_sandbox/faults", json={"script": [rule]}, timeout=5)
        state = requests.get(f"{url}/_sandbox/state", timeout=5).json()
        judged = requests.get(f"{url}/_sandbox/judge", timeout=5)

    assert {"ok": True} == planned.json()
    assert ["one", "two"] == [shop["code"] for shop in state["shops"]]
    assert [2, 2] == [len(shop.get("orders") or shop["shipments"]) for shop in state["shops"]]
    assert 200 == judged.status_code
