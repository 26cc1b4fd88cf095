"""How long a database may keep us waiting, by the settings."""

from __future__ import annotations

from carrierflow.app.settings import Settings
from carrierflow.storage.timeouts import DatabaseTimeouts


__all__ = ["database_timeouts"]


def database_timeouts(settings: Settings) -> DatabaseTimeouts:
    """Return what the settings say of time, as an engine takes it."""
    return DatabaseTimeouts(
        connect=settings.database_connect_timeout,
        statement=settings.database_statement_timeout,
        lock=settings.database_lock_timeout,
        pool=settings.database_pool_timeout,
    )
