"""Runs are seen: which there were, how the last one ended, and whether a job did its work."""

from __future__ import annotations

from sqlalchemy import create_engine

from carrierflow.storage.tables import runs


def test_a_run_that_failed_is_seen_everywhere(ready, shop, haravan):
    """`runs`, `status` and `shop show` say when the last run ended, and why."""
    assert "never" in ready("status", "--all").out
    assert 0 == ready("reconcile").code
    haravan.haravan.world.replace_token("alpha", "another")
    assert 1 == ready("reconcile", "--full").code

    found = ready("runs", "--json").json["runs"]
    failed = ready("runs", "--failed", "--shop", "alpha", "--json").json["runs"]

    assert ["access_denied", "done"] == [run["end_reason"] for run in found]
    assert [found[0]] == failed
    assert "401" in failed[0]["sentence"]
    assert "access_denied" in ready("runs").out
    assert "access_denied" in ready("status", "--all").out
    assert "401" in ready("shop", "show", "alpha").out
    assert found[0] == ready("status", "--json").json["shops"][0]["last_run"]
    assert [] == ready("runs", "--since", "2038-01-01T00:00:00Z", "--json").json["runs"]
    assert "no shop 'other'" in ready("runs", "--shop", "other").err


def test_a_list_of_runs_has_an_end(ready, shop):
    """The newest are shown, and that there are more; a filter is asked for before they are cut."""
    for _ in range(3):
        assert 0 == ready("reconcile", "--full").code

    whole = ready("runs", "--json").json
    cut = ready("runs", "--limit", "2", "--json").json

    assert (3, False) == (len(whole["runs"]), whole["more"])
    assert (whole["runs"][:2], True) == (cut["runs"], cut["more"])
    assert "There are more than 2" in ready("runs", "--limit", "2").out
    assert "There are more" not in ready("runs", "--limit", "3").out
    assert {"runs": [], "more": False} == ready("runs", "--failed", "--limit", "1", "--json").json


def test_a_run_that_never_said_how_it_ended_was_cut_off(ready, shop):
    """A run without an end that holds nothing is told from one that is under way."""
    assert 0 == ready("reconcile").code
    engine = create_engine(ready.environment["CARRIERFLOW_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(runs.update().values(ended_at=None, end_reason=None))
    engine.dispose()

    (run,) = ready("runs", "--failed", "--json").json["runs"]

    assert ("cut_off", None, True) == (run["end_reason"], run["ended_at"], run["failed"])


def test_a_job_whose_runs_could_do_nothing_has_failed(ready, shop, haravan):
    """A job that returns its reports is judged by them: a shop that failed is its failure."""
    (ready.folder / "jobs").mkdir()
    (ready.folder / "jobs" / "look.py").write_text(
        "from datetime import timedelta\nfrom carrierflow import Job\n"
        "JOB = Job(name='look', every=timedelta(hours=1), "
        "run=lambda app: app.reconcile(full=True))\n"
    )
    assert 0 == ready("schedule", "once", "--jobs", "jobs").code
    haravan.haravan.world.replace_token("alpha", "another")

    answer = ready("schedule", "once", "--jobs", "jobs", "--json")

    assert (1, False) == (answer.code, answer.json["runs"][0]["ok"])
    assert "alpha: access_denied" in answer.json["runs"][0]["error"]
