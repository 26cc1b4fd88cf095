"""Bringing a database to this version's tables, and refusing to work on any others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import Clock, now
from carrierflow.errors import ConfigurationError, NotMigrated
from carrierflow.storage.administration import administer
from carrierflow.storage.engine import is_mysql, translated
from carrierflow.storage.grants import is_denied
from carrierflow.storage.install_triggers import install
from carrierflow.storage.sqlite_files import is_anothers
from carrierflow.storage.upgrading import alone, check_encoding


if TYPE_CHECKING:
    from alembic.config import Config


__all__ = [
    "VERSION_TABLE",
    "current_revision",
    "head_revision",
    "require_migrated",
    "require_own_file",
    "upgrade",
]

VERSION_TABLE = "carrierflow_alembic_version"

VERSIONS = Path(__file__).parent / "migrations" / "versions"
"""Where the migrations are, a file each; their numbers are their order."""


def upgrade(engine: Engine, *, clock: Clock = now) -> str:
    """Create the tables, or change them to this version's; return the revision reached.

    Doing it again changes nothing, and goes on where one before was killed. Of several at once,
    one works and the others wait. The tables of a host in the same database are not touched.
    Whatever a migration did, every append-only table bears the triggers of this version after.

    Raises:
        ConfigurationError: if the database or the connection cannot carry every text, or the
            present user may not change the tables; nothing was changed then.
        NotMigrated: if a later version made the tables.
        DatabaseUnavailable: if the database does not answer, or another upgrade takes too long.
    """
    with translated(), alone(engine) as connection, _as_owner():
        check_encoding(connection)
        before = _revision_to_upgrade(connection)
        _migrate(connection)
        if before != head_revision():
            deque(install(connection), maxlen=0)
            details = {"from": before, "to": head_revision()}
            administer(connection, AdministrationKind.UPGRADED, now=clock(), details=details)
        elif is_mysql(connection.dialect.name):
            _finish(connection)
    return head_revision()


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - an upgrade alone needs it

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "carrierflow.storage:migrations")
    return config


@contextmanager
def _as_owner() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_denied(error):
            raise ConfigurationError(
                "The present user may not change the tables, and nothing was changed; run "
                "`carrierflow db upgrade` as their owner."
            ) from error
        raise


def _revision_to_upgrade(connection: Connection) -> str | None:
    """Return the revision that a database is at, and see beforehand that we may write another.

    On MariaDB each step of a migration stays done, also where the next one is refused.

    Raises:
        NotMigrated: if it is none of ours, but of a later version.
    """
    found = current_revision(connection)
    _refuse_newer(found)
    if found not in {None, head_revision()}:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = version_num")  # noqa: S608 - a name of ours
    return found


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in _known():
        raise NotMigrated(found, wanted=head_revision(), newer=True)


def require_own_file(engine: Engine) -> None:
    """Refuse a SQLite file that another program keeps its tables in.

    Raises:
        ConfigurationError: with what lets our tables stand beside others.
    """
    if engine.dialect.name != "sqlite":
        return
    with translated(), engine.connect() as connection:
        if is_anothers(connection.connection.driver_connection):
            raise ConfigurationError(
                f"{engine.url.database} is the database of another program: it has tables, and "
                "none of carrierflow; `--into-existing` lets them stand beside each other."
            )


def _finish(connection: Connection) -> None:
    """Install what an upgrade that was killed at its very end left out, if we may."""
    try:
        deque(install(connection), maxlen=0)
    except DBAPIError as error:
        if not is_denied(error):
            raise


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a database is at; None if it has no tables of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a name of ours
    return found.scalar_one_or_none()


@cache
def _known() -> frozenset[str]:
    """Return every revision that this version of carrierflow knows: its files begin with them."""
    return frozenset(path.stem.partition("_")[0] for path in VERSIONS.glob("r*_*.py"))


def head_revision() -> str:
    """Return the revision that this version of carrierflow works on."""
    return max(_known())


def require_migrated(connection: Connection) -> None:
    """Check that a database is at the revision that this version works on.

    Raises:
        NotMigrated: if it is at another one, or at none.
    """
    found = current_revision(connection)
    if found != head_revision():
        _refuse_newer(found)
        raise NotMigrated(found, wanted=head_revision())
