# The expected value stands first.

from itertools import pairwise

import pytest
from hypothesis import given

from carrierflow.domain.lifecycle import DEFAULT, GROUPS, as_rows
from carrierflow.domain.model import START, Machine, Status

from .agreement import CELLS, by_rows, disagreements, every_definition
from .strategies import definitions


def rows_of(definition):
    """Return the definition's steps as plain rows, as a database would hold them."""
    return [(row.machine, row.from_status, row.to_status) for row in as_rows(definition)]


def test_all_agree_on_every_cell():
    """Definition, machine, table and rows agree on every cell, whatever groups are switched on."""
    found = [
        line
        for definition in every_definition()
        for line in disagreements(definition, rows=by_rows(rows_of(definition)))
    ]

    assert [] == found


def test_the_walk_leaves_nothing_out():
    """The walk visits every pair of places of both machines, for each of the 32 lifecycles."""
    places = {START, *Status}

    assert 2 * 15 * 15 == len(set(CELLS))
    assert {(m, a, b) for m in Machine for a in places for b in places} == set(CELLS)
    assert 2 * 2 ** len(GROUPS) == len({definition.id for definition in every_definition()})


@pytest.mark.parametrize("planted", range(0, len(CELLS), 7))
def test_one_wrong_cell_is_found(planted):
    """An opinion that is wrong about one single cell is reported, for that cell alone."""
    machine, a, b = CELLS[planted]
    right = by_rows(rows_of(DEFAULT))

    found = disagreements(DEFAULT, liar=lambda *cell: right(*cell) != (cell == CELLS[planted]))

    assert 1 == len(found)
    assert found[0].startswith(f"{machine}: {a}→{b}: ")


def test_a_missing_row_is_found():
    """A database that lost one edge row is reported."""
    lost = rows_of(DEFAULT)[1:]

    assert 1 == len(disagreements(DEFAULT, rows=by_rows(lost)))


@given(definitions)
def test_all_agree_on_lifecycles_of_nobodys_making(definition):
    """Machine and table agree with a lifecycle that we did not write ourselves, too."""
    assert [] == disagreements(definition)


def test_the_default_is_the_one_that_is_written_down():
    """The default lifecycle has exactly the steps of the design, and no others."""
    roads = [
        "start pending readytopick picking delivering delivered",
        "start readytopick",
        "delivering notmeetcustomer delivering",
        "notmeetcustomer waitingforreturn return",
        "pending cancel",
        "readytopick cancel",
        "picking cancel",
        "start none",
        "start codpending codpaid codreceipt",
    ]
    steps = {step for road in roads for step in pairwise(road.split())}

    assert steps == {(a, b) for _, a, b in rows_of(DEFAULT)}


@pytest.mark.parametrize(
    ("group", "steps"),
    [
        ("refused", {("delivering", "waitingforreturn")}),
        ("redeliver", {("waitingforreturn", "delivering")}),
        ("return_after_delivery", {("delivered", "waitingforreturn")}),
        ("late_cancel", {("delivering", "cancel"), ("notmeetcustomer", "cancel")}),
    ],
)
def test_a_group_holds_the_steps_that_its_name_promises(group, steps):
    """Each optional group adds exactly the steps that the design lists for it."""
    assert steps == {(edge.from_status, edge.to_status) for edge in GROUPS[group]}
