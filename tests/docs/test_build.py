import subprocess
import sys

import pytest

from .pages import DOCS


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    """Sphinx builds every page offline, and finds nothing to complain about."""
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]

    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=300, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "The decision table" in (tmp_path / "explanation/decision-table.html").read_text("utf-8")


@pytest.mark.slow
def test_the_documentation_loads_nothing_from_elsewhere(tmp_path):
    """No page fetches a script, a style or a picture from another host."""
    command = ["-m", "sphinx", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    subprocess.run([sys.executable, *command], timeout=300, check=True)

    pages = [page.read_text("utf-8") for page in tmp_path.rglob("*.html")]

    assert [] == [page[:80] for page in pages if 'src="http' in page]
