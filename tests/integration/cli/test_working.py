"""`carrierflow work` on the command line: until nobody is due, and until it is stopped."""

from __future__ import annotations

import os
import signal

import pytest

from carrierflow.app.carrierflow import Carrierflow

from .test_commands import AT


def test_it_looks_after_who_is_due_and_ends(ready, shop):
    """With `--until-idle`: one report of each shop, as `reconcile` has it, and 0."""
    ready("record", "alpha", shop, "picking", "--at", AT)

    answer = ready("work", "--until-idle", "--json")

    (report,) = answer.json["shops"]
    assert (0, "") == (answer.code, answer.err)
    assert ("alpha", "done", 1) == (report["shop"], report["end_reason"], report["published"])


def test_a_shop_that_is_not_due_is_not_looked_after(ready, shop):
    """Nothing is wrong then, and a person is told so."""
    assert "alpha" in ready("work", "--until-idle").out
    answer = ready("work", "--until-idle")
    assert (0, "No shop is due.") == (answer.code, answer.out.splitlines()[0])
    assert [] == ready("work", "--until-idle", "--json").json["shops"]


def test_no_shop_is_no_failure(ready):
    """Whoever has none yet is told how to connect one."""
    answer = ready("work", "--until-idle")
    assert (0, True) == (answer.code, "shop add" in answer.out)


def test_a_run_that_failed_and_what_needs_a_person_are_in_the_exit_code(ready, shop, haravan):
    """1 for a token that is refused, 3 for the incident that stays open."""
    haravan.haravan.world.replace_token("alpha", "another")
    assert 1 == ready("work", "--until-idle").code
    assert 3 == ready("work", "--until-idle").code


def test_json_is_one_document_at_the_end(ready, shop):
    """Where there is no end but Ctrl-C, that is a mistake of whoever wrote the command."""
    answer = ready("work", "--json")
    assert (2, True) == (answer.code, "--until-idle" in answer.err)


def test_without_tables_it_says_what_to_do(shell):
    """It ends with 1, and does not wait for somebody to make them."""
    answer = shell("work", "--until-idle")
    assert (1, True) == (answer.code, "db upgrade" in answer.err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_a_signal_ends_it_with_what_was_done(ready, shop, monkeypatch, number):
    """130, and the sum of all runs; until then it goes on, whether anybody is due or not."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    work = Carrierflow.work

    def stopped_after_the_first(self, **how):
        for report in work(self, **how):
            os.kill(os.getpid(), number)
            yield report

    monkeypatch.setattr(Carrierflow, "work", stopped_after_the_first)
    answer = ready("work")

    assert 130 == answer.code
    assert "Runs: 1, of which failed: 0." in answer.out
    assert "Writes confirmed: 1." in answer.out


def test_what_fails_is_told_as_it_happens(ready, shop, haravan, monkeypatch):
    """On stderr, by the shop's name; a good run says nothing there."""
    haravan.haravan.world.replace_token("alpha", "another")
    work = Carrierflow.work

    def stopped_after_the_first(self, **how):
        for report in work(self, **how):
            yield report
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Carrierflow, "work", stopped_after_the_first)
    answer = ready("work")
    assert (130, True) == (answer.code, "Shop alpha: " in answer.err)
