from functools import partial

import pytest

from . import shell
from .pages import DOCS


pytestmark = pytest.mark.slow

SERVER, *LINES = shell.lines_of(DOCS / "tutorial" / "fastapi.md")
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
    folder, programs = tmp_path_factory.mktemp("fastapi"), tmp_path_factory.mktemp("programs")
    return shell.outputs_of(lines, folder=folder, programs=programs)


def test_scans_are_recorded_and_paid_once(outputs):
    """Three scans are accepted, the fourth is known, and there is one payslip."""
    assert [
        "picking accepted",
        "delivering accepted",
        "delivered accepted",
        "delivered duplicate",
        "payslips: 1",
    ] == said(outputs, "python day.py").strip().splitlines()


def test_both_sides_agree(outputs):
    """The run tells the platform all that it lacks, and the history is proven."""
    assert "in sync      yes" in said(outputs, "carrierflow show")
    assert "are as they were written" in said(outputs, "carrierflow audit verify")
