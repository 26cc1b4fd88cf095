"""How an engine of ours connects to a server: by drivers that can be made to stop waiting."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event

from carrierflow.storage.timeouts import (
    IDLE,
    INTERVAL,
    PROBES,
    DatabaseTimeouts,
    Lines,
    keep_alive,
)


__all__ = ["allow_more_time", "lines_of", "prepare_lines"]

OPTION = "carrierflow_lines"


def prepare_lines(engine: Engine, timeouts: DatabaseTimeouts) -> None:
    """Let an engine connect so that no answer is waited for without end, and every wait is seen."""
    connect = CONNECTS.get(engine.dialect.driver)
    if connect is None:
        return
    event.listen(engine, "do_connect", partial(_connect, lines_of(engine), timeouts, connect))


def lines_of(engine: Engine) -> Lines:
    """Return the connections of an engine; of a host's own, those that we know: none."""
    lines: Lines | None = engine.get_execution_options().get(OPTION)
    if lines is None:
        lines = Lines()
        engine.update_execution_options(**{OPTION: lines})
    return lines


def allow_more_time(connection: Connection, seconds: float) -> None:
    """Let the statements of a connection take longer; nobody is given it after us."""
    name = connection.dialect.name
    if name == "sqlite":
        return
    connection.detach()
    driver: Any = connection.connection.driver_connection
    if hasattr(driver, "limit"):
        driver.limit = seconds
    if name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds:g}s'")
    elif "MariaDB" in str(getattr(driver, "server_version", "")):
        connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds:g}")


def _connect(
    lines: Lines,
    timeouts: DatabaseTimeouts,
    connect: Callable[[DatabaseTimeouts, Any, Any], Any],
    _dialect: Any,
    _record: Any,
    arguments: Any,
    named: Any,
) -> Any:
    lines.begin()
    try:
        made = connect(timeouts, arguments, named)
    finally:
        lines.end()
    lines.add(made)
    return made


def _to_postgres(timeouts: DatabaseTimeouts, arguments: Any, named: Any) -> Any:
    from carrierflow.storage.postgres_line import PostgresLine  # noqa: PLC0415 - an extra

    defaults = {
        "connect_timeout": math.ceil(timeouts.connect),
        "keepalives_idle": IDLE,
        "keepalives_interval": INTERVAL,
        "keepalives_count": PROBES,
    }
    made = PostgresLine.connect(*arguments, **(defaults | named))
    made.limit = timeouts.statement
    return made


def _to_mariadb(timeouts: DatabaseTimeouts, arguments: Any, named: Any) -> Any:
    from carrierflow.storage.mariadb_line import MariadbLine  # noqa: PLC0415 - an extra

    defaults = {
        "connect_timeout": timeouts.connect,
        "read_timeout": timeouts.statement,
        "write_timeout": timeouts.statement,
    }
    made = MariadbLine(*arguments, **(defaults | named))
    with socket.fromfd(made.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
        if made.unix_socket is None:
            keep_alive(twin)
    return made


CONNECTS: dict[str, Callable[[DatabaseTimeouts, Any, Any], Any]] = {
    "psycopg": _to_postgres,
    "pymysql": _to_mariadb,
}
"""What connects, by the driver; those that somebody else chose connect as they do."""
