"""Bringing a database to this version's tables, and refusing to work on any others."""

from __future__ import annotations

from collections import deque
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import Clock, now
from carrierflow.errors import NotMigrated
from carrierflow.storage.administration import administer
from carrierflow.storage.engine import is_mysql, translated
from carrierflow.storage.grants import is_denied
from carrierflow.storage.install_triggers import install
from carrierflow.storage.upgrading import alone, check_encoding


__all__ = ["VERSION_TABLE", "current_revision", "head_revision", "require_migrated", "upgrade"]

VERSION_TABLE = "carrierflow_alembic_version"


def upgrade(engine: Engine, *, clock: Clock = now) -> str:
    """Create the tables, or change them to this version's; return the revision reached.

    Doing it again changes nothing, and goes on where one before was killed. Of several at once,
    one works and the others wait. The tables of a host in the same database are not touched.
    Whatever a migration did, every append-only table bears the triggers of this version after.

    Raises:
        ConfigurationError: if the database or the connection cannot carry every text.
        DatabaseUnavailable: if the database does not answer, or another upgrade takes too long.
    """
    with translated(), alone(engine) as connection:
        check_encoding(connection)
        config = _config()
        config.attributes["connection"] = connection
        before = current_revision(connection)
        command.upgrade(config, "head")
        if before != head_revision():
            deque(install(connection), maxlen=0)
            details = {"from": before, "to": head_revision()}
            administer(connection, AdministrationKind.UPGRADED, now=clock(), details=details)
        elif is_mysql(connection.dialect.name):
            _finish(connection)
    return head_revision()


def _finish(connection: Connection) -> None:
    """Install what an upgrade that was killed at its very end left out, if we may."""
    try:
        deque(install(connection), maxlen=0)
    except DBAPIError as error:
        if not is_denied(error):
            raise


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
