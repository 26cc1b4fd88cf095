"""What was done to triggers, tables and routines is found whole, not by the names alone."""

from __future__ import annotations

import pytest
from databases import every_database

from carrierflow.storage.foreign_objects import FOREIGN, foreign_objects
from carrierflow.storage.hardening import check, harden
from carrierflow.storage.install_triggers import install
from carrierflow.storage.trigger_state import faults

from .conftest import PASSWORD
from .raw import connected


TABLE = "carrierflow_evidence"
POSTGRES = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)


@pytest.fixture
def as_hardened(owner, as_role, role):
    """An engine that connects as the role, once it is hardened."""
    harden(owner, role=role, password=PASSWORD)
    return as_role


def do(database, *statements):
    """Do what an attacker does who owns the tables."""
    with connected(database) as raw:
        for statement in statements:
            raw.run(statement)
        raw.commit()


def told(engine, hole):
    """Return what is said of one hole where it is open, by its table."""
    return {p.table: p.sentence for p in check(engine) if p.hole == hole and not p.protected}


HOLLOW = {
    "sqlite": (
        f"{TABLE}_no_delete",
        f"DROP TRIGGER {TABLE}_no_delete",
        (
            f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} WHEN OLD.id < 0 BEGIN "
            f"SELECT RAISE(ABORT, 'carrierflow: rows of {TABLE} are never changed'); END"
        ),
    ),
    "postgres": (
        f"{TABLE}_no_change",
        f"DROP TRIGGER {TABLE}_no_change ON {TABLE}",
        (
            f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW "
            "WHEN (OLD.id < 0) EXECUTE FUNCTION carrierflow_refuse_change()"
        ),
        f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {TABLE}_no_change",
    ),
    "mariadb": (
        f"{TABLE}_no_delete",
        f"DROP TRIGGER {TABLE}_no_delete",
        (
            f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} FOR EACH ROW "
            "IF OLD.id < 0 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = "
            f"'carrierflow: rows of {TABLE} are never changed'; END IF"
        ),
    ),
}
"""What refuses all that is tried, for that has numbers below zero, and nothing that is real."""


def test_a_trigger_that_lets_real_rows_pass_is_found_and_mended(owner, own_database, role):
    """What no try would meet is named; `harden` says what was wrong, and mends it."""
    name, *statements = HOLLOW[own_database.kind]
    do(own_database, *statements)

    assert [TABLE] == list(told(owner, "TRIGGER"))
    assert {} == told(owner, "DELETE")
    assert any(
        line.startswith(f"Trigger {name}: it has another") and line.endswith("; it is installed.")
        for line in harden(owner, role=role, password=PASSWORD)
    )
    assert {} == told(owner, "TRIGGER")


CHANGE = f"{TABLE}_no_change"
REFUSE = "carrierflow_refuse_change()"
AGAIN = f"DROP TRIGGER {CHANGE} ON {TABLE}; CREATE TRIGGER {CHANGE} {{}} ON {TABLE} FOR EACH ROW "
DIFFERENCES = {
    "switched off": f"ALTER TABLE {TABLE} DISABLE TRIGGER {CHANGE}",
    "not for replicas": f"ALTER TABLE {TABLE} ENABLE TRIGGER {CHANGE}",
    "another body": f"CREATE OR REPLACE FUNCTION {REFUSE} RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF OLD.id < 0 THEN RAISE EXCEPTION 'carrierflow:'; END IF; RETURN OLD; END $$",
    "runs as its owner": f"ALTER FUNCTION {REFUSE} SECURITY DEFINER",
    "settings of its own": f"ALTER FUNCTION {REFUSE} SET search_path = nowhere",
    "some columns only": AGAIN.format("BEFORE DELETE OR UPDATE OF verdict")
    + f"EXECUTE FUNCTION {REFUSE}",
    "other moments": AGAIN.format("AFTER UPDATE OR DELETE") + f"EXECUTE FUNCTION {REFUSE}",
    "passes arguments": AGAIN.format("BEFORE UPDATE OR DELETE")
    + "EXECUTE FUNCTION carrierflow_refuse_change('x')",
    "another function": "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN OLD; END $$; "
    + AGAIN.format("BEFORE UPDATE OR DELETE")
    + "EXECUTE FUNCTION idle()",
}


@POSTGRES
def test_each_thing_that_makes_a_trigger_is_compared(owner, as_hardened, own_database):
    """As the owner and as the role: what differs is named, and mended by the owner."""
    for says, statements in DIFFERENCES.items():
        do(own_database, statements)
        for engine in (owner, as_hardened):
            with engine.connect() as connection:
                wrong = {each.name: what for each, what in faults(connection)}
            assert any(says in what for what in wrong[CHANGE]), says
        with owner.begin() as connection:
            assert any(says in line for line in install(connection)), says
            assert [] == faults(connection), says


@POSTGRES
def test_each_column_is_tried(owner, own_database):
    """A trigger that watches some columns leaves the others open, and they are named."""
    do(
        own_database,
        AGAIN.format("BEFORE DELETE OR UPDATE OF recorded_at, details")
        + f"EXECUTE FUNCTION {REFUSE}",
    )

    sentence = told(owner, "UPDATE")[TABLE]
    assert "verdict" in sentence
    assert "recorded_at" not in sentence


PUT_THERE = {
    "ROUTINE": "CREATE FUNCTION helpful() RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
    "AS $$ BEGIN EXECUTE 'select 1'; END $$",
    "INHERITANCE": f"CREATE TABLE shadow () INHERITS ({TABLE})",
    "RULE": f"CREATE RULE lost AS ON INSERT TO {TABLE} WHERE NEW.id > 0 DO INSTEAD NOTHING",
    "FOREIGN TRIGGER": "CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN IF NEW.id > 0 THEN NEW.actor = 'nobody'; END IF; RETURN NEW; END $$; "
    f"CREATE TRIGGER bend BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION bend()",
    "TABLE KIND": f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY",
    "CONSTRAINT OFF": f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
}


@POSTGRES
def test_what_others_put_there_is_found_and_left(owner, as_hardened, own_database, role):
    """As the owner and as the role it is named; `harden` says that it is left for a person."""
    with owner.connect() as connection:
        assert [] == foreign_objects(connection)
    do(own_database, *PUT_THERE.values())

    for engine in (owner, as_hardened):
        with engine.connect() as connection:
            found = foreign_objects(connection)
        assert set(FOREIGN) == {each.hole for each in found}
        assert {TABLE, "*"} == {each.table for each in found}
    assert set(FOREIGN) == {p.hole for p in check(owner) if p.hole in FOREIGN and not p.protected}
    said = harden(owner, role=role)
    assert len(found) == sum(line.startswith("Found, and left as it is: ") for line in said)


@pytest.mark.parametrize("own_database", every_database(but=["postgres"]), indirect=True)
def test_a_trigger_of_somebody_elses_is_found(owner, own_database):
    """One that meets real rows alone is named by the catalogue."""
    each = "FOR EACH ROW SET NEW.actor = IF(NEW.id < 0, NEW.actor, 'nobody')"
    if own_database.kind == "sqlite":
        each = "BEGIN UPDATE carrierflow_shops SET state = state WHERE NEW.id > 0; END"
    do(own_database, f"CREATE TRIGGER bend BEFORE INSERT ON {TABLE} {each}")

    with owner.connect() as connection:
        assert ["FOREIGN TRIGGER"] == [each.hole for each in foreign_objects(connection)]


@pytest.mark.parametrize("own_database", every_database(but=["sqlite", "postgres"]), indirect=True)
def test_a_routine_with_wide_rights_is_found_on_mariadb(owner, as_hardened, own_database, role):
    """Routines run there as who made them, unless they say otherwise: the owner's is named."""
    do(
        own_database,
        f"CREATE PROCEDURE helpful() DELETE FROM {TABLE}",
        f"GRANT EXECUTE ON PROCEDURE helpful TO {role}",
    )

    for engine in (owner, as_hardened):
        with engine.connect() as connection:
            (found,) = foreign_objects(connection)
        assert "helpful" in found.what
