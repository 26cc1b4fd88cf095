# The expected value stands first.

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.lifecycle import (
    DEFAULT,
    Definition,
    Edge,
    Lifecycle,
    MachineDefinition,
    define,
)
from carrierflow.domain.model import START, Machine, Status

from .strategies import definitions


PLACES = (START, *Status)
pairs = st.tuples(st.sampled_from(PLACES), st.sampled_from(list(Status)))


@pytest.fixture
def lifecycle():
    """Compile the default lifecycle."""
    return Lifecycle(DEFAULT)


@given(definitions, pairs)
def test_a_road_is_legal_and_as_short_as_any(definition, pair):
    """A road is a chain of legal steps to its end, and no chain of fewer steps gets there."""
    start, end = pair
    lifecycle = Lifecycle(definition)
    road = lifecycle.road(start, end)

    distance, reached = 0, {start}
    while distance <= len(Status) and (distance == 0 or end not in reached):
        reached = {s for place in reached for s in lifecycle.allowed(end.machine, place)}
        distance += 1

    assert bool(road) == (end in reached and distance > 0) == lifecycle.reaches(start, end)
    if road:
        assert distance == len(road)
        assert end == road[-1]
        for a, b in zip((start, *road), road, strict=False):
            assert lifecycle.allows(end.machine, a, b)


@given(definitions, pairs)
def test_a_road_is_the_first_of_its_length(definition, pair):
    """Of all roads of the shortest length the earliest is taken, `delivered` counting as last."""
    start, end = pair
    order = sorted(Status, key=Status.DELIVERED.__eq__)
    lifecycle = Lifecycle(definition)
    road = lifecycle.road(start, end)

    place, left = start, len(road)
    for step in road:
        left -= 1
        earlier = [
            s
            for s in lifecycle.allowed(end.machine, place)
            if order.index(s) < order.index(step)
            and (s == end if left == 0 else 0 < len(lifecycle.road(s, end)) <= left)
        ]
        assert [] == earlier
        place = step


@given(definitions, pairs)
def test_a_road_is_the_same_each_time(definition, pair):
    """Two tables compiled from the same definition show the same road."""
    assert Lifecycle(definition).road(*pair) == Lifecycle(definition).road(*pair)


@pytest.mark.parametrize(
    ("start", "end", "road"),
    [
        ("readytopick", "delivered", "picking delivering delivered"),
        ("start", "delivered", "readytopick picking delivering delivered"),
        ("delivering", "return", "notmeetcustomer waitingforreturn return"),
        ("delivering", "delivering", "notmeetcustomer delivering"),
        ("notmeetcustomer", "delivered", "delivering delivered"),
        ("start", "codreceipt", "codpending codpaid codreceipt"),
        ("delivered", "picking", ""),
        ("delivered", "delivered", ""),
        ("none", "codpaid", ""),
        ("codpending", "delivered", ""),
        ("picking", "codpaid", ""),
        ("lost", "delivered", ""),
    ],
)
def test_roads_of_the_default_lifecycle(lifecycle, start, end, road):
    """Missed scans are filled in by the steps that a dispatcher would name."""
    assert tuple(road.split()) == lifecycle.road(start, Status(end))
    assert bool(road) == lifecycle.reaches(start, Status(end))


def test_a_long_way_round_is_not_taken():
    """A status found early on a long road is still reached by the short one."""
    steps = {
        (START, "pending"),
        (START, "readytopick"),
        ("readytopick", "picking"),
        ("picking", "delivering"),
        ("pending", "delivering"),
        ("delivering", "delivered"),
    }
    delivery = MachineDefinition(
        machine=Machine.DELIVERY,
        edges=frozenset(Edge(a, Status(b)) for a, b in steps),
        final=frozenset({Status.DELIVERED}),
    )
    lifecycle = Lifecycle(Definition(delivery=delivery, cod=DEFAULT.cod, couplings=()))

    assert ("pending", "delivering", "delivered") == lifecycle.road(START, Status.DELIVERED)


def test_a_refusal_shortens_the_road_back(lifecycle):
    """With refusals allowed, a parcel goes back without a failed attempt in between."""
    wider = Lifecycle(define(["refused"]))

    assert 3 == len(lifecycle.road(Status.DELIVERING, Status.RETURN))
    assert (Status.WAITINGFORRETURN, Status.RETURN) == wider.road(Status.DELIVERING, Status.RETURN)


def test_finals_are_where_nothing_leads_on(lifecycle):
    """A status is final exactly if it is one of five, and nothing leads on from these."""
    final = {status for status in Status if lifecycle.is_final(status)}

    assert {"delivered", "return", "cancel", "none", "codreceipt"} == final
    assert all(() == lifecycle.allowed(status.machine, status) for status in final)


def test_only_codnotreceipt_is_never_written(lifecycle):
    """Every status but codnotreceipt may be recorded."""
    assert [Status.CODNOTRECEIPT] == [s for s in Status if lifecycle.never_written(s)]


def test_cash_is_collected_on_delivery(lifecycle):
    """Paid needs delivered and follows it; nothing else is coupled to the other machine."""
    assert {Status.CODPAID: Status.DELIVERED} == {
        status: lifecycle.needs(status) for status in Status if lifecycle.needs(status)
    }
    assert {Status.DELIVERED: Status.CODPAID} == {
        status: lifecycle.follower(status) for status in Status if lifecycle.follower(status)
    }


def test_a_carrier_may_count_its_cash_separately():
    """With the rule switched off paid still needs delivered, and follows nothing by itself."""
    lifecycle = Lifecycle(define(paid_on_delivery=False))

    assert Status.DELIVERED == lifecycle.needs(Status.CODPAID)
    assert [] == [status for status in Status if lifecycle.follower(status)]


def test_bears_the_id_of_its_definition(lifecycle):
    """The table names the definition that it was compiled from."""
    assert DEFAULT.id == lifecycle.id


def test_an_unknown_word_leads_nowhere(lifecycle):
    """A word that is no status is refused, never taken for one."""
    for machine in Machine:
        assert () == lifecycle.allowed(machine, "lost")
        assert not lifecycle.allows(machine, START, "lost")


def test_a_road_does_not_pass_a_delivery_where_another_is_as_short():
    """Filling a gap never concludes that a parcel was delivered, and its cash collected."""
    lifecycle = Lifecycle(define(["return_after_delivery"]))

    road = lifecycle.road("delivering", Status.RETURN)

    assert (Status.NOTMEETCUSTOMER, Status.WAITINGFORRETURN, Status.RETURN) == road
