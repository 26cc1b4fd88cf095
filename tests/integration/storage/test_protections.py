from __future__ import annotations

import pytest
from databases import copy_of, every_database, one_of_each

from carrierflow.domain.model import Event, Status
from carrierflow.storage.tables import APPEND_ONLY, metadata
from carrierflow.storage.triggers import trigger_statements

from .raw import NOW, connected


TABLES = [table.name for table in APPEND_ONLY]
SERVERS_ONLY = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)
LIKE = {
    "UPDATE": "UPDATE {table} SET {column} = {column} WHERE {this}",
    "DELETE": "DELETE FROM {table} WHERE {this}",
    "DELETE all": "DELETE FROM {table}",
}
REPLACING = {
    "sqlite": {
        "INSERT OR REPLACE": "INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {this}",
        "REPLACE": "REPLACE INTO {table} SELECT * FROM {table} WHERE {this}",
        "UPDATE OR REPLACE": "UPDATE OR REPLACE {table} SET {column} = {column} WHERE {this}",
        "upsert": "INSERT INTO {table} SELECT * FROM {table} WHERE {this} "
        "ON CONFLICT DO UPDATE SET {column} = excluded.{column}",
    },
    "postgres": {
        "upsert": "INSERT INTO {table} SELECT * FROM {table} WHERE {this} "
        "ON CONFLICT ({keys}) DO UPDATE SET {column} = excluded.{column}",
        "TRUNCATE": "TRUNCATE {table} CASCADE",
        "MERGE": "MERGE INTO {table} t USING (SELECT * FROM {table} WHERE {this}) s "
        "ON {same} WHEN MATCHED THEN DELETE",
    },
    "mariadb": {
        "REPLACE": "REPLACE INTO {table} SELECT * FROM {table} WHERE {this}",
        "upsert": "INSERT INTO {table} SELECT * FROM {table} WHERE {this} "
        "ON DUPLICATE KEY UPDATE {column} = VALUES({column})",
        "UPDATE IGNORE": "UPDATE IGNORE {table} SET {column} = {column} WHERE {this}",
        "DELETE IGNORE": "DELETE IGNORE FROM {table} WHERE {this}",
    },
}
NEVER = "are never changed"


@pytest.fixture(scope="module")
def defaced(tmp_path_factory):
    """Databases that are these tests' alone: the rows they put in stand in the way of others."""
    with one_of_each(tmp_path_factory.mktemp("databases")) as get:
        yield get


@pytest.fixture(params=every_database())
def database(request, defaced, tmp_path):
    """A migrated database of these tests: on SQLite a fresh file."""
    found = defaced(request.param)
    return copy_of(found, tmp_path) if found.kind == "sqlite" else found


@pytest.fixture
def parcel(make_parcel, ledger, shop, store, clock):
    """A parcel that was picked up, with a row in every append-only table."""
    opened = make_parcel(cod_amount=90_000)
    mine = {"shop": shop, "fulfillment_id": opened.ref.fulfillment_id}
    ledger.record(Event(status=Status.PICKING, key="first", **mine))
    ledger.record(Event(status=Status.RETURN, key="refused", **mine))
    entry = {"fulfillment": opened.id, "machine": "delivery", "seq": 2, "number": 1}
    attempt = {"status": "picking", "run": "r", "fence": 1}
    now = clock()
    rows = {
        "attempts": entry | attempt | {"intent_at": now, "send_deadline": now},
        "outcomes": entry | {"outcome": "confirmed", "recorded_at": now},
        "observations": {
            "fulfillment": opened.id,
            "source": "orders",
            "asked_at": now,
            "seen_at": now,
            "carrier_code": "picking",
            "cod_code": "codpending",
            "dates": "{}",
            "updated_at": "x",
            "order_cancelled": False,
            "digest": "d",
        },
        "incidents": {
            "id": opened.id,
            "shop": opened.shop_id,
            "subject": opened.ref.fulfillment_id,
            "kind": "odd",
            "evidence_digest": "d",
            "sentence": "s",
            "evidence": "{}",
            "opened_at": now,
            "last_seen_at": now,
            "times_seen": 1,
            "state": "open",
        },
        "decisions": {
            "incident": opened.id,
            "number": 1,
            "shop": opened.shop_id,
            "fulfillment": opened.id,
            "subject": opened.ref.fulfillment_id,
            "kind": "odd",
            "what": "opened",
            "evidence_digest": "d",
            "decided_at": now,
            "recorded_at": now,
        },
        "runs": {
            "id": f"run {opened.id}",
            "kind": "reconcile",
            "shop": opened.shop_id,
            "started_at": now,
        },
        "run_ends": {
            "run": f"run {opened.id}",
            "kind": "reconcile",
            "shop": opened.shop_id,
            "started_at": now,
            "ended_at": now,
            "recorded_at": now,
        },
        "administration": {
            "kind": "checked",
            "subject": f"parcel {opened.id}",
            "os_user": "",
            "db_user": "",
            "details": "{}",
            "recorded_at": now,
        },
        "log": {
            "position": opened.id,
            "kind": "transition",
            "fulfillment": opened.id,
            "machine": "delivery",
            "seq": 2,
            "number": 0,
            "leaf": "d",
        },
        "log_nodes": {"level": 1, "position": opened.id, "kind": "transition", "hash": "d"},
        "checkpoints": {"size": opened.id, "root": "d", "sealed_at": now, "note": "n"},
        "anchorings": {"size": opened.id, "anchor": "a", "anchored_at": now},
    }
    with store.begin() as connection:
        for name, row in rows.items():
            connection.execute(metadata.tables[f"carrierflow_{name}"].insert(), row)
    return opened


def this_row(table, parcel):
    """Return the condition that finds one row of a table."""
    columns = metadata.tables[table].columns
    mine = next((name for name in ("fulfillment", "position", "size") if name in columns), None)
    if mine is not None:
        return f"{mine} = {parcel.id}"
    if table.endswith("run_ends"):
        return f"run = 'run {parcel.id}'"
    if table.endswith("administration"):
        return f"subject = 'parcel {parcel.id}'"
    return f"{'number' if table.endswith('definitions') else 'definition'} = 1"


def everything(raw, parcel):
    """Read all that an attack could have changed."""
    return {
        table: raw.run(f"SELECT * FROM {table} WHERE {this_row(table, parcel)} ORDER BY 1, 2, 3")
        for table in TABLES
    }


def attacks(kind, table, parcel):
    """Return every statement that would change or remove one row of a table."""
    keys = metadata.tables[table].primary_key.columns.keys()
    parts = {
        "table": table,
        "column": list(metadata.tables[table].columns)[-1].name,
        "this": this_row(table, parcel),
        "keys": ", ".join(keys),
        "same": " AND ".join(f"t.{key} = s.{key}" for key in keys),
    }
    return {name: form.format(**parts) for name, form in (LIKE | REPLACING[kind]).items()}


@pytest.mark.parametrize("table", TABLES)
def test_rows_of_proof_are_never_changed(database, parcel, table):
    """No statement of a plain driver changes, removes or replaces a row that holds proof."""
    with connected(database) as raw:
        before = everything(raw, parcel)
        assert before[table]
        for name, statement in attacks(database.kind, table, parcel).items():
            assert NEVER in raw.refuses(statement), name

        assert before == everything(raw, parcel)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("database", every_database(but=["mariadb"]), indirect=True)
def test_switches_do_not_open_rows_of_proof(database, parcel, table):
    """With foreign keys and triggers of origin switched off, rows of proof stay as they are."""
    off = {
        "sqlite": ["PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = OFF"],
        "postgres": ["SET session_replication_role = replica"],
    }
    with connected(database) as raw:
        before = everything(raw, parcel)
        for name, statement in attacks(database.kind, table, parcel).items():
            for switch in off[database.kind]:
                raw.run(switch)
            assert NEVER in raw.refuses(statement), name
        raw.rollback()

        assert before == everything(raw, parcel)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("database", every_database(but=["sqlite", "postgres"]), indirect=True)
def test_mariadb_switches_do_not_open_rows_of_proof(database, parcel, table):
    """With every check that MariaDB lets anyone switch off, rows of proof stay as they are."""
    with connected(database) as raw:
        before = everything(raw, parcel)
        for switch in ("foreign_key_checks", "check_constraint_checks", "unique_checks"):
            raw.run(f"SET SESSION {switch} = 0")
        for name, statement in attacks(database.kind, table, parcel).items():
            assert NEVER in raw.refuses(statement), name

        assert before == everything(raw, parcel)


@pytest.mark.parametrize("table", ["history", "edges", "attempts", "outcomes"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_hidden_number_cannot_be_taken(database, parcel, table):
    """SQLite's REPLACE removes no row by way of the number that it hides."""
    name = f"carrierflow_{table}"
    columns = metadata.tables[name].columns.keys()
    changed = {"history": "machine", "edges": "to_status"}.get(table, "number")
    shown = ", ".join("'999'" if column == changed else column for column in columns)
    with connected(database) as raw:
        raw.run("PRAGMA foreign_keys = OFF")
        refused = raw.refuses(
            f"INSERT OR REPLACE INTO {name} (rowid, {', '.join(columns)}) "
            f"SELECT rowid, {shown} FROM {name} WHERE {this_row(name, parcel)}"
        )

    assert NEVER in refused


GOOD = {
    "machine": "delivery",
    "seq": 3,
    "prev_seq": 2,
    "from_status": "picking",
    "to_status": "delivering",
    "definition": 1,
    "edge": 1,
    "source": "carrier",
    "occurred_at": NOW,
    "recorded_at": NOW,
    "inferred": False,
    "prev_hash": "p",
    "hash": "h",
}
BAD = {
    "an illegal step": {"to_status": "delivered"},
    "a step of the other machine": {"machine": "cod"},
    "a step of an unknown lifecycle": {"definition": 77, "edge": 77},
    "a step judged by another lifecycle": {"definition": 2},
    "a step without a lifecycle": {"edge": None},
    "a gap before it": {"seq": 4},
    "a predecessor that is not there": {"seq": 4, "prev_seq": 3},
    "no predecessor": {"prev_seq": None},
    "a predecessor after it": {"prev_seq": 5},
    "another place than its predecessor's": {"from_status": "delivering", "to_status": "delivered"},
    "a second start": {"prev_seq": None, "from_status": "start", "to_status": "readytopick"},
    "a start that is none": {"seq": 1, "prev_seq": None},
    "a number below one": {"seq": 0, "prev_seq": None},
    "a place that is taken": {"seq": 2, "prev_seq": 1, "from_status": "readytopick"},
    "a fulfillment that is not there": {"fulfillment": 987654},
    "an amendment without an actor": {"edge": None, "amends": 2, "reason": "r"},
    "an amendment without a reason": {"edge": None, "amends": 2, "actor": "a"},
    "an amendment with a step": {"amends": 2, "actor": "a", "reason": "r"},
}
OFF = {
    "sqlite": ["PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON"],
    "postgres": ["SET session_replication_role = replica"],
    "mariadb": [
        "SET SESSION foreign_key_checks = 0",
        "SET SESSION check_constraint_checks = 0",
        "SET SESSION unique_checks = 0",
    ],
}


def entry(raw, parcel, **wrong):
    """Return an INSERT of the parcel's next entry, with something wrong about it."""
    return raw.insert("carrierflow_history", **({"fulfillment": parcel.id} | GOOD | wrong))


@pytest.mark.parametrize("switches", ["as they are", "off"])
@pytest.mark.parametrize("wrong", BAD.values(), ids=list(BAD))
def test_bad_history_cannot_be_stored(database, parcel, wrong, switches):
    """An entry that does not follow lawfully from the one before it is refused by the database."""
    with connected(database) as raw:
        for switch in OFF[database.kind] if switches == "off" else []:
            raw.run(switch)
        assert raw.refuses(entry(raw, parcel, **wrong))
        assert [(2,)] == [tuple(row) for row in raw.run(counted(parcel))]


@pytest.mark.parametrize("switches", ["as they are", "off"])
def test_good_history_can_be_stored(database, parcel, switches):
    """The same entry with nothing wrong about it is stored, even when the switches are off."""
    with connected(database) as raw:
        for switch in OFF[database.kind] if switches == "off" else []:
            raw.run(switch)
        raw.run(entry(raw, parcel))
        assert [(3,)] == [tuple(row) for row in raw.run(counted(parcel))]
        raw.rollback()


def test_several_good_entries_can_be_stored_at_once(database, parcel):
    """An INSERT of many rows is judged row by row, each seeing those before it."""
    with connected(database) as raw:
        for switch in OFF[database.kind]:
            raw.run(switch)
        second = {"seq": 4, "prev_seq": 3, "from_status": "delivering", "to_status": "delivered"}
        row = entry(raw, parcel, **second).partition(" VALUES ")[2]
        raw.run(f"{entry(raw, parcel)}, {row}")
        assert [(4,)] == [tuple(row) for row in raw.run(counted(parcel))]
        raw.rollback()


def test_an_amendment_with_actor_and_reason_can_be_stored(database, parcel):
    """A signed amendment needs no legal step."""
    with connected(database) as raw:
        signed = {"edge": None, "amends": 2, "actor": "a", "reason": "r", "to_status": "return"}
        raw.run(entry(raw, parcel, **signed))
        raw.rollback()


def counted(parcel):
    """Return a query for how many delivery entries a parcel has."""
    return (
        "SELECT count(*) FROM carrierflow_history "
        f"WHERE fulfillment = {parcel.id} AND machine = 'delivery'"
    )


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mariadb", "mysql"])
def test_statements_are_made_for_chosen_tables_alone(dialect):
    """A migration that protects one table names no other one as changed."""
    statements = trigger_statements(dialect, ["carrierflow_evidence"])

    assert statements
    assert not any(" ON carrierflow_history" in statement for statement in statements)
