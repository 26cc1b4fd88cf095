"""A host that is given up while a write to it is under way: that has its answer, or its time."""

from __future__ import annotations

import pytest
from carrier import carrying

from carrierflow.sandbox.haravan import Fault, FaultKind, Faults, Rule


SLOW = 1.5
"""Seconds until the first write at one shop is answered; the others are done long before."""


@pytest.fixture
def carrier(tmp_path):
    """Two shops, one at a host that becomes slow; the slowness and the patience are real."""
    slow = Rule(fault=Fault(kind=FaultKind.SLOW, seconds=SLOW), method="PUT", shop="slow")
    url, faults = f"sqlite:///{tmp_path}/ledger.db", Faults(script=[slow])
    with carrying(url, faults=faults, silence_seconds=0.1) as carrier:
        carrier.connect("quick", "slow")
        yield carrier


@pytest.fixture
def parcels(carrier):
    return [carrier.parcel("slow", walk=["picking"]) for _ in range(3)]


def test_a_write_under_way_gets_its_answer(carrier, parcels):
    """It is waited for beyond the end of all else, and then the shop has answered: it goes on."""
    carrier.parcel("quick", walk=["picking"])

    _, slow = carrier.app.reconcile(full=True)

    assert ("done", 3, 3) == (slow.end_reason, slow.published, slow.requests.put)
    assert all(map(carrier.agrees, parcels))


def test_a_write_under_way_gets_its_time_out(carrier, parcels):
    """Nothing more is told to that host in this run, and the next one doubles nothing."""
    impatient = carrier.another_app(request_timeout=0.5)

    _, slow = impatient.reconcile(full=True)
    assert ("unavailable", 0, 1) == (slow.end_reason, slow.published, slow.requests.put)
    assert 1 == impatient.store.shop("slow").unanswered

    impatient.reconcile(full=True, wait=True)
    assert all(map(carrier.agrees, parcels))
    assert (3, (), ()) == (
        carrier.judgement().applied,
        carrier.judgement().illegal,
        carrier.judgement().repeated,
    )
