"""What a process that was forked does not go on with: a fork copies everything as it stood.

Two processes would talk over one connection; and a lock that another thread held at that moment
stays held, for that thread is not in the copy.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any
from weakref import WeakMethod


__all__ = ["ProcessLock", "in_children"]


def in_children(method: Callable[[], None]) -> None:
    """Have a method of an object called in each process that is forked, as long as it lives.

    It is called before anything else there, in the one thread that there is.
    """
    _listen()
    kept = WeakMethod(method, lambda gone: _METHODS.pop(id(gone), None))
    _METHODS[id(kept)] = kept


class ProcessLock:
    """A lock among the threads of one process; in a child it is free, whoever held it before."""

    def __init__(self) -> None:
        self._lock = Lock()
        in_children(self._renew)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = Lock()


_METHODS: dict[int, WeakMethod[Any]] = {}


@cache
def _listen() -> None:
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_call_all)
        atexit.register(_METHODS.clear)  # while weakref still stands: some objects live that long


def _call_all() -> None:
    for kept in list(_METHODS.values()):
        method = kept()
        if method is not None:
            method()
