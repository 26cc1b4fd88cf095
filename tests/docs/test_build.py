import subprocess
import sys

import pytest

from .pages import DOCS


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the documentation as it is published; return the folder, and what Sphinx said."""
    folder = tmp_path_factory.mktemp("documentation")
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(folder)]
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=300, check=False
    )
    return folder, done


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(built):
    """Sphinx builds every page offline, and finds nothing to complain about."""
    folder, done = built

    assert (0, "") == (done.returncode, done.stderr)
    assert "The decision table" in (folder / "explanation/decision-table.html").read_text("utf-8")


@pytest.mark.slow
def test_the_documentation_loads_nothing_from_elsewhere(built):
    """No page fetches a script, a style or a picture from another host."""
    folder, _ = built

    pages = [page.read_text("utf-8") for page in folder.rglob("*.html")]

    assert pages
    assert [] == [page[:80] for page in pages if 'src="http' in page]
