"""Who could take the protection of history away, and who is told."""

from __future__ import annotations

import logging
import uuid

import pytest
from alembic import command
from databases import every_database
from sqlalchemy.engine import make_url

from carrierflow.errors import ConfigurationError
from carrierflow.storage import build_engine, upgrade
from carrierflow.storage.hardening import check, harden
from carrierflow.storage.install_triggers import install
from carrierflow.storage.migrate import _config
from carrierflow.storage.ownership import way_around

from .conftest import PASSWORD
from .raw import connected
from .test_hardening import ON_SERVERS


ON_POSTGRES = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_MARIADB = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "postgres"]), indirect=True
)


@pytest.fixture
def other(own_database):
    """The name of a second role, which is dropped at the end."""
    name = f"cf_{uuid.uuid4().hex[:12]}"
    yield name
    with connected(own_database) as raw:
        if own_database.kind == "mariadb":
            raw.run(f"DROP ROLE IF EXISTS {name}")
        elif raw.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            raw.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
            raw.run(f"DROP OWNED BY {name}")
            raw.run(f"DROP ROLE {name}")
        raw.commit()


def ddl(engine):
    """Return what the check says of the right to change the tables."""
    (found,) = [p for p in check(engine) if p.hole == "DDL"]
    return found


POSTGRESQL_GIFTS = {
    "may become who does": (
        "CREATE ROLE {other}",
        "ALTER TABLE carrierflow_history OWNER TO {other}",
        "ALTER ROLE {role} NOINHERIT",
        "GRANT {other} TO {role}",
    ),
    "owns their schema": ("ALTER SCHEMA public OWNER TO {role}",),
    "owns a function": ("ALTER FUNCTION carrierflow_refuse_change() OWNER TO {role}",),
    "the server's own files": ("GRANT pg_write_server_files TO {role}",),
    "is a superuser": ("ALTER ROLE {role} SUPERUSER",),
}

MARIADB_GIFTS = {
    "ALL PRIVILEGES": (
        "CREATE ROLE {other}",
        "GRANT ALL ON {database}.* TO {other}",
        "GRANT {other} TO {role}",
    ),
    "CREATE USER": ("GRANT CREATE USER ON *.* TO {role}",),
    "UPDATE on mysql": ("GRANT UPDATE ON mysql.* TO {role}",),
    "TRIGGER": ("GRANT TRIGGER ON carrierflow_evidence TO {role}",),
}


def give(database, gifts, **names):
    """Give a role what it must not have."""
    with connected(database) as raw:
        for statement in gifts:
            raw.run(statement.format(database=make_url(database.url).database, **names))
        raw.commit()


@ON_POSTGRES
@pytest.mark.parametrize("why", POSTGRESQL_GIFTS)
def test_every_road_to_the_triggers_is_seen_on_postgresql(
    owner, own_database, as_role, role, other, why
):
    """A role that could take the triggers away is found, and is not called hardened again."""
    harden(owner, role=role, password=PASSWORD)
    assert ddl(as_role).protected
    give(own_database, POSTGRESQL_GIFTS[why], role=role, other=other)

    found = ddl(as_role)

    assert not found.protected
    assert why in found.sentence
    with pytest.raises(ConfigurationError, match=why):
        harden(owner, role=role)


@ON_MARIADB
@pytest.mark.parametrize("why", MARIADB_GIFTS)
def test_every_road_to_the_triggers_is_seen_on_mariadb(
    owner, own_database, as_role, role, other, why
):
    """A user that could take the triggers away, by a role that it does not use too, is found."""
    harden(owner, role=role, password=PASSWORD)
    assert ddl(as_role).protected
    give(own_database, MARIADB_GIFTS[why], role=role, other=other)

    found = ddl(as_role)

    assert not found.protected
    assert why in found.sentence


INTRUDERS = {
    "sqlite": "CREATE TRIGGER mine BEFORE INSERT ON carrierflow_evidence "
    "BEGIN SELECT RAISE(IGNORE); END",
    "postgres": "CREATE RULE mine AS ON INSERT TO carrierflow_evidence DO INSTEAD NOTHING",
    "mariadb": "CREATE TRIGGER mine BEFORE INSERT ON carrierflow_evidence "
    "FOR EACH ROW SET NEW.reason = 'forged'",
}


def test_what_alters_rows_on_their_way_in_is_found(owner, own_database):
    """A rule or trigger that swallows or alters what is inserted is reported as a hole."""
    with connected(own_database) as raw:
        raw.run(INTRUDERS[own_database.kind])
        raw.commit()

    found = {
        (p.hole, p.table) for p in check(owner) if p.hole.startswith("INSERT") and not p.protected
    }

    assert ("INSERT", "carrierflow_evidence") in found
    assert {"carrierflow_evidence"} == {table for _, table in found}


@ON_SERVERS
def test_a_foreign_key_that_cascades_is_found(owner, own_database):
    """A foreign key through which a parent's end would end rows of proof is reported."""
    with connected(own_database) as raw:
        raw.run(
            "ALTER TABLE carrierflow_observations ADD CONSTRAINT mine FOREIGN KEY (fulfillment) "
            "REFERENCES carrierflow_fulfillments (id) ON DELETE CASCADE"
        )
        raw.commit()

    opened = [p for p in check(owner) if p.hole == "CASCADE" and not p.protected]

    assert ["carrierflow_observations"] == [p.table for p in opened]
    assert "CASCADE" in opened[0].sentence


@ON_SERVERS
def test_an_owner_is_found_and_not_warned_by_every_use(own_database, owner, make_store, caplog):
    """Who owns history is named with the reason where somebody asks; its use alone logs nothing."""
    with caplog.at_level(logging.WARNING, "carrierflow"), make_store(owner).begin() as connection:
        found = way_around(connection)

    assert found.user
    assert found.why
    assert [] == caplog.records


@ON_SERVERS
def test_the_hardened_role_has_no_way_around(owner, as_role, role, make_store):
    """There is nothing to say of a store that connects as the hardened role."""
    harden(owner, role=role, password=PASSWORD)
    with make_store(as_role).begin() as connection:
        assert way_around(connection) is None


def test_a_migration_leaves_every_append_only_table_guarded(empty_database):
    """Whatever migrations did about triggers, after them each is as this version has it."""
    engine = build_engine(empty_database.url)
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "r0001")
    kind = empty_database.kind
    name = f"carrierflow_evidence_no_{'change' if kind == 'postgres' else 'delete'}"
    with connected(empty_database) as raw:
        raw.run(f"DROP TRIGGER {name}" + " ON carrierflow_evidence" * (kind == "postgres"))
        raw.commit()

    upgrade(engine)

    with engine.begin() as connection:
        assert ["Every trigger is in place."] == list(install(connection))
    engine.dispose()
