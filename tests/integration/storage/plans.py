"""Which tables a statement goes through from one end to the other, by the database's own plan."""

from __future__ import annotations

import re
from contextlib import contextmanager

from sqlalchemy import event


__all__ = ["rows_read", "scanned", "statements"]


@contextmanager
def statements(engine):
    """Collect what is asked of an engine meanwhile, with what is given to it."""
    found = []

    def told(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", told)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", told)


def scanned(engine, statement, parameters):
    """Return the tables that are scanned though they may be large; PostgreSQL if it must."""
    match engine.dialect.name:
        case "sqlite":
            plan = _asked(engine, f"EXPLAIN QUERY PLAN {statement}", parameters)
            return set(re.findall(r"SCAN (carrierflow_\w+?)(?:_\d+)?\b", _text(plan)))
        case "postgresql":
            plan = _asked(engine, f"EXPLAIN {statement}", parameters, "SET enable_seqscan = off")
            return set(re.findall(r"Seq Scan on (carrierflow_\w+)", _text(plan)))
        case _:
            plan = _asked(engine, f"EXPLAIN {statement}", parameters)
            whole = [row for row in plan if row.type in {"ALL", "index"}]
            return {re.sub(r"_\d+$", "", row.table) for row in whole}


def rows_read(engine, statement, parameters):
    """Return how many rows a statement reads, of tables and of indexes, as the database counts."""
    with engine.connect() as connection:
        match engine.dialect.name:
            case "sqlite":
                return _steps(connection, statement, parameters) // STEPS_A_ROW
            case "postgresql":
                question = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                (told,) = connection.exec_driver_sql(question, parameters).scalar_one()
                return _rows_of(told["Plan"])
            case _:
                connection.exec_driver_sql("FLUSH STATUS")
                connection.exec_driver_sql(statement, parameters).all()
                told = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'")
                return sum(int(row[1]) for row in told)


STEPS_A_ROW = 3
"""Of SQLite's machine: as many at least as it takes to read a row and hand it on."""


def _steps(connection, statement, parameters):
    """Count the steps of SQLite's machine."""
    driver, steps = connection.connection.driver_connection, [0]

    def count():
        steps[0] += 1

    driver.set_progress_handler(count, 1)
    try:
        connection.exec_driver_sql(statement, parameters).all()
    finally:
        driver.set_progress_handler(None, 1)
    return steps[0]


def _rows_of(node):
    """Count what the ends of a plan read: what came of it, and what was thrown away."""
    inner = node.get("Plans", [])
    if inner:
        return sum(map(_rows_of, inner))
    thrown = sum(rows for name, rows in node.items() if name.startswith("Rows Removed by"))
    return round((node["Actual Rows"] + thrown) * node["Actual Loops"])


def _asked(engine, question, parameters, *before):
    with engine.connect() as connection:
        for each in before:
            connection.exec_driver_sql(each)
        return connection.exec_driver_sql(question, parameters).all()


def _text(plan):
    return "\n".join(str(tuple(row)) for row in plan)
