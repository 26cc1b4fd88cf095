"""Which tables a statement goes through from one end to the other, by the database's own plan."""

from __future__ import annotations

import re
from contextlib import contextmanager

from sqlalchemy import event


__all__ = ["scanned", "statements"]


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


def _asked(engine, question, parameters, *before):
    with engine.connect() as connection:
        for each in before:
            connection.exec_driver_sql(each)
        return connection.exec_driver_sql(question, parameters).all()


def _text(plan):
    return "\n".join(str(tuple(row)) for row in plan)
