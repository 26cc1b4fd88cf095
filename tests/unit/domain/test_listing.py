"""Cursors: what comes back from one, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.listing import (
    LARGEST,
    UNFINISHED,
    FulfillmentQuestion,
    check_limit,
    cursor_at,
    place_of,
)
from carrierflow.domain.model import START, Machine, Status
from carrierflow.errors import InvalidInput


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = FulfillmentQuestion()


@given(
    number=st.integers(0, LARGEST),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_a_cursor_stands_for_its_place(number, name):
    """The place that a page ended at comes back to the microsecond, and to the letter."""
    moment = NOON + timedelta(microseconds=number % 10**12)

    assert [moment, number] == place_of(ALL, cursor_at(ALL, (moment, number)), (datetime, int))
    assert [number, name] == place_of(ALL, cursor_at(ALL, (number, name)), (int, str))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda some: some.hex()))
def test_what_is_no_cursor_is_one_sentence(text):
    """Whatever stands in its place, nothing but `InvalidInput` comes of it."""
    with pytest.raises(InvalidInput, match="cursor"):
        place_of(ALL, text, (int, str))


@pytest.mark.parametrize(
    "place",
    [
        (),
        (1,),
        (1, "a", "b"),
        ("a", 1),
        (True, "a"),
        (-1, "a"),
        (LARGEST + 1, "a"),
        (1, "\0"),
        (1, None),
    ],
)
def test_a_cursor_of_no_place_is_one_sentence(place):
    """A place that no page can have ended at is refused before it reaches a database."""
    with pytest.raises(InvalidInput, match="This is no cursor"):
        place_of(ALL, cursor_at(ALL, place), (int, str))


@pytest.mark.parametrize(
    "other",
    [
        {"shop": "a"},
        {"status": Status.PICKING},
        {"cod_status": Status.CODPAID},
        {"since_before": NOON},
        {"frozen": True},
        {"frozen": False},
        {"unpublished": True},
        {"order_id": "1"},
        {"tracking_number": "1"},
    ],
)
def test_a_cursor_goes_on_with_its_own_list_alone(other):
    """What was asked for on the first page has to be asked for on the next."""
    cursor = cursor_at(ALL, (1, "a"))

    with pytest.raises(InvalidInput, match="goes on with another list"):
        place_of(FulfillmentQuestion(**other), cursor, (int, str))


def test_a_moment_moves_on_from_page_to_page():
    """Who asks for three days asks for another moment on each page, and for the same list."""
    cursor = cursor_at(FulfillmentQuestion(since_before=NOON), (NOON, 1))
    later = FulfillmentQuestion(since_before=NOON + timedelta(hours=1))

    assert [NOON, 1] == place_of(later, cursor, (datetime, int))


def test_a_status_is_asked_for_by_its_machine():
    """A cash status is no place of a parcel's, nor the other way round."""
    with pytest.raises(InvalidInput, match="codpaid is no status of the delivery machine"):
        FulfillmentQuestion(status=Status.CODPAID)
    with pytest.raises(InvalidInput, match="picking is no status of the cod machine"):
        FulfillmentQuestion(cod_status=Status.PICKING)


def test_a_parcel_is_stuck_where_it_does_not_end():
    """Without a status, a moment asks for those statuses that something follows by default."""
    followed = {edge.from_status for edge in DEFAULT.machine(Machine.DELIVERY).edges} - {START}

    assert followed == set(UNFINISHED)
    assert UNFINISHED == FulfillmentQuestion(since_before=NOON).stands_at


@pytest.mark.parametrize("limit", [0, 1_001])
def test_a_page_has_an_end(limit):
    """A page is neither empty nor endless."""
    with pytest.raises(InvalidInput, match="1 to 1000 lines"):
        check_limit(limit)
