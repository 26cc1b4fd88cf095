"""Who holds a shop is told, and a holder that is provably gone holds nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import update

from carrierflow.errors import ShopHeld
from carrierflow.storage import processes
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import shops


MINUTE = timedelta(minutes=1)


@pytest.fixture
def leases(store):
    return SqlReconcileStore(store)


def held_by(store, process):
    """Let some process be the one that holds every shop."""
    store.transact(lambda c: c.execute(update(shops).values(lease_process=process)))


@pytest.fixture
def child():
    """Another process on this host, and how it is written down."""
    waits = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE) as process:
        me = processes.this_process()
        place, _, _ = processes._parts(me)
        yield process, f"{place}/{process.pid}/{processes._start_of(process.pid)}"
        process.kill()


def test_whoever_waits_is_told_for_whom(store, leases, shop):
    """The sentence names the run, its process, since when it holds the shop and until when."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)

    with pytest.raises(ShopHeld, match=r"\(process \d+ on .*, run first-run\).* since .* until "):
        leases.claim(mine, "second-run", MINUTE)
    with pytest.raises(ShopHeld) as caught:
        leases.claim(mine, "second-run", MINUTE)
    assert caught.value.until - caught.value.since == MINUTE


def test_a_holder_that_is_gone_is_not_waited_for(store, leases, shop, child):
    """A living process keeps its shop; killed, even before it is buried, it does not."""
    process, written = child
    mine = store.shop(shop)
    fence = leases.claim(mine, "first-run", MINUTE)
    held_by(store, written)
    with pytest.raises(ShopHeld):
        leases.claim(mine, "second-run", MINUTE)

    process.kill()
    process.wait()

    assert fence + 1 == leases.claim(mine, "second-run", MINUTE)
    assert not leases.renew(mine, fence, MINUTE)


@pytest.mark.parametrize(
    "other", [None, "", "elsewhere/boot/pid:[1]/1/1", "{place}/1/", "odd", "{place}/x/1"]
)
def test_nobody_is_gone_without_proof(store, leases, shop, other):
    """Another host, another boot, another space of numbers, or no start: the lease runs out."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)
    place, _, _ = processes._parts(processes.this_process())
    held_by(store, other and other.replace("{place}", place))

    with pytest.raises(ShopHeld):
        leases.claim(mine, "second-run", MINUTE)


def test_a_number_that_another_process_bears_by_now_is_no_proof_of_life(store, leases, shop):
    """A process is known by its start, too: its number may have been given to another one."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)
    place, number, _ = processes._parts(processes.this_process())
    held_by(store, f"{place}/{number}/1")

    assert leases.claim(mine, "second-run", MINUTE)
