"""What is installed, and what may be imported from it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import carrierflow


ROOT = Path(__file__).parents[2]


def test_public_names_are_exported_in_order():
    """The one public door lists exactly what it imports, constants, classes, functions."""
    names = carrierflow.__all__

    assert sorted(names, key=lambda name: (name[0].islower(), name)) == names
    assert [] == [name for name in names if not hasattr(carrierflow, name)]


def test_the_version_is_the_one_that_is_installed():
    """Asked for, the package says its version; other names that it lacks are errors."""
    assert metadata.version("carrierflow") == carrierflow.__version__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        carrierflow.nonsense  # noqa: B018 - asking is the test


@pytest.mark.slow
def test_the_wheel_holds_carrierflow_only(tmp_path):
    """No `jobs`, `tests` or `examples` is installed into a host's backend."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(tmp_path), str(ROOT)], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        typed = "carrierflow/py.typed" in archive.namelist()
        migrations = [n for n in archive.namelist() if "migrations/versions/r0001" in n]

    assert {"carrierflow", "carrierflow-0.1.0.dist-info"} == tops
    assert typed
    assert migrations
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import jobs"
    isolated = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'jobs'" in isolated.stderr


def test_importing_reads_and_opens_nothing(tmp_path):
    """Importing carrierflow needs no database, no settings and no network."""
    code = "import carrierflow, os; print(sorted(os.listdir('.')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"CARRIERFLOW_DATABASE_URL": "nonsense", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "[]" == done.stdout.strip()


def test_what_ships_for_tests_needs_no_test_runner():
    """The contract can be tried by any program; nothing of it comes along with carrierflow."""
    code = """
import sys
import carrierflow
assert not [name for name in sys.modules if name.startswith("carrierflow.testing")]
import carrierflow.testing.contract
assert not {"pytest", "_pytest", "hypothesis"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_framework_of_a_host_is_needed():
    """Who is no host of Django's and the like never needs them, nor are they imported unasked."""
    code = """
import sys
for name in ("aiosqlite", "asyncpg", "celery", "django", "fastapi", "gunicorn", "procrastinate"):
    sys.modules[name] = None
import carrierflow, carrierflow.cli, carrierflow.web
assert not [name for name in sys.modules if name.startswith("carrierflow.integrations")]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_nothing_unfinished_is_left():
    """No marker of unfinished work stands in what is shipped."""
    marks = ("# TO" + "DO", "# FIX" + "ME", "# XX" + "X", "NotImplemented" + "Error")
    found = [
        (path.name, mark)
        for folder in ("carrierflow", "jobs", "examples")
        for path in (ROOT / folder).rglob("*.py")
        for mark in marks
        if mark in path.read_text(encoding="utf-8")
    ]

    assert [] == found
