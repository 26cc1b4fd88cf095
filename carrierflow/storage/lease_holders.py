"""Who holds a lease, as its row says it: a process, and the session by which it spoke last."""

from __future__ import annotations

from sqlalchemy import Connection

from carrierflow.storage import processes
from carrierflow.storage.lease_sessions import has_ended, this_session


__all__ = ["holder_in_words", "is_gone", "this_holder"]


def this_holder(connection: Connection) -> str:
    """Return what tells this process and this session from every other."""
    return f"{processes.this_process()} {this_session(connection)}".rstrip()


def is_gone(connection: Connection, holder: str | None) -> bool:
    """Tell whether a holder is provably gone: its process on this host, or its session."""
    process, session = _parts(holder)
    return processes.is_gone(process) or bool(session and has_ended(connection, session))


def holder_in_words(holder: str | None) -> str | None:
    """Return a holder as a person would look for it."""
    return processes.process_in_words(_parts(holder)[0])


def _parts(holder: str | None) -> tuple[str, str]:
    process, _, session = (holder or "").partition(" ")
    return process, session
