"""Bringing a database to this version's tables, and refusing to work on any others."""

from __future__ import annotations

from collections import deque
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from carrierflow.errors import NotMigrated
from carrierflow.storage.engine import translated
from carrierflow.storage.installing import install


__all__ = ["VERSION_TABLE", "current_revision", "head_revision", "require_migrated", "upgrade"]

VERSION_TABLE = "carrierflow_alembic_version"


def upgrade(engine: Engine) -> str:
    """Create the tables, or change them to this version's; return the revision reached.

    Doing it again changes nothing. The tables of a host in the same database are not touched.
    Whatever a migration did, every append-only table bears the triggers of this version after.

    Raises:
        DatabaseUnavailable: if the database does not answer.
    """
    with translated(), engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        before = current_revision(connection)
        command.upgrade(config, "head")
        if before != head_revision():
            deque(install(connection), maxlen=0)
    return head_revision()


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a database is at; None if it has no tables of ours."""
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


@cache
def head_revision() -> str:
    """Return the revision that this version of carrierflow works on."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise NotMigrated(None, wanted="any revision")
    return head


def require_migrated(connection: Connection) -> None:
    """Check that a database is at the revision that this version works on.

    Raises:
        NotMigrated: if it is at another one, or at none.
    """
    found = current_revision(connection)
    if found != head_revision():
        raise NotMigrated(found, wanted=head_revision())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "carrierflow.storage:migrations")
    return config
