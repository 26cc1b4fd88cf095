"""What a SQLite file is before it is used: ours, new, another program's, or no database at all."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import SQLITE_NOTADB
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from carrierflow.errors import ConfigurationError


__all__ = ["is_anothers", "refuse_what_is_none"]

WHOSE_TABLES = (
    "SELECT count(*), count(*) FILTER (WHERE name GLOB 'carrierflow_*') "
    "FROM sqlite_master WHERE type = 'table'"
)


def is_anothers(driver: Any) -> bool:
    """Tell whether a file holds tables of others and none of ours."""
    tables, ours = driver.execute(WHOSE_TABLES).fetchone()
    return bool(tables) and not ours


def refuse_what_is_none(engine: Engine) -> None:
    """Say of a directory, and of a file of another form, that waiting will not help.

    Connections of the engine raise `ConfigurationError` then.
    """
    name = engine.url.database

    @event.listens_for(engine, "do_connect")
    def _refuse_directory(*_: Any) -> None:
        if name and Path(name).is_dir():
            raise ConfigurationError(
                f"{name} is a directory and no database; name a file in CARRIERFLOW_DATABASE_URL."
            )

    @event.listens_for(engine.dialect, "handle_error")
    def _refuse_other_form(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlite_errorcode", None) == SQLITE_NOTADB:
            raise ConfigurationError(
                f"{name} is a file, but not a database; name another in CARRIERFLOW_DATABASE_URL."
            )
