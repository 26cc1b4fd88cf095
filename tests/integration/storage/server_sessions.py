"""Sessions at a database server: which one a connection has, and how another one ends it."""

from __future__ import annotations


__all__ = ["end_session", "session_of"]

MINE = {"postgres": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
END = {"postgres": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}


def session_of(connection, database):
    """Return the number that the server gave a connection's session."""
    return connection.exec_driver_sql(MINE[database.kind]).scalar()


def end_session(engine, database, number):
    """Let the server cut a session off."""
    with engine.connect() as connection:
        connection.exec_driver_sql(END[database.kind].format(number))
