# The expected value stands first.

import gc
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from carrierflow.domain.lifecycle import (
    DEFAULT,
    Definition,
    Edge,
    Lifecycle,
    LifecycleMachine,
    MachineDefinition,
)
from carrierflow.domain.model import START, Machine, Status

from .agreement import CELLS


@pytest.fixture
def machine():
    """Build the default lifecycle as state machines."""
    return LifecycleMachine(DEFAULT)


def shape_of(machine):
    """Describe everything that the state machines hold, to see whether it changes."""
    return [
        (
            list(built.models),
            list(built.states),
            list(built._transition_queue),
            {
                name: {a: len(b) for a, b in e.transitions.items()}
                for name, e in built.events.items()
            },
        )
        for built in machine._machines.values()
    ]


def test_answers_the_two_questions(machine):
    """A parcel being picked can go out for delivery or be cancelled, and cannot be delivered."""
    assert machine.allows(Machine.DELIVERY, Status.PICKING, Status.DELIVERING)
    assert not machine.allows(Machine.DELIVERY, Status.PICKING, Status.DELIVERED)
    assert (Status.DELIVERING, Status.CANCEL) == machine.allowed(Machine.DELIVERY, Status.PICKING)


def test_lists_in_the_order_of_the_table(machine):
    """Both forms of the lifecycle list the next statuses in the same order, as statuses."""
    table = Lifecycle(DEFAULT)

    for name in Machine:
        for place in (START, *Status):
            answer = machine.allowed(name, place)
            assert table.allowed(name, place) == answer
            assert all(type(status) is Status for status in answer)


def test_bears_the_id_of_its_definition(machine):
    """The machine names the definition that it was built from."""
    assert DEFAULT.id == machine.id


@pytest.mark.parametrize("word", ["", "*", "=", "PICKING", "lost", "to_picking", "state"])
def test_a_foreign_word_is_refused_and_raises_nothing(machine, word):
    """A word that is no status leads nowhere and is led to from nowhere."""
    assert not machine.allows(Machine.DELIVERY, word, Status.PICKING)
    assert not machine.allows(Machine.DELIVERY, Status.READYTOPICK, word)
    assert () == machine.allowed(Machine.DELIVERY, word)


def test_has_no_jumps_of_the_library_s_own(machine):
    """The library's automatic `to_…` events, which step around the table, do not exist."""
    for built in machine._machines.values():
        assert [] == [name for name in built.events if name.startswith("to_")]
        assert set(built.events) <= set(Status)


def test_edges_between_statuses_equal_edges_between_words():
    """An edge written with a status and one written with its word make the same machine."""
    delivery = MachineDefinition(
        machine=Machine.DELIVERY,
        edges=frozenset({Edge(START, Status.PICKING), Edge(Status.PICKING, Status.CANCEL)}),
        final=frozenset({Status.CANCEL}),
    )
    machine = LifecycleMachine(Definition(delivery=delivery, cod=DEFAULT.cod, couplings=()))

    for place in (Status.PICKING, "picking"):
        assert machine.allows(Machine.DELIVERY, place, Status.CANCEL)
        assert machine.allows(Machine.DELIVERY, place, "cancel")


def test_keeps_no_object_alive(machine):
    """Ten thousand steps, legal and not, leave nothing behind, even without a garbage collector."""
    for cell in CELLS:
        machine.allows(*cell)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(5_000):
            machine.allows(Machine.DELIVERY, "picking", "delivering")
            machine.allows(Machine.DELIVERY, "delivered", "picking")
        kept = len(gc.get_objects()) - before
    finally:
        gc.enable()

    assert kept < 100


def test_writes_no_shared_state(machine):
    """Asking about every cell changes nothing in the machines and attaches no model to them."""
    before = shape_of(machine)

    for cell in CELLS:
        machine.allows(*cell)
        machine.allowed(*cell[:2])

    assert before == shape_of(machine)
    assert all([] == built.models for built in machine._machines.values())


def test_threads_share_one_machine(machine):
    """Threads that ask the same machine at once each get the answers of one that asks alone."""
    alone = [machine.allows(*cell) for cell in CELLS]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: [machine.allows(*cell) for cell in CELLS], range(16)))

    assert [alone] * 16 == together


def test_says_nothing_to_the_log_of_its_host(machine, caplog):
    """A host that logs at level INFO reads nothing about single steps."""
    caplog.set_level(logging.INFO)

    for cell in CELLS:
        machine.allows(*cell)

    assert [] == caplog.records
