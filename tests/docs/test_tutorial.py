import re
from functools import partial

import pytest

from . import shell
from .pages import DOCS, blocks


pytestmark = pytest.mark.slow

PAGE = DOCS / "tutorial" / "first-parcels.md"
SERVER, *BLOCKS = blocks(PAGE, "sh")
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
said = partial(shell.said, LINES)


@pytest.fixture(scope="module")
def url():
    """The address of the platform that the tutorial's first block starts, on a free port."""
    with shell.serving(SERVER.replace("--port 8070", "--port 0")) as url:
        yield url


@pytest.fixture(scope="module")
def outputs(url, tmp_path_factory):
    """What each line of the tutorial printed, when all were run in order by one shell."""
    lines = [line.replace("http://127.0.0.1:8070", url) for line in LINES]
    folder, programs = tmp_path_factory.mktemp("tutorial"), tmp_path_factory.mktemp("programs")
    return shell.outputs_of(lines, folder=folder, programs=programs)


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
