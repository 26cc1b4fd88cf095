"""A host's migrations and a host's schemas beside the ledger's tables."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table, inspect, text
from sqlalchemy.engine import make_url

from carrierflow import Event, FulfillmentRef, Opening, Status, build, generate_key, load_settings
from carrierflow.errors import ConfigurationError
from carrierflow.integrations.alembic import include_name
from carrierflow.storage.tables import metadata


HOST = MetaData()
Table("payslips", HOST, Column("id", Integer, primary_key=True))

ENV = """
from alembic import context
from sqlalchemy import Column, Integer, MetaData, Table, create_engine
from carrierflow.integrations.alembic import include_name

host = MetaData()
Table("payslips", host, Column("id", Integer, primary_key=True))
engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=host, include_name={include_name}
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""


def proposed(engine, **options):
    """Return what Alembic would do to a database, to make it what the host's metadata says."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, HOST)


def test_a_host_s_migrations_pass_the_ledger_by(own_database, make_engine):
    """Alembic would drop every table of ours; with our hook it proposes nothing of the kind."""
    engine = make_engine(own_database)
    HOST.create_all(engine)

    dropped = {each[1].name for each in proposed(engine) if each[0] == "remove_table"}
    assert set(metadata.tables) < dropped
    assert [] == proposed(engine, include_name=include_name)


@pytest.mark.parametrize(("hook", "drops"), [("include_name", False), ("None", True)])
def test_alembic_revision_autogenerate(sqlite_database, tmp_path, hook, drops):
    """The command as a host runs it writes a migration that leaves our tables alone."""
    config = Config(tmp_path / "alembic.ini")
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    config.set_main_option("sqlalchemy.url", sqlite_database.url)
    command.init(config, str(tmp_path / "migrations"))
    (tmp_path / "migrations/env.py").write_text(ENV.replace("{include_name}", hook))
    command.revision(config, message="payslips", autogenerate=True)

    (written,) = (tmp_path / "migrations/versions").glob("*.py")
    told = written.read_text()
    assert "create_table('payslips'" in told
    assert drops == ("carrierflow_" in told)


@pytest.fixture
def in_schema(empty_database, make_engine):
    """Settings for a PostgreSQL schema that the search path names, and no other."""
    with make_engine(empty_database).begin() as connection:
        connection.execute(text("CREATE SCHEMA carrier"))
    url = make_url(empty_database.url).update_query_dict({"options": "-csearch_path=carrier"})
    key = generate_key()
    return load_settings(database_url=url.render_as_string(hide_password=False), secret_key=key)


def deliver(app, ledger):
    ref = FulfillmentRef(shop="myshop", order_id="1", fulfillment_id="1")
    ledger.open(Opening(ref=ref, cod_amount=5))
    return ledger.record(Event(shop="myshop", fulfillment_id="1", status=Status.PICKING))


@pytest.mark.servers
@pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)
def test_a_schema_of_its_own(in_schema, empty_database, make_engine):
    """Where the search path names a schema, all of the ledger is in it: made, used and verified."""
    with build(in_schema) as app:
        app.upgrade()
        app.shops.add("myshop", token="t", base_url="http://127.0.0.1:9")
        assert "accepted" == deliver(app, app.ledger).verdict
        assert () == app.verifier.verify().problems
        assert app.upgrade()

    there = inspect(make_engine(empty_database))
    assert [] == there.get_table_names("public")
    assert set(metadata.tables) < set(there.get_table_names("carrier"))


@pytest.mark.servers
@pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)
def test_a_host_that_translates_schemas(in_schema, empty_database, make_engine):
    """A host's connection may put the schema into each statement; an engine of ours may not."""
    engine = make_engine(empty_database)
    translating = engine.execution_options(schema_translate_map={None: "carrier"})
    with build(in_schema) as app:
        app.upgrade()
        app.shops.add("myshop", token="t", base_url="http://127.0.0.1:9")
        with translating.begin() as connection:
            assert "accepted" == deliver(app, app.joined(connection)).verdict
        assert () == app.verifier.verify().problems

    with pytest.raises(ConfigurationError, match="schema_translate_map"):
        build(in_schema, engine=translating)
