"""Which lifecycles were in force, by SQL of another kind than the report's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carrierflow.audit.reports.reports import Reports
from carrierflow.domain.lifecycle import DEFAULT, GROUPS, define
from carrierflow.storage.definitions import Definitions


@pytest.fixture
def database(own_database):
    """A database in which no other test has put a lifecycle."""
    return own_database


def test_each_lifecycle_says_since_when_and_what_rests_on_it(reports, week, ask):
    """Every step rests on one, and the counts are those of the history."""
    (found,) = reports.definitions()

    ((entries, first, last),) = ask(
        "SELECT count(*), min(recorded_at), max(recorded_at) FROM carrierflow_history"
    )
    assert (DEFAULT.id, True, entries) == (found.id, found.named, found.entries)
    spans = [str(first).replace("T", " ")[:19], str(last).replace("T", " ")[:19]]
    assert spans == [f"{at:%Y-%m-%d %H:%M:%S}" for at in (found.first_entry, found.last_entry)]
    assert found.os_user


def test_one_that_nobody_names_is_told_as_such(store, reports, clock):
    """A lifecycle in the database that is neither the present one nor an earlier one stands out."""
    wider = define(sorted(GROUPS))
    clock.advance(hours=1)
    with store.begin() as connection:
        Definitions([wider], clock=clock).ensure(connection)

    foreign = {each.id: each for each in reports.definitions()}[wider.id]

    assert (False, 0, clock()) == (foreign.named, foreign.entries, foreign.since)
    day = timedelta(days=1)
    named = Reports(store.snapshot, DEFAULT, verify_within=day, clock=clock, earlier=[wider.id])
    assert all(each.named for each in named.definitions())
