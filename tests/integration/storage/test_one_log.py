"""The upgrade to one log: what has a place keeps it, and all else gets one at the next seal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.sql import give_places
from carrierflow.audit.log.unplaced import Unplaced
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.storage import upgrade
from carrierflow.storage.install_triggers import run
from carrierflow.storage.migrate import VERSION_TABLE
from carrierflow.storage.migrations.versions import r0014_one_log
from carrierflow.storage.tables import log, observations
from carrierflow.storage.triggers import triggers


OLD = (
    "CREATE TABLE carrierflow_log_old (position {id} NOT NULL, fulfillment {id} NOT NULL, "
    "machine VARCHAR(8) NOT NULL, seq INTEGER NOT NULL, leaf VARCHAR(64) NOT NULL, "
    "CONSTRAINT pk_carrierflow_log{more} PRIMARY KEY (position), "
    "CONSTRAINT fk_log_entry FOREIGN KEY (fulfillment, machine, seq) "
    "REFERENCES carrierflow_history (fulfillment, machine, seq), "
    "CONSTRAINT uq_log_entry{more} UNIQUE (fulfillment, machine, seq)){options}"
)
"""The log as it was before."""


def put_back(engine):
    """Make the log's table as it was before, with the rows of steps that it has."""
    name = engine.dialect.name
    options = ""
    if name in {"mysql", "mariadb"}:
        options = " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    kind = "INTEGER" if name == "sqlite" else "BIGINT"
    with engine.begin() as connection:
        for trigger in triggers(name, ["carrierflow_log"]):
            on = f" ON {trigger.table}" if name == "postgresql" else ""
            run(connection, f"DROP TRIGGER IF EXISTS {trigger.name}{on}")
        connection.execute(text("ALTER TABLE carrierflow_log RENAME TO carrierflow_log_new"))
        if name == "postgresql":
            for constraint in ("pk_carrierflow_log", "uq_log_entry"):
                connection.execute(
                    text(
                        "ALTER TABLE carrierflow_log_new RENAME CONSTRAINT "
                        f"{constraint} TO {constraint}_new"
                    )
                )
        connection.execute(text(OLD.format(id=kind, more="", options=options)))
        connection.execute(
            text(
                "INSERT INTO carrierflow_log_old SELECT position, fulfillment, machine, seq, leaf "
                "FROM carrierflow_log_new WHERE kind = 'transition'"
            )
        )
        connection.execute(text("DROP TABLE carrierflow_log_new"))
        connection.execute(text("ALTER TABLE carrierflow_log_old RENAME TO carrierflow_log"))
        before = r0014_one_log.down_revision
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{before}'"))


@pytest.fixture
def old(own_database, make_engine, make_store, make_ledger, make_shop, clock, tmp_path):
    """A sealed ledger of the version before, its store and its sealer."""
    engine = make_engine(own_database)
    store = make_store(engine)
    shop, ledger = make_shop(store), make_ledger(store)
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")
    parcel = ledger.open(Opening(ref=ref, cod_amount=5))
    key = tmp_path / "seal.key"
    SealKey.generate("log.example").save(key)
    span = timedelta(seconds=60)
    sealer = LogSealer(store, key_file=key, anchors=(), lease=span, clock=clock)
    return engine, store, sealer, parcel


def place_steps(store):
    """Give the steps their places, as the version before did, and nothing else; return them."""
    with store.begin() as connection, Unplaced() as waiting:
        waiting.read(connection)
        (entries,) = waiting.batches(1000)
        steps = [entry for entry in entries if entry.kind == "transition"]
        give_places(connection, steps, first=0)
    return len(steps)


def test_what_has_a_place_keeps_it(old, clock):
    """After the upgrade each step stands where it stood, and nobody is accused of the past."""
    engine, store, sealer, parcel = old
    steps = place_steps(store)
    with engine.begin() as connection:
        places = connection.execute(select(log).order_by(log.c.position)).all()
    put_back(engine)
    engine.dispose()

    upgrade(engine, clock=clock)

    with engine.begin() as connection:
        assert places == connection.execute(select(log).order_by(log.c.position)).all()
        connection.execute(insert(observations).values(fulfillment=parcel.id, **seen(clock)))
    assert 0 < sealer.seal().sealed
    done = DatabaseVerifier(store, sealer).verify()
    assert done.ok, done.problems
    assert done.sealed == sum(done.kinds.values()) > steps == len(places)


def seen(clock):
    """Return an observation of a day before everything was sealed."""
    moment = clock() - timedelta(days=1)
    words = {"source": "run", "carrier_code": "picking", "cod_code": "none", "dates": "{}"}
    words |= {"updated_at": "", "order_cancelled": False, "digest": "0" * 64}
    return words | {"asked_at": moment, "seen_at": moment}
