import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from .pages import DOCS, blocks


pytestmark = pytest.mark.slow

PAGE = DOCS / "tutorial" / "first-parcels.md"
SERVER, *BLOCKS = blocks(PAGE, "sh")
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
BINARIES = Path(sys.executable).parent

CURL = """\
    #!{python}
    import sys, urllib.request
    _, _, url, *data = sys.argv
    body = data[1].encode() if data else None
    print(urllib.request.urlopen(url, data=body, timeout=10).read().decode())
"""
"""Stands in for curl where there is none."""


@pytest.fixture(scope="module")
def url():
    """The address of the platform that the tutorial's first block starts, on a free port."""
    command = SERVER.replace("--port 8070", "--port 0").split()
    command[0] = str(BINARIES / command[0])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def outputs(url, tmp_path_factory):
    """What each line of the tutorial printed, when all were run in order by one shell."""
    folder = tmp_path_factory.mktemp("tutorial")
    programs = tmp_path_factory.mktemp("programs")
    if shutil.which("curl") is None:
        program = programs / "curl"
        program.write_text(textwrap.dedent(CURL).format(python=sys.executable))
        program.chmod(0o755)
    marked = [f"printf '\\036'\n{line.replace('http://127.0.0.1:8070', url)}" for line in LINES]
    script = "\n".join(["set -eu", *marked])
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CARRIERFLOW_")}
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=clean | {"PATH": f"{BINARIES}:{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    printed = done.stdout.split("\036")[1:]
    assert (0, len(LINES)) == (done.returncode, len(printed)), f"{done.stdout}\n{done.stderr}"
    return printed


def said(outputs, line, *, number=0):
    """Return what a line printed; `number` counts where it stands more than once."""
    places = [index for index, each in enumerate(LINES) if each.startswith(line)]
    return outputs[places[number]]


def test_every_line_runs(outputs):
    """One shell runs the tutorial from top to bottom, and nothing in it fails."""
    assert len(LINES) == len(outputs) > 20


def test_recording_is_accepted(outputs):
    """Both scans are answered as the page says."""
    assert said(outputs, "carrierflow record myshop 2001 picking").startswith("accepted")
    assert said(outputs, "carrierflow record myshop 2001 delivering").startswith("accepted")


def test_the_dry_run_says_what_would_be_done(outputs):
    """The plan ends in the two PUTs that the page promises."""
    assert "picking → delivering" in said(outputs, "carrierflow reconcile --dry-run")


def test_both_sides_agree_after_the_run(outputs):
    """The run makes one GET and two PUTs, and the parcel is in sync."""
    assert "1 / 2" in said(outputs, "carrierflow reconcile", number=1)
    assert "in sync      yes" in said(outputs, "carrierflow show myshop 2001")


def test_the_lost_reply_costs_no_second_put(outputs):
    """The history shows one attempt of unknown outcome, and the judge saw no duplicate."""
    told = said(outputs, "carrierflow history myshop 2001").partition("Told to the platform")[2]

    assert re.search(r"delivered +1 .*unknown", told)
    assert not re.search(r"delivered +2 ", told)
    judged = said(outputs, "curl -s http://127.0.0.1:8070/_sandbox/judge")
    assert '"puts_received":3,"puts_applied":3' in judged
    assert '"duplicates":[]' in judged


def test_late_and_wrong_events_get_their_verdicts(outputs):
    """The old scan is late, and the cancel of a delivered parcel is refused."""
    assert said(outputs, "carrierflow record myshop 2001 delivering --at").startswith("late")
    assert "refused, as it should be" in said(outputs, "carrierflow record myshop 2001 cancel")


def test_the_dispute_is_frozen_and_resolved(outputs):
    """The cancel in transit opens an incident, and adopting it brings both sides together."""
    assert "exit code 3" in said(outputs, 'carrierflow reconcile || echo "exit')
    assert "cancelled_in_transit" in said(outputs, "carrierflow incidents list")
    assert "in sync      yes" in said(outputs, "carrierflow show myshop 2002")


def test_the_history_is_proven(outputs):
    """The last verification finds everything as it was written."""
    assert "are as they were written" in said(outputs, "carrierflow audit verify")
