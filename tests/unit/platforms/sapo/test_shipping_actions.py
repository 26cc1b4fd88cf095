from __future__ import annotations

from dataclasses import replace

import pytest

from carrierflow.domain.model import Status
from carrierflow.platforms.sapo.admin_paths import ACTIONS
from carrierflow.platforms.sapo.parcel_words import CASH_WORDS, PLAIN_WORDS
from carrierflow.platforms.sapo.shipping_actions import PROJECTION, lies_at_or_past
from unit.reconcile.projections import LOSSY


S = Status
ENDS = {S.WAITINGFORRETURN, S.RETURN, S.CANCEL}


def test_the_core_is_explored_with_this_projection():
    """The projection by which the decision table is explored is Sapo's, names of writes apart."""
    unnamed = [
        replace(each, writes=tuple(replace(write, name="") for write in each.writes))
        for each in (LOSSY, PROJECTION)
    ]
    assert unnamed[0] == unnamed[1]


def test_every_write_has_an_address():
    """Each write is one of the actions below a fulfillment, and there are no other actions."""
    assert [write.name for write in PROJECTION.writes] == list(ACTIONS)


def test_every_status_looks_as_what_can_be_read():
    """Each status looks as one that a fulfillment can have; what the carrier settled as paid."""
    shown = {PROJECTION.shows(status) for status in Status} - {S.CODNOTRECEIPT}
    assert {*PLAIN_WORDS.values(), *ENDS, S.NONE, *CASH_WORDS.values()} == shown


@pytest.mark.parametrize(
    ("shown", "step", "names"),
    [
        (S.READYTOPICK, S.DELIVERED, ["ship", "receive"]),
        (S.READYTOPICK, S.RETURN, ["ship", "cancel_shipped", "receive_after_cancellation"]),
        (S.READYTOPICK, S.CANCEL, ["cancel"]),
        (S.DELIVERING, S.CANCEL, []),
        (S.DELIVERING, S.WAITINGFORRETURN, ["cancel_shipped"]),
        (S.DELIVERED, S.RETURN, []),
        (S.WAITINGFORRETURN, S.DELIVERED, []),
    ],
)
def test_what_is_planned(shown, step, names):
    """The shortest way from what is shown to a step; there is none back."""
    assert names == [write.name for write in PROJECTION.plan(shown, step)]


@pytest.mark.parametrize(
    ("shown", "goal", "expected"),
    [
        (S.DELIVERING, S.DELIVERING, True),
        (S.DELIVERED, S.DELIVERING, True),
        (S.RETURN, S.DELIVERING, True),
        (S.RETURN, S.WAITINGFORRETURN, True),
        (S.READYTOPICK, S.DELIVERING, False),
        (S.CANCEL, S.DELIVERING, False),
        (S.WAITINGFORRETURN, S.CANCEL, False),
        (S.WAITINGFORRETURN, S.DELIVERED, False),
        (None, S.DELIVERING, False),
    ],
)
def test_what_lies_past_a_state(shown, goal, expected):
    """A state is as wanted, or past it, where it is the one, or writes lead on to it."""
    assert expected is lies_at_or_past(shown, goal)
