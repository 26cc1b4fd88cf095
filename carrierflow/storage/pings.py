"""Asking a pooled connection whether its server is still there, where there is doubt.

Each question costs as much as a small statement, and a run that finds nothing to do makes four
transactions. A server that hung up is seen by our own end of the line; only one that is gone
without a word, behind a firewall that forgot a line, must be asked.
"""

from __future__ import annotations

import select
import time
from functools import partial
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError


__all__ = ["ping_doubtful"]

RESTED = 5.0
"""Seconds after which a connection that nobody used is asked before it is given out."""

SINCE = "carrierflow_rests_since"


def ping_doubtful(engine: Engine) -> None:
    """Let an engine's pool give out no connection that was lost while it rested.

    Where one is lost all that were made before it are made anew, as a server that restarts loses
    them all.
    """
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_ping, engine.dialect))


def _rest(_driver: Any, record: Any) -> None:
    record.info[SINCE] = time.monotonic()


def _ping(dialect: Dialect, driver: Any, record: Any, _lent: Any) -> None:
    since = record.info.get(SINCE)  # a new connection has none
    kind = dialect.loaded_dbapi.Error
    if since is None or (time.monotonic() - since < RESTED and _is_quiet(driver, kind)):
        return
    try:
        dialect.do_ping(driver)
    except kind as error:
        if dialect.is_disconnect(error, driver, None):
            raise InvalidatePoolError from error
        raise DBAPIError.instance(None, None, error, kind, dialect=dialect) from error


def _is_quiet(driver: Any, kind: type[Exception]) -> bool:
    """Tell whether the server has sent nothing that nobody asked for, not even its goodbye.

    It is not said of a driver that shows no line, or one that is closed.
    """
    try:
        told, _, _ = select.select([driver], [], [], 0)
    except (TypeError, ValueError, OSError, kind):
        return False
    return not told
