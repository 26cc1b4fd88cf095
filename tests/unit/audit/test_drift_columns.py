"""Days of drift as columns: as fine as there is room for, and nothing is lost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.audit.pages.drift_columns import drift_columns
from carrierflow.audit.reports.drift import DriftDay


def days(*places):
    """Return days so far from a first one, with one thing found on each and none healed."""
    first = date(2026, 1, 30)
    return [
        DriftDay(day=f"{first + timedelta(days=place)}", found=1, healed=0, open=number)
        for number, place in enumerate(places, 1)
    ]


@pytest.mark.parametrize(
    ("span", "columns"), [(1, 1), (2, 2), (31, 31), (39, 7), (200, 30), (400, 15)]
)
def test_a_longer_time_keeps_enough_columns(span, columns):
    """Up to a month each day, then each week, then each month: 39 days are more than two."""
    assert columns == len(drift_columns(days(*range(span))))


@given(st.sets(st.integers(0, 900), min_size=1))
def test_nothing_is_lost(places):
    """All that was found stands in some column, and the last says what is open."""
    given_days = days(*sorted(places))
    columns = drift_columns(given_days)

    assert len(places) == sum(column.found for column in columns)
    assert given_days[-1].open == columns[-1].left
    assert [] == drift_columns([])
