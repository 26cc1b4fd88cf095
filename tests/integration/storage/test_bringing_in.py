"""A database of before is brought to the rows that an auditor relies on; history stays."""

from __future__ import annotations

import json

import pytest
from plain_runs import begin, end
from sqlalchemy import select, text, update

from carrierflow.domain.decision import standing_after
from carrierflow.domain.incident import Finding, ResolveAction, content_digest
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage import upgrade
from carrierflow.storage.decisions import decisions_of
from carrierflow.storage.migrate import VERSION_TABLE
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import (
    administration,
    decisions,
    fulfillments,
    history,
    incidents,
    run_ends,
    runs,
    terms,
)


BEFORE = "r0011"
ADDED = (terms, decisions, run_ends, administration)
"""Tables that the version before had not got."""


@pytest.fixture
def old(own_database, make_engine, make_store, make_ledger, make_shop, clock):
    """A database of the version before, with three parcels of a shop."""
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    for name in ("a", "b", "c"):
        ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=name)
        ledger.open(Opening(ref=ref, cod_amount=7, tracking_number=f"VN-{name}"))
        ledger.record(Event(shop=shop, fulfillment_id=name, status=Status.PICKING))
        clock.advance(hours=1)
    _meet_incidents(store, shop, clock)
    _run(store, shop, clock)
    with engine.begin() as connection:
        for table in reversed(ADDED):
            connection.execute(text(f"DROP TABLE {table.name}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{BEFORE}'"))
    return engine


def _meet_incidents(store, shop, clock):
    """Make an incident of each kind of end, one that is open, one with an owner, and one again."""
    kept = SqlReconcileStore(store)
    found = kept.shop(shop)
    findings = [
        Finding(kind=word, sentence=f"It is {word}.", ref=None, evidence={"it": word})
        for word in ("open", "owned", "unfreeze", "resume", "gone", "again")
    ]
    kept.open_incidents(found, findings, now=clock())
    by_kind = {incident.kind: incident for incident in kept.incidents(shop=shop)}
    clock.advance(hours=1)
    kept.assign_incident(by_kind["owned"].id, "lan", actor="mai", now=clock())
    for action in (ResolveAction.UNFREEZE, ResolveAction.RESUME):
        given = {"action": action, "actor": "lan", "reason": "why", "now": clock()}
        kept.resolve(by_kind[action], lambda _: None, **given)
    for kind in ("gone", "again"):
        kept.close_shop_incidents(found, kind, now=clock())
    kept.open_incidents(found, findings[-1:], now=clock())
    with store.begin() as connection:
        i = incidents.c
        connection.execute(
            update(incidents)
            .where(i.kind == "again")
            .values(resolved_by="lan", resolved_reason="x")
        )


def _run(store, shop, clock):
    """Make a run that ended and one that did not."""
    for run in ("ended", "lost"):
        begin(store, run, shop, now=clock())
        clock.advance(minutes=1)
    end(store, "ended", shop, counters={"put": 1}, now=clock(), sentence="Fine.")


def rows_of(engine, table):
    """Read a table."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.c[:3]))]


def upgraded(engine):
    """Upgrade; on MariaDB twice, for there a step that was killed is done again."""
    upgrade(engine)
    if engine.dialect.name in {"mysql", "mariadb"}:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{BEFORE}'"))
        upgrade(engine)


def test_an_upgrade_brings_in_what_was_agreed(old):
    """Each parcel with a history gets its terms, marked as an upgrade's."""
    before = rows_of(old, history)

    upgraded(old)

    query = select(
        fulfillments.c.fulfillment_id,
        *(terms.c[name] for name in ("number", "tracking_number", "cod_amount", "carrier_code")),
        *(terms.c[name] for name in ("source", "actor", "reason")),
    ).join_from(terms, fulfillments, fulfillments.c.id == terms.c.fulfillment)
    with old.connect() as connection:
        found = sorted(tuple(row) for row in connection.execute(query))
    assert [
        (name, 0, f"VN-{name}", 7, "carrier", "upgrade", None, None) for name in ("a", "b", "c")
    ] == found
    assert before == rows_of(old, history)


def test_an_upgrade_brings_in_what_was_decided(old):
    """Each incident gets decisions that it follows from, and what is open says of no end."""
    upgraded(old)

    with old.connect() as connection:
        rows = connection.execute(select(incidents).order_by(incidents.c.id)).all()
        decided = [decisions_of(connection, row.id) for row in rows]
        times = set(connection.execute(select(decisions.c.recorded_at)).scalars())
    assert [
        (row.state, row.owner, row.action, row.opened_at, row.resolved_at, row.resolved_by)
        for row in rows
    ] == [
        (s.state, s.owner, s.action, s.opened_at, s.resolved_at, s.resolved_by)
        for s in map(standing_after, decided)
    ]
    assert [content_digest(row.sentence, row.evidence) for row in rows] == [
        standing_after(each).content_digest for each in decided
    ]
    assert [1, 2, 2, 2, 2, 1] == [len(each) for each in decided]
    assert min(times) > max(row.opened_at for row in rows)


def test_an_upgrade_brings_in_how_runs_ended(old):
    """Each run that ended is kept as it says of itself."""
    names = ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence")
    upgraded(old)

    with old.connect() as connection:
        ended = connection.execute(
            select(runs.c.id, *(runs.c[n] for n in names)).where(runs.c.id == "ended")
        ).all()
        kept = connection.execute(select(run_ends.c.run, *(run_ends.c[n] for n in names))).all()
    assert ended == kept


def test_an_upgrade_tells_what_it_brought_in(old):
    """One row says how many rows were brought in of each table, and none of it is left out."""
    upgraded(old)

    with old.connect() as connection:
        a = administration.c
        query = select(a.subject, a.details).where(a.kind == "brought_in", a.shop.is_(None))
        (told,) = connection.execute(query).all()
    counts = {table.name: str(len(rows_of(old, table))) for table in ADDED[:-1]}
    assert ("r0013", counts) == (
        told.subject,
        {f"carrierflow_{name}": count for name, count in json.loads(told.details).items()},
    )
