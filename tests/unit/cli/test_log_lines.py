"""Log lines of one kind within one run are one line with a count."""

from __future__ import annotations

import json
import logging

import pytest

from carrierflow.app.settings import LogFormat
from carrierflow.cli.log_lines import set_up_logging


log = logging.getLogger("carrierflow.trial")


@pytest.fixture
def lines(capsys):
    """Reads what stands on stderr since it was read last."""

    def read():
        return capsys.readouterr().err.splitlines()

    return read


@pytest.mark.parametrize("form", LogFormat)
def test_the_first_of_a_kind_is_written_and_the_others_are_counted(form, lines):
    """Two hundred alike are a line at once, and in the end one with their count and cause."""
    tell_rest = set_up_logging(form, verbose=False, folded=True)
    for number in range(200):
        shop = f"shop-{number}"
        log.error("run_failed", extra={"shop": shop, "error": "KeyError", "trace": f"at {shop}"})

    (first,) = lines()
    tell_rest()
    (last,) = lines()

    assert "shop-0" in first
    if form is LogFormat.JSON:
        last = json.loads(last)
        last.pop("time")
        expected = {"level": "error", "event": "run_failed", "error": "KeyError", "more": 199}
        assert expected == last
    else:
        assert last.endswith("Z error run_failed error=KeyError more=199")


def test_what_differs_in_its_cause_is_not_of_one_kind(lines):
    """Another event, level or error is said at once; the code of a shop in a reason is none."""
    tell_rest = set_up_logging(LogFormat.TEXT, verbose=False, folded=True)
    log.error("run_failed", extra={"shop": "a", "error": "KeyError"})
    log.error("run_failed", extra={"shop": "b", "error": "ValueError"})
    log.warning("run_failed", extra={"shop": "c", "error": "KeyError"})
    log.warning("unfinished", extra={"shop": "d", "reason": "no answer for d"})
    assert 4 == len(lines())

    log.warning("unfinished", extra={"shop": "e", "reason": "no answer for e"})
    assert [] == lines()
    tell_rest()
    (last,) = lines()
    assert last.endswith("warning unfinished more=1")
    tell_rest()
    assert [] == lines()


def test_what_goes_on_for_days_folds_nothing(lines):
    """A service, or whoever wants to see all of it, gets each line when it happens."""
    set_up_logging(LogFormat.TEXT, verbose=True)
    for _ in range(3):
        log.info("reconciled", extra={"shop": "a"})

    assert 3 == len(lines())
