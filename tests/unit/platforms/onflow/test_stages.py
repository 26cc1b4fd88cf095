from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.limits import WORD
from carrierflow.domain.model import RemoteWord, Status
from carrierflow.platforms.onflow.stages import STAGE_NUMBERS, STAGE_TIMES, stage


S = Status
NONE_CAME = dict.fromkeys(STAGE_TIMES, False)
NEVER_PRINTED = 215
"""A number that the documents of the Open API print nowhere."""

passed_times = st.dictionaries(st.sampled_from(list(STAGE_TIMES)), st.booleans())
numbers = st.integers() | st.sampled_from(list(STAGE_NUMBERS))


@pytest.mark.parametrize(
    ("came", "status"),
    [
        ((), S.PENDING),
        (("picked_time",), S.READYTOPICK),
        (("packed_time",), S.READYTOPICK),
        (("picked_time", "packed_time"), S.READYTOPICK),
        (("picked_time", "packed_time", "handover_time"), S.DELIVERING),
        (("cancelled_time",), S.CANCEL),
        (("picked_time", "cancelled_time"), S.CANCEL),
        (("picked_time", "packed_time", "cancelled_time"), S.CANCEL),
    ],
)
def test_the_furthest_time_tells_the_stage(came, status):
    """Whatever number stands there, as long as it is not known to mean another stage."""
    assert status is stage(NEVER_PRINTED, NONE_CAME | dict.fromkeys(came, True)).status


@pytest.mark.parametrize(("number", "status"), [(300, S.DELIVERING), (500, S.CANCEL)])
def test_a_printed_number_tells_where_no_times_are_shown(number, status):
    """The two numbers that the documents print mean what is printed beside them."""
    assert RemoteWord(raw=str(number), status=status) == stage(number, {})


def test_a_shipment_is_new_only_if_it_says_so():
    """Without every time in the reply, nothing tells a new shipment from an unknown stage."""
    assert S.PENDING is stage(NEVER_PRINTED, NONE_CAME).status
    for name in STAGE_TIMES:
        less = {other: False for other in STAGE_TIMES if other != name}
        assert RemoteWord(raw="215", status=None) == stage(NEVER_PRINTED, less)


@pytest.mark.parametrize(
    ("number", "came"),
    [
        (300, ()),
        (300, ("packed_time",)),
        (300, ("packed_time", "handover_time", "cancelled_time")),
        (500, ()),
        (500, ("packed_time",)),
        (500, ("packed_time", "handover_time")),
    ],
)
def test_a_number_that_contradicts_the_times_is_unknown(number, came):
    """Where number and times disagree neither is believed, and the number is kept."""
    shown = NONE_CAME | dict.fromkeys(came, True)
    assert RemoteWord(raw=str(number), status=None) == stage(number, shown)


def test_numbers_of_the_older_api_are_unknown():
    """Onflow's older API has numbers of its own; none of them is taken for one of these."""
    older = (102, 120, 205, 215, 217, 220, 225, 290, 310, 315, 320, 350, 400)
    assert {None} == {stage(number, {}).status for number in older}


@given(numbers, passed_times)
def test_times_and_numbers_never_outvote_each_other(number, passed):
    """A status is what the times tell, or what the number tells, and contradicts neither."""
    word = stage(number, passed)

    told = {STAGE_TIMES[name] for name, came in passed.items() if came}
    assert len(word.raw) <= WORD
    assert word.status in {None, S.PENDING, STAGE_NUMBERS.get(number), *told}
    if word.status is not None and number in STAGE_NUMBERS:
        assert STAGE_NUMBERS[number] is word.status


@given(st.integers().filter(lambda number: number not in STAGE_NUMBERS), passed_times)
def test_what_happened_stays_told(number, passed):
    """A further time never makes a stage less far, and cancelled is the end."""
    way = [None, S.PENDING, S.READYTOPICK, S.DELIVERING, S.CANCEL]
    before = stage(number, passed).status
    for name in STAGE_TIMES:
        after = stage(number, passed | {name: True}).status
        assert way.index(before) <= way.index(after)
