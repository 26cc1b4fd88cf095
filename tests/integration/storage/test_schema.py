from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import String, inspect, text

from carrierflow.errors import ConfigurationError, DatabaseUnavailable, NotMigrated
from carrierflow.storage import build_engine, upgrade
from carrierflow.storage.migrate import VERSION_TABLE, current_revision, head_revision
from carrierflow.storage.tables import PREFIX, metadata
from carrierflow.storage.timeouts import DatabaseTimeouts


def of_ours(thing, kind):
    """Tell whether a table is one that our migrations look after."""
    return kind != "table" or (thing.startswith(PREFIX) and thing != VERSION_TABLE)


def differ(context, _inspected, _column, found, wanted):
    """Leave to Alembic whether two types differ; what a text's length is says SQLite nothing."""
    texts = isinstance(found, String) and isinstance(wanted, String)
    return False if texts and context.dialect.name == "sqlite" else None


@pytest.fixture
def empty_engine(empty_database, make_engine):
    """An engine for a database without tables."""
    return make_engine(empty_database)


def test_migrations_make_the_tables_that_the_code_knows(engine):
    """A database made by the migrations differs in nothing from the tables in the code."""
    options = {
        "version_table": VERSION_TABLE,
        "compare_type": differ,
        "compare_server_default": True,
        "include_name": lambda name, kind, _parents: name is None or of_ours(name, kind),
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)

        assert [] == compare_metadata(context, metadata)


def test_migrations_make_the_checks_that_the_code_knows(engine):
    """The checks too are those in the code; Alembic compares none."""
    wanted = {
        (table.name, str(check.name))
        for table in metadata.tables.values()
        for check in table.constraints
        if check.__visit_name__ in {"check_constraint", "table_or_column_check_constraint"}
    }
    found = {
        (name, check["name"])
        for name in metadata.tables
        for check in inspect(engine).get_check_constraints(name)
    }

    assert wanted
    assert wanted == found


def test_upgrade_leaves_the_tables_of_a_host_alone(empty_engine):
    """A host's tables, rows and Alembic version in the same database stay as they were."""
    with empty_engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('abc')"))
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY, word VARCHAR(9))"))
        connection.execute(text("INSERT INTO orders VALUES (1, 'kept')"))

    upgrade(empty_engine)

    with empty_engine.connect() as connection:
        assert [("abc",)] == [
            tuple(r) for r in connection.execute(text("SELECT * FROM alembic_version"))
        ]
        assert [(1, "kept")] == [tuple(r) for r in connection.execute(text("SELECT * FROM orders"))]
        assert head_revision() == current_revision(connection)
    ours = {VERSION_TABLE, *metadata.tables}
    assert ours | {"alembic_version", "orders"} == set(inspect(empty_engine).get_table_names())


def test_upgrading_twice_changes_nothing(engine):
    """A second upgrade reaches the same revision and loses no row."""
    query = text("SELECT count(*) FROM carrierflow_definitions")
    with engine.connect() as connection:
        before = connection.execute(query).scalar()

    assert head_revision() == upgrade(engine)

    with engine.connect() as connection:
        assert before == connection.execute(query).scalar()


def test_a_database_without_tables_is_named(empty_engine, make_store):
    """A store on a database without our tables says which command makes them."""
    with pytest.raises(NotMigrated) as error, make_store(empty_engine).begin():
        pass

    wanted = head_revision()
    assert (
        f"The database has no carrierflow tables, not at {wanted}; run `carrierflow db upgrade`."
        == str(error.value)
    )


def test_a_database_at_another_revision_is_named(own_database, make_engine, make_store):
    """A store refuses to work on the tables of a later version, and so does an upgrade."""
    engine = make_engine(own_database)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'r9999'"))

    with pytest.raises(NotMigrated, match="is at schema r9999, which is newer"):
        upgrade(engine)
    with pytest.raises(NotMigrated, match="is newer") as error, make_store(engine).begin():
        pass

    assert ("r9999", head_revision(), True) == (
        error.value.found,
        error.value.wanted,
        error.value.newer,
    )
    with engine.connect() as connection:
        assert "r9999" == current_revision(connection)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:s3cr3t@127.0.0.1:1/books",
        "mariadb://clerk:s3cr3t@127.0.0.1:1/books",
        "sqlite:////nowhere/at/all/books.db",
    ],
)
def test_an_unreachable_database_gives_one_sentence(url, make_store):
    """A database that does not answer gives one line, with neither password nor statement."""
    engine = build_engine(url)

    with pytest.raises(DatabaseUnavailable) as error, make_store(engine).begin():
        pass

    sentence = str(error.value)
    engine.dispose()
    assert sentence.startswith("The database cannot be used now: ")
    assert "s3cr3t" not in sentence
    assert "\n" not in sentence
    with pytest.raises(DatabaseUnavailable):
        upgrade(engine)
    engine.dispose()


def test_a_locked_sqlite_file_gives_one_sentence(sqlite_database, make_store):
    """A SQLite file that somebody else holds locked is reported as that, and nothing is lost."""
    engine = build_engine(sqlite_database.url, DatabaseTimeouts(lock=0.05))
    store = make_store(engine)
    with closing(sqlite3.connect(engine.url.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked"), store.begin():
            pass
        other.execute("ROLLBACK")
    with store.begin() as connection:
        assert 0 == connection.execute(text("SELECT count(*) FROM carrierflow_shops")).scalar()
    engine.dispose()


@pytest.mark.parametrize("url", ["", "nonsense", "oracle9://x", "sqlite:/x"])
def test_a_url_that_cannot_be_read_is_refused(url):
    """A URL that is none is refused with an example of one."""
    with pytest.raises(ConfigurationError, match="database URL"):
        build_engine(url)
