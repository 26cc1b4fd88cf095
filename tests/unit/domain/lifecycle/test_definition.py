# The expected value stands first.

import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import carrierflow
from carrierflow.domain.lifecycle import (
    DEFAULT,
    GROUPS,
    Coupling,
    Definition,
    Edge,
    MachineDefinition,
    define,
)
from carrierflow.domain.lifecycle.definition import _edges
from carrierflow.domain.model import Machine, Status
from carrierflow.errors import DefinitionError, InvalidInput

from .agreement import every_definition
from .strategies import definitions


DEFAULT_ID = "e173b4958317aee4d5b98cda66befd44fdbd09258dff4d1a41d04b35b350e536"


def delivery_machine(*steps, final=("delivered",), never_written=(), machine=Machine.DELIVERY):
    """Build a machine from steps written as `from to`, with words that may be wrong."""
    return MachineDefinition(
        machine=machine,
        edges=frozenset(Edge(*step.split()) for step in steps),
        final=frozenset(final),
        never_written=frozenset(never_written),
    )


GOOD = ("start picking", "picking delivered")


def test_a_sound_machine_is_accepted():
    """The machine that the faulty ones below are made from is itself without fault."""
    assert (Status.PICKING, Status.DELIVERED) == delivery_machine(*GOOD).statuses


@pytest.mark.parametrize(
    ("steps", "further", "problem"),
    [
        ((*GOOD, "picking lost"), {}, "'lost' in picking→lost is not a status"),
        ((*GOOD, "lost delivered"), {}, "'lost' in lost→delivered is not a status"),
        ((*GOOD, "picking codpaid"), {}, "picking→codpaid joins it to the other machine"),
        ((*GOOD, "codpaid delivered"), {}, "codpaid→delivered joins it to the other machine"),
        ((*GOOD, "picking picking"), {}, "picking→picking leads nowhere"),
        ((*GOOD, "picking start"), {}, "picking→start leads back to the start"),
        ((*GOOD, "delivered picking"), {}, "delivered→picking leaves a final status"),
        ((*GOOD, "picking return"), {}, "return is a dead end that is not called final"),
        (GOOD, {"final": ["delivered", "return"]}, "return is called final and never reached"),
        (GOOD, {"final": ["delivered", "none"]}, "none is called final and never reached"),
        (GOOD, {"final": ["delivered", "lost"]}, "lost is called final and never reached"),
        ((*GOOD, "pending delivered"), {}, "pending cannot be reached from the start"),
        (
            (*GOOD, "pending delivering", "delivering pending", "pending delivered"),
            {},
            "delivering cannot be reached from the start",
        ),
        (
            (*GOOD, "picking pending", "pending delivering", "delivering pending"),
            {},
            "no road leads from delivering to a final status",
        ),
        ((), {"final": []}, "no step leaves the start"),
        (
            (*GOOD, "picking return"),
            {"final": ["delivered", "return"], "never_written": ["return"]},
            "picking→return leads to a status that is never written",
        ),
        (
            GOOD,
            {"never_written": ["codnotreceipt"]},
            "codnotreceipt is called never written and is none of its statuses",
        ),
        (
            GOOD,
            {"never_written": ["lost"]},
            "lost is called never written and is none of its statuses",
        ),
        (
            ("start codpending", "codpending codpaid", "codnotreceipt codpaid"),
            {"machine": Machine.COD, "final": ["codpaid"], "never_written": ["codnotreceipt"]},
            "codnotreceipt cannot be reached from the start",
        ),
    ],
)
def test_a_machine_that_contradicts_itself_is_refused(steps, further, problem):
    """A faulty machine cannot be built, and the error names machine, step and fault."""
    name = further.get("machine", Machine.DELIVERY)

    with pytest.raises(DefinitionError) as caught:
        delivery_machine(*steps, **further)

    assert f"The {name} machine cannot be used: {problem}." == str(caught.value)


@pytest.mark.parametrize(
    ("couplings", "problem"),
    [
        (
            [("delivering", "picking")],
            "delivering is coupled, and the cod machine never",
        ),
        ([("codnotreceipt", "delivered")], "codnotreceipt is coupled, and the cod machine never"),
        ([("codpaid", "codnotreceipt")], "codpaid needs codnotreceipt, which is never reached"),
        ([("codreceipt", "codpending")], "codreceipt needs codpending, which is not a step before"),
        ([("codpaid", "codpaid")], "codpaid needs codpaid, which is not a step before it"),
        ([("codpaid", "delivered"), ("codpaid", "return")], "codpaid is coupled twice"),
        (
            [("codpaid", "delivered", True), ("codreceipt", "delivered", True)],
            "two statuses follow delivered",
        ),
    ],
)
def test_a_coupling_that_cannot_hold_is_refused(couplings, problem):
    """A coupling to a status that is never reached, or a second one, cannot be built."""
    made = tuple(
        Coupling(status=Status(status), needs=Status(needs), follows=bool(follows))
        for status, needs, *follows in couplings
    )

    with pytest.raises(DefinitionError) as caught:
        replace(DEFAULT, couplings=made)

    assert str(caught.value).startswith(f"The lifecycle cannot be used: {problem}")


def test_a_coupling_needs_a_status_that_the_other_machine_has():
    """A delivery machine without `delivered` cannot carry the coupling to it."""
    delivery = delivery_machine("start picking", "picking return", final=["return"])

    with pytest.raises(DefinitionError, match="codpaid needs delivered, which is never reached"):
        replace(DEFAULT, delivery=delivery)


def test_machines_cannot_change_places():
    """A definition with the cash machine in the place of the delivery machine is refused."""
    with pytest.raises(DefinitionError, match="cod machine stands in the place of the delivery"):
        Definition(delivery=DEFAULT.cod, cod=DEFAULT.delivery, couplings=())


def test_a_step_written_twice_is_refused():
    """A table of steps that names one twice is refused, although the set would swallow it."""
    with pytest.raises(DefinitionError, match="written twice"):
        _edges(("picking", "delivering"), ("picking", "delivering"))


def test_no_group_repeats_a_step():
    """No optional step stands in the default or in a second group, so each has one name."""
    steps = [edge for edges in (DEFAULT.delivery.edges, *GROUPS.values()) for edge in edges]

    assert len(steps) == len(set(steps))


def test_an_unknown_group_is_refused_by_name():
    """Switching on a group that does not exist is an error that names those that do."""
    with pytest.raises(InvalidInput) as caught:
        define(["refused", "teleport"])

    assert str(caught.value) == (
        "There is no group of steps 'teleport'; the groups are "
        "refused, redeliver, return_after_delivery, late_cancel."
    )


@pytest.mark.parametrize(
    ("groups", "final"),
    [
        ((), {"delivered", "return", "cancel"}),
        (("refused", "redeliver", "late_cancel"), {"delivered", "return", "cancel"}),
        (("return_after_delivery",), {"return", "cancel"}),
    ],
)
def test_a_status_with_a_way_on_is_not_final(groups, final):
    """Delivered stops being final exactly where a parcel may come back after delivery."""
    assert final == define(groups).delivery.final


def test_codnotreceipt_is_never_written():
    """No lifecycle leads to codnotreceipt: it is read, never recorded."""
    for definition in every_definition():
        assert {Status.CODNOTRECEIPT} == definition.cod.never_written
        assert Status.CODNOTRECEIPT not in definition.cod.statuses


def test_the_default_s_id_is_pinned():
    """Old history rows keep their definition: the default's id changes only on purpose."""
    assert DEFAULT_ID == DEFAULT.id == define().id


def test_the_id_can_be_recomputed_without_us():
    """An auditor gets the id from the canonical text with stock JSON and SHA-256."""
    again = json.dumps(json.loads(DEFAULT.canonical), sort_keys=True, separators=(",", ":"))

    assert DEFAULT.id == sha256(again.encode("ascii")).hexdigest()


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_id_does_not_depend_on_the_hash_seed(seed):
    """Another process with another hash seed computes the same id."""
    code = "from carrierflow.domain.lifecycle import GROUPS, define; print(define(GROUPS).id)"
    home = str(Path(carrierflow.__file__).parents[1])

    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": home},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()

    assert define(GROUPS).id == printed


@given(definitions, st.randoms(use_true_random=False))
def test_same_content_same_id(definition, random: Random):
    """The order in which steps, ends and couplings are written down leaves the id alone."""
    again = Definition(
        delivery=shuffled(definition.delivery, random),
        cod=shuffled(definition.cod, random),
        couplings=tuple(random.sample(definition.couplings, len(definition.couplings))),
    )

    assert definition.id == again.id


def shuffled(machine, random):
    """Build the same machine from its parts in another order, with words for statuses."""
    edges = random.sample(sorted(machine.edges), len(machine.edges))
    return MachineDefinition(
        machine=machine.machine,
        edges=frozenset(Edge(str(edge.from_status), edge.to_status) for edge in edges),
        final=frozenset(random.sample(sorted(machine.final), len(machine.final))),
        never_written=machine.never_written,
    )


def test_groups_may_be_named_in_any_order_and_twice():
    """Switching the same groups on in another order gives the same lifecycle."""
    assert define(GROUPS) == define([*reversed(GROUPS), "refused"])


def changed_by_one():
    """Build every lifecycle that differs from the default in one single thing."""
    paid, received = DEFAULT.couplings
    for group in GROUPS.values():
        for edge in group - GROUPS["return_after_delivery"]:
            yield replace(
                DEFAULT, delivery=replace(DEFAULT.delivery, edges=DEFAULT.delivery.edges | {edge})
            )
    for a, b in (("pending", "cancel"), ("readytopick", "cancel"), ("picking", "cancel")):
        edges = DEFAULT.delivery.edges - {Edge(a, Status(b))}
        yield replace(DEFAULT, delivery=replace(DEFAULT.delivery, edges=edges))
    yield define(["return_after_delivery"])
    yield replace(DEFAULT, cod=replace(DEFAULT.cod, never_written=frozenset()))
    yield replace(DEFAULT, couplings=())
    yield replace(DEFAULT, couplings=(paid,))
    yield replace(DEFAULT, couplings=(received,))
    yield replace(DEFAULT, couplings=(replace(paid, follows=False), received))
    yield replace(DEFAULT, couplings=(replace(paid, needs=Status.DELIVERING), received))
    yield replace(DEFAULT, couplings=(paid, replace(received, needs=Status.DELIVERED)))


def test_any_change_changes_the_id():
    """Lifecycles that differ in one step, end or coupling have different ids."""
    ids = [DEFAULT.id, *(definition.id for definition in changed_by_one())]

    assert 16 == len(ids) == len(set(ids))


def test_a_changed_end_changes_the_id():
    """Two machines with equal steps of which one calls another status final differ in id."""
    ids = {
        replace(DEFAULT, delivery=machine, couplings=()).id
        for machine in (
            delivery_machine(*GOOD),
            delivery_machine("start picking", "picking return", final=["return"]),
            delivery_machine(*GOOD, never_written=["pending"]),
        )
    }

    assert 3 == len(ids)


def test_a_definition_cannot_be_changed():
    """A definition that is in use cannot be changed under those who use it."""
    with pytest.raises(AttributeError):
        DEFAULT.couplings = ()
    with pytest.raises(AttributeError):
        DEFAULT.delivery.final = frozenset()
