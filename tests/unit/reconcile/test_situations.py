"""The rows of the decision table, each on every platform where it can decide at all."""

from __future__ import annotations

from itertools import product

import pytest

from carrierflow.domain.model import Machine, Status
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE, decide

from .making import a_case, attempt
from .situations import POLICIES, SITUATIONS


LINES = [
    pytest.param(number, situation, id=f"{number}-{situation.platform}-{situation.says}")
    for number, situations in SITUATIONS.items()
    for situation in situations
]

NEVER = {
    "haravan": {"6a"},
    "sapo": {"C4"},
    "onflow": {"C1", "C2", "C3", "C4", "C5", "12", "14", "18", "20"},
}
"""Rows that decide nothing where every status looks like itself; where remitted cash is not shown;
and where neither cash nor orders are shown, nor anything beyond a hand-over."""

WALKS = (
    ("pending", "readytopick", "picking", "delivering", "delivered"),
    ("readytopick", "picking", "delivering", "notmeetcustomer", "delivering"),
    ("readytopick", "picking", "delivering", "notmeetcustomer", "waitingforreturn", "return"),
    ("pending", "readytopick", "picking", "cancel"),
    ("readytopick", "cancel"),
)
CASH = ("codpending", "codpaid", "codreceipt")


def beginnings(walk):
    """Give every history that a walk begins with, and how much of it was confirmed."""
    for length in range(1, len(walk) + 1):
        for confirmed in range(length + 1):
            yield " ".join(walk[:length]), confirmed


def anything(platform):
    """Give each situation of some parcels, as far as a platform shows what it can show."""
    projection = PLATFORMS[platform].projection
    fixed = {"projection": projection, "policy": POLICIES[platform]}
    shown = {
        machine: {projection.shows(s) for s in Status if s.machine is machine}
        for machine in Machine
    }
    for walk, shows, late in product(WALKS, shown[Machine.DELIVERY], (False, True)):
        attempts = [
            attempt(1, word, -40) for word in walk if late and projection.is_told(Status(word))
        ]
        for road, confirmed in beginnings(walk):
            yield Machine.DELIVERY, a_case(road, confirmed, shows, attempts=attempts, **fixed)
    for (road, confirmed), (cash, counted), shows in product(
        beginnings(WALKS[0]), beginnings(CASH), shown[Machine.COD]
    ):
        made = a_case(road, confirmed, cash=cash, cash_confirmed=counted, cash_shows=shows, **fixed)
        yield Machine.COD, made


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_never_decides_on_a_platform_does_not(platform):
    """Whatever a platform can show of any history, the rows that are named never decide there."""
    decided = {decide(made, machine).row for machine, made in anything(platform)}

    assert not decided & NEVER[platform]
    assert len(decided) > 5


@pytest.mark.parametrize(("number", "situation"), LINES)
def test_a_row_decides_its_situation(number, situation):
    """The row that is named decides, and its ending is the one that is named."""
    assert (number, situation.says) == situation.decided()


def test_every_row_has_a_situation_on_every_platform_that_reaches_it():
    """Whoever adds a row, or a platform, shows where it decides there, or that it never does."""
    found = {
        (row.number, situation.platform)
        for row in (*TABLE, *ORDER_TABLE)
        for situation in SITUATIONS[row.number]
    }
    never = {(number, platform) for platform, rows in NEVER.items() for number in rows}

    assert NEVER.keys() == PLATFORMS.keys()
    assert not found & never
    assert {(row.number, name) for row in (*TABLE, *ORDER_TABLE) for name in PLATFORMS} == (
        found | never
    )


def test_row_6b_has_its_three_endings():
    """The platform leads, or the policy holds the step, or a person has to see to it."""
    endings = {(situation.platform, situation.says) for situation in SITUATIONS["6b"]}

    assert {("onflow", "Await"), ("sapo", "Await")} < endings
    assert {
        ("sapo", "OpenIncident cannot_be_told"),
        ("onflow", "OpenIncident cannot_be_told"),
    } < endings
