"""What ships for a host's tests: parcels at any status, and a world that leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from carrierflow.domain.lifecycle import DEFAULT, GROUPS, Lifecycle, define
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.errors import InvalidInput
from carrierflow.testing import HostWorld, bring, open_at


EXAMPLE = Path(__file__).parents[3] / "examples" / "testing_a_host"
LEGAL = Lifecycle(DEFAULT)


@pytest.fixture
def world(sqlite_database):
    """A world with a shop."""
    with HostWorld(sqlite_database.url) as made:
        made.shop()
        yield made


def reachable(status):
    """Tell whether a parcel with cash can stand at a status after its opening."""
    return LEGAL.reaches(Status.READYTOPICK, status) or LEGAL.reaches(Status.CODPENDING, status)


@pytest.mark.parametrize("status", [status for status in Status if reachable(status)])
def test_a_parcel_is_brought_to_any_status(world, status):
    """Delivery or cash, it stands there by a legal history, in the past, and it verifies."""
    ref = world.parcel(status=status, cod_amount=7)

    parcel = world.app.parcel(ref.shop, ref.fulfillment_id)
    assert status == parcel.head(status.machine).status
    assert all(
        e.occurred_at <= world.clock()
        for e in world.app.timeline("myshop", ref.fulfillment_id).entries
    )
    assert world.app.verify().ok


@pytest.mark.parametrize("status", [s for s in Status if not reachable(s)])
def test_where_no_road_leads_is_one_sentence(world, status):
    """The beginning is no place to be brought to, nor is a status that is never written."""
    ref = FulfillmentRef(shop="myshop", order_id="1", fulfillment_id="2")
    open_at(world.app.ledger, ref, at=world.clock(), cod_amount=7)

    with pytest.raises(InvalidInput, match=r"leads from|comes to"):
        bring(world.app.ledger, ref, status, after=world.clock())


def test_a_parcel_takes_the_roads_of_a_lifecycle_of_ones_own(sqlite_database):
    """A group that is switched on shortens the road; it is the world's own lifecycle."""
    assert "refused" in GROUPS
    shorter = Lifecycle(define(["refused"])).road(Status.READYTOPICK, Status.WAITINGFORRETURN)
    with HostWorld(sqlite_database.url, lifecycle_groups=["refused"]) as world:
        world.shop()
        ref = world.parcel(status=Status.WAITINGFORRETURN)
        entries = world.app.timeline("myshop", ref.fulfillment_id).entries

    steps = [entry.to_status for entry in entries if entry.machine is Machine.DELIVERY]
    assert [Status.READYTOPICK, *shorter] == steps


def test_a_run_tells_the_platform_of_this_process(world):
    """What the ledger knows the platform shows after a run, in the time of the clock alone."""
    ref = world.parcel(status=Status.DELIVERED, cod_amount=510_000)
    began = world.clock()

    world.clock.advance(60)
    (report,) = world.app.reconcile()

    assert "done" == report.end_reason
    assert ("delivered", "codpaid") == world.shown(ref)
    assert began + timedelta(seconds=60) <= world.clock() < began + timedelta(hours=1)


def test_the_example_passes_as_it_stands():
    """A host copies these two files; pytest needs no more than its plugin."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert 0 == done.returncode, done.stdout
    assert "3 passed" in done.stdout
