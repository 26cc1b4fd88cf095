"""Attacks on a history that is there, by plain drivers, as the owner of the tables.

Whatever a statement says of itself, every row of proof must stand there as it was.
"""

from __future__ import annotations

import pytest

from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage.tables import APPEND_ONLY

from .raw import REFUSALS, connected


H = "carrierflow_history"

ON_ALL = {
    "a change": f"UPDATE {H} SET reason = 'x'",
    "a change of the key": f"UPDATE {H} SET seq = seq + 100",
    "a change that changes nothing": f"UPDATE {H} SET reason = reason",
    "a removal": f"DELETE FROM {H}",
    "a removal of one": f"DELETE FROM {H} WHERE machine = 'cod'",
    "a removal of the parcel": "DELETE FROM carrierflow_fulfillments",
    "a change of the parcel's number": "UPDATE carrierflow_fulfillments SET id = id + 1000",
    "a removal of the shop": "DELETE FROM carrierflow_shops",
    "a removal of the lifecycle": "DELETE FROM carrierflow_definitions",
    "a new legal step": "UPDATE carrierflow_edges SET to_status = 'delivered'",
    "evidence forgotten": "DELETE FROM carrierflow_evidence",
}

SQLITE = {
    "replacing": f"INSERT OR REPLACE INTO {H} SELECT * FROM {H}",
    "replacing, with triggers on replacement": (
        "PRAGMA recursive_triggers = ON",
        f"INSERT OR REPLACE INTO {H} SELECT * FROM {H}",
    ),
    "a change that replaces": f"UPDATE OR REPLACE {H} SET seq = 1",
    "a change that skips what is refused": f"UPDATE OR IGNORE {H} SET reason = 'x'",
    "keys off, and the parcel away": (
        "PRAGMA foreign_keys = OFF",
        f"DELETE FROM {H}",
    ),
    "checks off": ("PRAGMA ignore_check_constraints = ON", f"UPDATE {H} SET prev_seq = 9"),
    "an upsert": f"INSERT INTO {H} SELECT * FROM {H} WHERE true "
    "ON CONFLICT (fulfillment, machine, seq) DO UPDATE SET reason = 'x'",
    "a change from another table": f"UPDATE {H} SET reason = t.actor FROM {H} t",
    "a trigger of one's own": (
        f"CREATE TEMP TRIGGER mine AFTER UPDATE ON carrierflow_shops BEGIN DELETE FROM {H}; END",
        "UPDATE carrierflow_shops SET base_url = 'x'",
    ),
}

POSTGRES = {
    "emptying": f"TRUNCATE {H} CASCADE",
    "emptying from a parent": "TRUNCATE carrierflow_shops CASCADE",
    "emptying by numbers": f"TRUNCATE {H} RESTART IDENTITY CASCADE",
    "as a replica": ("SET session_replication_role = replica", f"DELETE FROM {H}"),
    "as a replica, by change": (
        "SET session_replication_role = replica",
        f"UPDATE {H} SET reason = 'x'",
    ),
    "as a replica, emptying": ("SET session_replication_role = replica", f"TRUNCATE {H} CASCADE"),
    "a merge": f"MERGE INTO {H} h USING {H} o ON h.fulfillment = o.fulfillment "
    "AND h.machine = o.machine AND h.seq = o.seq WHEN MATCHED THEN DELETE",
    "a removal inside a reading": f"WITH gone AS (DELETE FROM {H} RETURNING 1) SELECT * FROM gone",
    "an upsert": f"INSERT INTO {H} SELECT * FROM {H} "
    "ON CONFLICT (fulfillment, machine, seq) DO UPDATE SET reason = 'x'",
    "by cursor": (
        f"DECLARE c CURSOR FOR SELECT * FROM {H} FOR UPDATE",
        "MOVE NEXT FROM c",
        f"DELETE FROM {H} WHERE CURRENT OF c",
    ),
    "keys deferred": ("SET CONSTRAINTS ALL DEFERRED", f"DELETE FROM {H}"),
    "by a function of one's own": (
        f"CREATE FUNCTION pg_temp.mine() RETURNS void LANGUAGE sql AS $$ DELETE FROM {H} $$",
        "SELECT pg_temp.mine()",
    ),
    "by another path": (
        "CREATE SCHEMA elsewhere",
        "SET search_path = elsewhere",
        f"DELETE FROM public.{H}",
    ),
}

MARIADB = {
    "replacing": f"REPLACE INTO {H} SELECT * FROM {H}",
    "an upsert": f"INSERT INTO {H} SELECT * FROM {H} ON DUPLICATE KEY UPDATE reason = 'x'",
    "a change that goes on after errors": f"UPDATE IGNORE {H} SET reason = 'x'",
    "a removal that goes on after errors": f"DELETE IGNORE FROM {H}",
    "a removal from several": f"DELETE h, s FROM {H} h JOIN carrierflow_shops s",
    "a change of several": f"UPDATE {H} h JOIN carrierflow_shops s SET h.reason = s.code",
    "keys off": ("SET foreign_key_checks = 0", f"DELETE FROM {H}"),
    "keys off, replacing": (
        "SET foreign_key_checks = 0, unique_checks = 0",
        f"REPLACE INTO {H} SELECT * FROM {H}",
    ),
    "checks off": ("SET check_constraint_checks = 0", f"UPDATE {H} SET prev_seq = 9"),
    "a lenient mode": ("SET sql_mode = ''", f"UPDATE {H} SET reason = 'x'"),
    "a file that replaces": "LOAD DATA LOCAL INFILE '{file}' REPLACE "
    "INTO TABLE carrierflow_definitions FIELDS TERMINATED BY ','",
    "by a procedure of one's own": (
        f"CREATE PROCEDURE mine() DELETE FROM {H}",
        "CALL mine()",
    ),
    "with binlog off": ("SET sql_log_bin = 0", f"DELETE FROM {H}"),
}

OWN = {"sqlite": SQLITE, "postgres": POSTGRES, "mariadb": MARIADB}


@pytest.fixture
def history(own_database, make_engine, make_store, make_ledger, make_shop, clock):
    """A parcel with a past, delivered and paid, and with an event that was refused."""
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    mine = {"shop": shop, "fulfillment_id": "1"}
    ledger.open(Opening(ref=FulfillmentRef(order_id="10", **mine), cod_amount=5))
    for word in ("picking", "cancel", "delivering", "delivered"):
        ledger.record(Event(status=Status(word), occurred_at=clock.advance(minutes=1), **mine))
    engine.dispose()


def proof(database):
    """Return every row of every append-only table."""
    with connected(database) as raw:
        return {t.name: sorted(map(repr, raw.run(f"SELECT * FROM {t.name}"))) for t in APPEND_ONLY}


def attacked(database, statements, **names):
    """Execute statements and commit them, as far as they are let; return why they were not."""
    with connected(database) as raw:
        try:
            for statement in (statements,) if isinstance(statements, str) else statements:
                raw.run(statement.format(**names))
            raw.commit()
        except REFUSALS as refusal:
            return str(refusal)
    return ""


def test_no_attack_changes_what_is_there(own_database, history, tmp_path):
    """Every attack that needs no change of the tables themselves leaves all proof as it was."""
    file = tmp_path / "forged"
    file.write_text(f"1,{'0' * 64},forged,2026-01-01 00:00:00\n")
    before, heard = proof(own_database), {}
    for name, statements in (OWN[own_database.kind] | ON_ALL).items():
        heard[name] = attacked(own_database, statements, file=file)

        assert before == proof(own_database), (name, heard[name])

    assert all(len(rows) for name, rows in before.items() if name in FILLED)
    silent = {name for name, why in heard.items() if not why}
    assert silent <= {*ELSEWHERE, *IGNORING}


FILLED = {"carrierflow_definitions", "carrierflow_edges", H, "carrierflow_evidence"}

ELSEWHERE = {
    "a change of the parcel's number",
    "a removal of the parcel",
    "a removal of the shop",
}
"""What changes tables that are no proof where a SQLite connection has its foreign keys off."""

IGNORING = {
    "a change that skips what is refused",
    "a change that goes on after errors",
    "a removal that goes on after errors",
}
"""What says that all went well, and did nothing."""
