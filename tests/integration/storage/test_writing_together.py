"""Turns of several parcels that are written in one transaction, as runs write what is quiet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from known_parcels import in_short
from sqlalchemy import select

from carrierflow.domain.fulfillment import RemoteSnapshot
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Machine, Observation, RemoteWord, Status
from carrierflow.domain.publication import Publication, PublicationState
from carrierflow.errors import ConcurrentUpdate
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import incidents, observations, publications


@pytest.fixture
def runs(store):
    """The store as runs see it."""
    return SqlReconcileStore(store)


@pytest.fixture
def rows(store):
    """Return all rows of a table, without their own numbers."""

    def read(table):
        columns = [column for column in table.c if column.name != "id"]
        with store.reading() as connection:
            return sorted(map(tuple, connection.execute(select(*columns))), key=repr)

    return read


@pytest.fixture
def update(clock):
    """Return a function that makes what a first look at a parcel writes."""

    def make(parcel, *publications, findings=()):
        word = RemoteWord(raw="readytopick", status=Status.READYTOPICK)
        cash = RemoteWord(raw="none", status=Status.NONE)
        seen = Observation(
            ref=parcel.ref,
            asked_at=clock(),
            seen_at=clock(),
            carrier=word,
            cod=cash,
            updated_at=clock(),
            updated_at_raw="now",
        )
        remote = RemoteSnapshot(
            carrier=word, cod=cash, updated_at=clock(), dates={}, digest="d" * 64
        )
        after = replace(parcel, remote=remote, verified_at=clock(), seen_at=clock())
        return FulfillmentUpdate(
            before=parcel,
            after=after,
            now=clock(),
            publications=publications,
            observation=seen,
            findings=findings,
        )

    return make


def confirmed(clock, seq, attempts=0):
    """Return a step of the delivery as one that the platform shows."""
    return Publication(
        machine=Machine.DELIVERY,
        seq=seq,
        state=PublicationState.CONFIRMED,
        attempts=attempts,
        confirmed_at=clock(),
    )


def test_what_is_written_together_is_what_is_written_one_by_one(
    store, shop, runs, rows, make_parcel, update, clock
):
    """Parcels, publications known and new, observations, incidents: each row is the same."""
    found, tables = [], (publications, observations, incidents)
    for together in (False, True):
        parcels = [make_parcel() for _ in range(3)]
        first = update(parcels[1], confirmed(clock, 1))
        parcels[1], _ = runs.write(first, fence=None)
        before = {table: rows(table) for table in tables}
        odd = Finding(kind="timeline_differs", sentence="Odd.", ref=parcels[2].ref, evidence={})
        writings = [
            update(parcels[2], confirmed(clock, 1), findings=(odd,)),
            update(parcels[0], confirmed(clock, 1)),
            update(parcels[1], confirmed(clock, 1, attempts=2)),
        ]
        if together:
            written, opened = runs.write_all(writings)
        else:
            each = [runs.write(writing, fence=None) for writing in writings]
            written, opened = tuple(parcel for parcel, _ in each), sum(new for _, new in each)
        ids = {parcel.id: number for number, parcel in enumerate(parcels)}
        stored = runs.parcels(store.shop(shop), ids)
        assert sorted(written, key=lambda parcel: parcel.id) == stored
        new = [len(rows(table)) - len(before[table]) for table in tables]
        with store.reading() as connection:
            query = select(publications).where(publications.c.fulfillment.in_(ids))
            tried = [(ids[row[0]], *row[1:]) for row in connection.execute(query)]
        looks = [(ids[p.id], p.version, p.remote, p.verified_at) for p in stored]
        found.append((opened, new, sorted(tried, key=repr), looks))

    alone, together = found
    assert alone == together
    assert (1, [2, 3, 1]) == together[:2]


def test_one_parcel_that_somebody_changed_keeps_all_from_being_written(
    store, shop, runs, rows, make_parcel, update, clock
):
    """A version that is no longer the one read undoes the whole transaction."""
    stale, other = make_parcel(), make_parcel()
    changed, _ = runs.write(update(stale), fence=None)
    before = rows(observations), rows(publications)

    with pytest.raises(ConcurrentUpdate):
        runs.write_all([update(other, confirmed(clock, 1)), update(stale, confirmed(clock, 1))])

    assert before == (rows(observations), rows(publications))
    assert [changed, other] == runs.parcels(store.shop(shop), {stale.id, other.id})


def test_what_is_compared_of_a_parcel_is_what_the_whole_parcel_says(
    store, shop, runs, make_parcel, update
):
    """The short form of a look has the values of the parcel, before the first look and after."""
    mine = store.shop(shop)
    parcels = [make_parcel(cod_amount=5), make_parcel()]
    runs.write(update(parcels[0]), fence=None)
    orders = [parcel.ref.order_id for parcel in parcels]

    expected = [in_short(parcel) for parcel in runs.parcels_of(mine, orders)]
    assert expected == runs.known_of(mine, orders)
