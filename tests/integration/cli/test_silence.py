"""stderr is what cron mails: on a good night no command of the how-to says anything there."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.cli.session import HELD
from carrierflow.storage.leases import SqlLeases

from .test_commands import AT


HOWTO = Path(__file__).parents[3] / "docs" / "howto" / "run-from-cron.md"
NIGHTLY = re.findall(r"^[\d*/ ]+ carrierflow (.*) > /dev/null$", HOWTO.read_text(), re.MULTILINE)


@pytest.fixture
def app(shop, ready):
    """The application of another process on the same database."""
    names = ("CARRIERFLOW_DATABASE_URL", "CARRIERFLOW_SECRET_KEY")
    url, key = (ready.environment[name] for name in names)
    app = build(Settings(database_url=url, secret_key=key))
    yield app
    app.store.engine.dispose()


def test_a_good_night_is_silent(ready, shop):
    """Each line of the crontab ends with 0 and says nothing on stderr; the full pass waits."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    assert ["reconcile", "reconcile --full --wait", "audit verify"] == NIGHTLY

    for line in NIGHTLY:
        answer = ready(*line.split())
        assert (0, "") == (answer.code, answer.err), line


def test_a_held_shop_is_no_complaint(ready, app):
    """A run that finds its shop held ends with 75, and says so on stdout alone."""
    SqlLeases(app.store).claim(app.store.shop("alpha"), "another run", timedelta(minutes=5))

    answer = ready("reconcile")

    assert (HELD, "") == (answer.code, answer.err)
    assert "alpha" in answer.out


def test_a_platform_that_is_down_is_told_by_the_full_pass(ready, shop, haravan):
    """The frequent run leaves it to the next one; the full pass complains, on one line."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    haravan.__exit__(None, None, None)

    often, full = ready("reconcile"), ready("reconcile", "--full")

    assert (1, "") == (often.code, often.err)
    assert "unavailable" in often.out
    assert 1 == full.code
    assert full.err.startswith("alpha: ")
    assert 1 == len(full.err.splitlines())


def test_a_new_incident_is_told_once_by_frequent_runs(ready, shop, haravan):
    """What needs a person is one line when it is found, and one line of each full pass."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    haravan.haravan.world.uninstall("alpha")

    said = [ready("reconcile", *options).err for options in ((), (), ("--full",))]

    assert [1, 0, 1] == [len(text.splitlines()) for text in said]
    assert "access_denied" in said[0]
    assert said[0] == said[2]


def test_log_lines_carry_their_time(ready, shop, monkeypatch):
    """Text logs begin with the time in UTC, wherever the machine stands."""
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    ready("record", "alpha", shop, "picking", "--at", AT)

    lines = ready("-v", "reconcile").err.splitlines()

    monkeypatch.undo()
    time.tzset()
    assert lines
    hour = time.strftime("%Y-%m-%dT%H", time.gmtime())
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z info ", line) for line in lines)
    assert lines[-1].startswith(hour)
