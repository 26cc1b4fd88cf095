from __future__ import annotations

import pytest

from carrierflow.domain.model import Status
from carrierflow.platforms.onflow.onflow_platform import PROJECTION
from carrierflow.platforms.onflow.stages import STAGE_NUMBERS, STAGE_TIMES
from carrierflow.reconcile.projection import Leader
from unit.reconcile.projections import PULL_ONLY


S = Status
SHOWN = {S.PENDING, *STAGE_NUMBERS.values(), *STAGE_TIMES.values()}


def test_every_status_looks_as_what_can_be_read():
    """Each status of a parcel looks as one that a shipment can have; cash looks as none."""
    looks = {status: PROJECTION.shows(status) for status in Status}
    assert SHOWN == {shown for status, shown in looks.items() if status.machine == "delivery"}
    assert {S.NONE} == {shown for status, shown in looks.items() if status.machine == "cod"}


def test_the_core_is_explored_with_this_projection():
    """The projection by which the decision table is explored is the one that Onflow has."""
    assert PULL_ONLY == PROJECTION


@pytest.mark.parametrize("shown", sorted(SHOWN))
def test_a_cancel_is_taken_before_the_hand_over(shown):
    """The one write leads from new or packed to cancelled, and is not taken back."""
    names = [write.name for write in PROJECTION.plan(shown, S.CANCEL)]
    assert (["cancel"] if shown in {S.PENDING, S.READYTOPICK} else []) == names
    assert all(write.one_way for write in PROJECTION.writes)


def test_nothing_but_a_cancel_is_told():
    """The warehouse moves a shipment, and whoever asked for it follows."""
    assert Leader.PLATFORM is PROJECTION.leader
    assert [S.CANCEL] == [status for status in Status if PROJECTION.is_told(status)]
