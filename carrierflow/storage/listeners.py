"""Who in this process is told of what it wrote, as soon as that is committed.

What is written in a transaction of ours is gathered on its connection, and told when the connection
is free again. On a connection of the host's nothing is gathered: only the host knows whether it
commits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from carrierflow.domain.feed_entry import FeedEntry


if TYPE_CHECKING:
    from sqlalchemy import Connection


__all__ = ["Handler", "Listeners", "gather", "is_heard"]

log = logging.getLogger(__name__)

NEWS = "carrierflow_news"

Handler = Callable[[FeedEntry], object]
"""Is told of one entry; what it returns is not looked at."""


class Listeners:
    """The handlers of a process, in the order in which they came."""

    def __init__(self) -> None:
        self._handlers: tuple[Handler, ...] = ()

    def add(self, handler: Handler) -> None:
        """Tell a handler of everything from now on."""
        self._handlers = (*self._handlers, handler)

    def listen(self, connection: Connection) -> list[FeedEntry]:
        """Return the list in which a transaction gathers what it writes, if anybody listens."""
        news: list[FeedEntry] = []
        if self._handlers:
            connection.execution_options(**{NEWS: news})
        return news

    def tell(self, news: Iterable[FeedEntry]) -> None:
        """Tell each handler of each entry; what one raises is logged, and is nobody else's."""
        for entry in news:
            for handler in self._handlers:
                try:
                    handler(entry)
                except Exception:
                    log.exception("carrierflow.handler_failed", extra={"kind": entry.kind})


def is_heard(connection: Connection) -> bool:
    """Tell whether somebody is told of what is written on a connection."""
    return NEWS in connection.get_execution_options()


def gather(connection: Connection, entries: Iterable[FeedEntry]) -> None:
    """Put by what was written on a connection that is heard."""
    connection.get_execution_options()[NEWS].extend(entries)
