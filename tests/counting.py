"""How much a database is asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event


@dataclass
class Asked:
    """What an engine was asked: every statement that is no begin and no setting."""

    statements: list = field(default_factory=list)
    transactions: int = 0


@contextmanager
def counted(engine):
    """Count what is asked of an engine meanwhile, and in how many transactions."""
    found = Asked()

    def asked(_connection, _cursor, statement, *_):
        if not statement.startswith(("BEGIN", "PRAGMA", "SET ")):
            found.statements.append(statement)

    def begun(_connection):
        found.transactions += 1

    event.listen(engine, "before_cursor_execute", asked)
    event.listen(engine, "begin", begun)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", asked)
        event.remove(engine, "begin", begun)
