"""stderr is what cron mails: on a good night no command of the how-to says anything there."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from plain_runs import begin

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.cli.session import HELD

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
    begin(app.store, "another run", "alpha", now=app.now(), span=timedelta(minutes=5))

    answer = ready("reconcile")

    assert (HELD, "") == (answer.code, answer.err)
    assert "alpha" in answer.out


@pytest.mark.parametrize("first", [(), ("--full",)])
@pytest.mark.parametrize(("hours", "lines"), [(1, [0, 0, 0]), (0, [1, 0, 0])])
def test_a_platform_that_is_down_for_long_is_told_once(ready, shop, haravan, first, hours, lines):
    """By whichever run is the first to find it so, on one line; until then nobody is needed."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    haravan.__exit__(None, None, None)
    ready.environment["CARRIERFLOW_OUTAGE_HOURS"] = str(hours)

    said = [ready("reconcile", "--shop", "alpha", *options) for options in (first, (), ("--full",))]

    assert [1, 1, 1] == [answer.code for answer in said]
    assert all("unavailable" in answer.out for answer in said)
    assert lines == [len(answer.err.splitlines()) for answer in said]
    assert all(f"alpha: no answer from {host_of(haravan)}" in it.err for it in said if it.err)


def host_of(haravan):
    """Return the host at which the platform is."""
    return haravan.url.removeprefix("http://")


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
