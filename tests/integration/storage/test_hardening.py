from __future__ import annotations

from datetime import timedelta

import pytest
from databases import every_database
from plain_runs import end
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from carrierflow.audit.erasure import erase_of_parcel
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.sql import SealLease, add_checkpoint, give_places
from carrierflow.audit.log.unplaced import Unplaced
from carrierflow.carrier_service.ports import WebhookDelivery
from carrierflow.carrier_service.registration import Install
from carrierflow.carrier_service.shipments import Shipment
from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    Machine,
    Observation,
    Opening,
    RemoteWord,
    Status,
)
from carrierflow.domain.publication import (
    Attempt,
    AttemptResult,
    Outcome,
    Publication,
    PublicationState,
)
from carrierflow.errors import ConfigurationError, NotMigrated
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.storage import upgrade
from carrierflow.storage.callbacks import SqlCallbackStore, SqlCallbackTransaction
from carrierflow.storage.destinations import SqlDestinations
from carrierflow.storage.hardening import check, harden
from carrierflow.storage.install_triggers import trigger_names
from carrierflow.storage.installs import add_install, take_install
from carrierflow.storage.migrate import VERSION_TABLE, current_revision, head_revision
from carrierflow.storage.queries import add_file, replace_secret
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.shop_queue import SqlShopQueue
from carrierflow.storage.tables import APPEND_ONLY, ERASABLE, administration, metadata

from .conftest import PASSWORD
from .raw import connected


TABLES = {table.name for table in APPEND_ONLY}
ERASED = {table.name for table in ERASABLE}
ON_SERVERS = pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)


def contents(engine):
    """Count the rows of every table of ours, but for that of acts, where each try is written."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in metadata.sorted_tables
            if table is not administration
        }


def open_holes(engine):
    """Return the holes that are open, but for what an owner can do by owning."""
    found = {(p.hole, p.table) for p in check(engine) if not p.protected}
    return {each for each in found if each[0] not in {"DDL", "TRUNCATE"}}


def test_nothing_but_owning_is_open_after_the_migrations(owner, own_database):
    """A migrated database refuses every way of rewriting that needs no ownership."""
    results = check(owner)

    opened = {(p.hole, p.table) for p in results if not p.protected}
    truncate = {("TRUNCATE", name) for name in TABLES} if own_database.kind == "mariadb" else set()
    assert {("DDL", "*")} | truncate == opened
    for hole in ("UPDATE", "DELETE"):
        assert TABLES == {p.table for p in results if p.hole == hole}
    assert all(p.sentence.endswith(".") for p in results)


def test_trying_leaves_no_trace(owner, own_database):
    """Trying every hole leaves no row but that it was done, no used number and no switch."""
    before = contents(owner)

    check(owner)

    assert before == contents(owner)
    with connected(own_database) as raw:
        if own_database.kind == "postgres":
            used = raw.run("SELECT sequencename FROM pg_sequences WHERE last_value > 0")
            assert [("carrierflow_administration_id_seq",)] == used
    with owner.connect() as connection:
        if own_database.kind == "sqlite":
            assert 1 == connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
            assert 0 == connection.exec_driver_sql("PRAGMA ignore_check_constraints").scalar()
        elif own_database.kind == "mariadb":
            query = "SELECT @@foreign_key_checks + @@unique_checks + @@check_constraint_checks"
            assert 3 == connection.exec_driver_sql(query).scalar()


def triggers_of(raw, kind):
    """Return the names of all triggers, with their tables."""
    query = {
        "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'",
        "postgres": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal",
        "mariadb": "SELECT trigger_name, event_object_table FROM information_schema.triggers "
        "WHERE trigger_schema = DATABASE()",
    }
    return sorted(tuple(row) for row in raw.run(query[kind]))


def drop_trigger(raw, kind, name, table):
    """Take one trigger away."""
    raw.run(f"DROP TRIGGER {name}" + (f" ON {table}" if kind == "postgres" else ""))
    raw.commit()


def opened(results, kind):
    """Return the tables with an open hole, but for MariaDB's TRUNCATE by an owner."""
    return {
        p.table
        for p in results
        if not p.protected and p.table in TABLES and (p.hole != "TRUNCATE" or kind == "postgres")
    }


@pytest.mark.slow
def test_each_missing_trigger_is_found_and_put_back(owner, own_database, role):
    """A hole that a missing trigger opens is reported, loses no row, and closes again."""
    before = contents(owner)
    with connected(own_database) as raw:
        everything = triggers_of(raw, own_database.kind)
        for name, table in everything:
            drop_trigger(raw, own_database.kind, name, table)

            found = check(owner)

            assert {table} == opened(found, own_database.kind), name
            assert before == contents(owner)
            said = harden(owner, role=role, password=PASSWORD)
            assert [f"Trigger {name}: it is missing; it is installed."] == [
                line for line in said if line.startswith("Trigger")
            ]
        assert everything == triggers_of(raw, own_database.kind)
    assert set() == open_holes(owner)


@pytest.mark.parametrize("own_database", every_database(but=["sqlite", "mariadb"]), indirect=True)
@pytest.mark.parametrize("state", ["DISABLE", "ENABLE", "ENABLE REPLICA"])
def test_a_trigger_that_is_switched_off_is_found_and_put_back(owner, own_database, role, state):
    """A PostgreSQL trigger that does not always fire is a hole, and is mended."""
    with connected(own_database) as raw:
        name = "carrierflow_history"
        raw.run(f"ALTER TABLE {name} {state} TRIGGER {name}_no_change")
        raw.commit()
    assert {name} == {table for _, table in open_holes(owner)}

    harden(owner, role=role, password=PASSWORD)

    assert set() == open_holes(owner)


def test_a_trigger_that_does_nothing_is_found_and_put_back(owner, own_database, role):
    """A trigger that bears the right name and does nothing is replaced."""
    name, kind = "carrierflow_evidence_no_delete", own_database.kind
    with connected(own_database) as raw:
        if kind == "postgres":
            name = "carrierflow_evidence_no_change"
            raw.run(
                "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN OLD; END $$"
            )
            body = (
                "BEFORE UPDATE OR DELETE ON carrierflow_evidence "
                "FOR EACH ROW EXECUTE FUNCTION idle()"
            )
        elif kind == "sqlite":
            body = "BEFORE DELETE ON carrierflow_evidence BEGIN SELECT 1; END"
        else:
            body = "BEFORE DELETE ON carrierflow_evidence FOR EACH ROW SET @idle = 1"
        drop_trigger(raw, kind, name, "carrierflow_evidence")
        raw.run(f"CREATE TRIGGER {name} {body}")
        raw.commit()
    assert {"carrierflow_evidence"} == {table for _, table in open_holes(owner)}

    harden(owner, role=role, password=PASSWORD)

    assert set() == open_holes(owner)


def test_hardening_twice_changes_nothing(owner, own_database, role):
    """Hardening again says that everything is in place and leaves triggers as they are."""
    harden(owner, role=role, password=PASSWORD)
    with connected(own_database) as raw:
        before = triggers_of(raw, own_database.kind)

    said = harden(owner, role=role)

    assert "Every trigger is in place." == said[0]
    assert not any("was made" in line for line in said)
    with connected(own_database) as raw:
        assert before == triggers_of(raw, own_database.kind)


def test_a_sqlite_file_is_said_to_have_no_roles(sqlite_engine):
    """On SQLite hardening says that a file has no roles, and what to do instead."""
    said = harden(sqlite_engine, role="clerk")

    assert "A SQLite file has no roles" in said[-1]


@ON_SERVERS
def test_the_role_finds_every_hole_closed(owner, own_database, as_role, role):
    """As the hardened role, every hole is closed; what MariaDB does not show it, it says."""
    harden(owner, role=role, password=PASSWORD)

    results = check(as_role)

    unseen = {("TRIGGER", "*")} if own_database.kind == "mariadb" else set()
    assert unseen == {(p.hole, p.table) for p in results if not p.protected}
    assert all(p.inherent for p in results if not p.protected)
    assert {"DDL", "TRUNCATE", "UPDATE", "DELETE"} <= {p.hole for p in results}


@ON_SERVERS
def test_the_role_can_do_nothing_else(owner, own_database, role):
    """The hardened role cannot delete, truncate, alter, drop or create anything of ours."""
    harden(owner, role=role, password=PASSWORD)
    forbidden = [
        form.format(table=name, column=last_of(table))
        for name, table in metadata.tables.items()
        for form in (
            "TRUNCATE {table}" if name in ERASED else "DELETE FROM {table}",
            "TRUNCATE TABLE {table}",
            "ALTER TABLE {table} ADD COLUMN x INT",
            "DROP TABLE {table}",
            "CREATE INDEX ix_x ON {table} ({column})",
        )
    ]
    forbidden += [
        f"UPDATE {table.name} SET {last_of(table)} = {last_of(table)}" for table in APPEND_ONLY
    ]
    forbidden += ["UPDATE carrierflow_alembic_version SET version_num = 'x'"]
    if own_database.kind == "postgres":
        forbidden += [
            "ALTER TABLE carrierflow_history DISABLE TRIGGER ALL",
            "DROP TRIGGER carrierflow_history_no_change ON carrierflow_history",
            "ALTER FUNCTION carrierflow_refuse_change() RENAME TO elsewhere",
            "DROP FUNCTION carrierflow_refuse_change() CASCADE",
            "SET session_replication_role = replica",
            f"ALTER ROLE {role} SUPERUSER",
        ]
    else:
        forbidden += [
            "DROP TRIGGER carrierflow_history_no_update",
            "RENAME TABLE carrierflow_history TO elsewhere",
            f"GRANT ALL ON *.* TO {role}",
        ]
    with connected(own_database, user=role, password=PASSWORD) as raw:
        for statement in forbidden:
            why = raw.refuses(statement)
            assert any(w in why for w in ("denied", "owner", "must be superuser")), (statement, why)


def last_of(table):
    """Return the name of a table's last column."""
    return table.columns.keys()[-1]


@ON_SERVERS
def test_the_role_can_do_all_that_the_library_does(
    owner, as_role, role, make_store, make_ledger, make_shop, clock
):
    """As the hardened role, shops are connected, events recorded and runs written, all of it."""
    harden(owner, role=role, password=PASSWORD)
    store = make_store(as_role)
    ledger = make_ledger(store)
    code = make_shop(store)
    mine = {"shop": code, "fulfillment_id": "1"}
    ref = FulfillmentRef(order_id="10", **mine)
    ledger.open(Opening(ref=ref, cod_amount=5))
    note = ledger.record(Event(status=Status.PICKING, note="n", **mine)).entries[0].note_digest
    list(ledger.record_many([Event(status=Status.DELIVERING, **mine)]))
    ledger.record(Event(status=Status.CANCEL, **mine))
    ledger.amend(Event(status=Status.PICKING, actor="a", reason="r", **mine))

    shop, runs = store.shop(code), SqlReconcileStore(store)
    minute = timedelta(seconds=60)
    hold = runs.begin_run("run", shop.code, kind="reconcile", span=minute, now=clock())
    (parcel,) = runs.parcels_of(shop, ["10"])
    runs.write(writing(parcel, clock()), fence=(shop, hold.fence))
    runs.mark_verified([parcel], at=clock())
    runs.save_watermark(shop, clock())
    runs.renew(hold, minute)
    end(store, "run", code, now=clock(), hold=hold)
    queue = SqlShopQueue(store)
    assert [code] == [each.code for each in queue.due(1, minute, now=clock())]
    queue.put_back(code)
    queue.wake(code, now=clock())
    queue.give_back([code])
    with store.begin() as connection:
        add_file(connection, "digest", name="name", row_count=1, now=clock())
        replace_secret(connection, f"note:{note}", b"resealed")
        assert 1 == erase_of_parcel(connection, "notes", parcel)
    (row,) = runs.incidents(shop=code)
    decided = {"action": ResolveAction.UNFREEZE, "actor": "a", "reason": "r", "now": clock()}
    runs.resolve(runs.incident(row.id), lambda _: None, **decided)
    delivery = WebhookDelivery(
        digest="d", topic="t", org_id=None, order_id=None, received_at=clock(), ciphertext=b"x"
    )
    callbacks = SqlCallbackStore(store, platform="haravan")
    callbacks.store_webhook(delivery, acted=False)
    callbacks.mark_webhook_handled(delivery, now=clock())
    pushed = SqlDestinations(store, hold=timedelta(seconds=60))
    assert pushed.claim("digest", "name", "me")
    assert pushed.write("digest", "me", position=0, sending=None)
    pushed.release("digest", "me")
    with store.begin() as connection:
        other_errands(connection, parcel, store.database_clock, clock())

    empty = {name for name, count in contents(owner).items() if not count}
    assert empty <= ERASED | {f"carrierflow_{name}" for name in ("log_nodes", "anchorings")}


def other_errands(connection, parcel, database_clock, now):
    """Seal, install, accept a shipment: what else writes to a table."""
    soon = now + timedelta(seconds=60)
    lease = SealLease(database_clock)
    lease.claim(connection, "me", timedelta(seconds=60))
    with Unplaced() as waiting:
        waiting.read(connection)
        (entries,) = waiting.batches(1000)
    give_places(connection, entries, first=0)
    signed = Checkpoint(origin="x", size=len(entries), root=bytes(32)).text
    add_checkpoint(connection, SignedNote(text=signed, signatures=()), now=now)
    lease.release(connection, "me")
    install = Install(
        shop="x", base_url="x", carrier_code="x", invited=False, org_id=None, expires_at=soon
    )
    add_install(connection, "digest", install, now=now)
    assert install == take_install(connection, "digest", now=now)
    shipment = Shipment(
        external_code="x",
        digest="d",
        tracking_number="x",
        tracking_url=None,
        shipping_fee=0,
        accepted_at=now,
    )
    SqlCallbackTransaction(connection, None, platform="haravan").add_shipment(shipment, parcel)


def writing(parcel, now):
    """Return everything at once that a turn can write."""
    entry = {"machine": Machine.DELIVERY, "seq": 2}
    attempt = Attempt(
        **entry,
        number=1,
        status=Status.PICKING,
        expects=Status.PICKING,
        operation="picking",
        run="run",
        fence=1,
        intent_at=now,
        send_deadline=now,
    )
    seen = Observation(
        ref=parcel.ref,
        asked_at=now,
        seen_at=now,
        carrier=RemoteWord(raw="picking", status=Status.PICKING),
        cod=RemoteWord(raw="codpending", status=Status.CODPENDING),
        updated_at=now,
        updated_at_raw="x",
    )
    finding = Finding(kind="stuck", sentence="It stands.", ref=parcel.ref, evidence={})
    return FulfillmentUpdate(
        before=parcel,
        after=parcel,
        now=now,
        publications=(Publication(**entry, state=PublicationState.SENT, attempts=1),),
        attempt=attempt,
        conclusion=AttemptResult(attempt=attempt, outcome=Outcome.CONFIRMED, recorded_at=now),
        observation=seen,
        findings=(finding,),
    )


@ON_SERVERS
def test_a_role_with_wider_rights_is_refused(owner, own_database):
    """A role that owns the tables or has wider rights is not called hardened."""
    present = make_url(own_database.url).username
    if own_database.kind == "mariadb":
        with connected(own_database) as raw:
            ((present,),) = raw.run("SELECT current_user()")

    with pytest.raises(ConfigurationError, match="cannot be held to its rights"):
        harden(owner, role=present)


@pytest.mark.parametrize("own_database", every_database(but=["sqlite", "postgres"]), indirect=True)
def test_rights_on_a_whole_database_are_wider(owner, own_database, role):
    """On MariaDB rights on the whole database, by pattern too, are found before any are given."""
    name = make_url(own_database.url).database
    pattern = name.replace("_", "\\_")[:-3] + "%"
    with connected(own_database) as raw:
        raw.run(f"CREATE USER {role} IDENTIFIED BY 'x'")
        raw.run(f"GRANT SELECT, DELETE ON `{pattern}`.* TO {role}")

    with pytest.raises(ConfigurationError, match="DELETE"):
        harden(owner, role=role)


@pytest.mark.parametrize("own_database", every_database(but=["sqlite", "postgres"]), indirect=True)
def test_a_new_mariadb_user_needs_a_password(owner, role):
    """No MariaDB user is made that anyone could connect as."""
    with pytest.raises(ConfigurationError, match="give it a password"):
        harden(owner, role=role)


@ON_SERVERS
def test_the_role_cannot_upgrade(owner, as_role, role):
    """As the hardened role, an upgrade is refused by a sentence with nothing done; then its owner.

    Where there is nothing to do, nothing is refused.
    """
    harden(owner, role=role, password=PASSWORD)
    assert head_revision() == upgrade(as_role)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = 'r0013'")
        before = trigger_names(connection)

    with pytest.raises(ConfigurationError, match="run `carrierflow db upgrade` as their owner"):
        upgrade(as_role)

    with owner.connect() as connection:
        assert ("r0013", before) == (current_revision(connection), trigger_names(connection))
    assert head_revision() == upgrade(owner)


@ON_SERVERS
def test_the_role_cannot_harden(owner, as_role, role):
    """Hardening is the owner's work; the role is told so in one sentence."""
    harden(owner, role=role, password=PASSWORD)

    with pytest.raises(ConfigurationError, match="connect as their owner"):
        harden(as_role, role=role, password=PASSWORD)


@ON_SERVERS
def test_wider_rights_on_single_tables_are_taken_back(owner, own_database, role):
    """Rights that a role had on our tables before are reduced to those that it needs."""
    harden(owner, role=role, password=PASSWORD)
    with connected(own_database) as raw:
        raw.run(f"GRANT DELETE, UPDATE ON carrierflow_history TO {role}")
        raw.commit()

    harden(owner, role=role)

    with connected(own_database, user=role, password=PASSWORD) as raw:
        why = raw.refuses("DELETE FROM carrierflow_history")
        assert "denied" in why


def test_a_database_without_tables_cannot_be_tried(empty_database, make_engine):
    """Without our tables there is nothing to harden or to try, and that is said."""
    engine = make_engine(empty_database)
    with pytest.raises(NotMigrated):
        check(engine)
    with pytest.raises(NotMigrated):
        harden(engine, role="clerk")


@ON_SERVERS
def test_a_reader_cannot_try(owner, own_database, as_role, role):
    """A user that may only read is told as whom to try."""
    with connected(own_database) as raw:
        if own_database.kind == "postgres":
            raw.run(f"CREATE ROLE {role} LOGIN")
            raw.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        else:
            quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
            raw.run(f"CREATE USER {role} IDENTIFIED BY '{quoted}'")
            raw.run(f"GRANT SELECT ON {make_url(own_database.url).database}.* TO {role}")
        raw.commit()

    with pytest.raises(ConfigurationError, match="connect as the role"):
        check(as_role)


@pytest.mark.parametrize("own_database", every_database(but=["sqlite", "mariadb"]), indirect=True)
@pytest.mark.parametrize("there", [True, False])
def test_a_table_in_use_is_judged_by_its_trigger(owner, own_database, there):
    """Where PostgreSQL does not give a lock at once, TRUNCATE is judged by the catalogue."""
    name = "carrierflow_evidence"
    with connected(own_database) as raw:
        if not there:
            drop_trigger(raw, own_database.kind, f"{name}_no_truncate", name)
        raw.run(f"SELECT count(*) FROM {name}")
        found = {p.hole: p for p in check(owner) if p.table == name}

    assert there == found["TRUNCATE"].protected
    assert "in use" in found["TRUNCATE"].sentence
    assert found["UPDATE"].protected
