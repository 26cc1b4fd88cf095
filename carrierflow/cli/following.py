"""`changes`: what happened, line by line, for a program that follows it."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from carrierflow.cli.ranges import POSITION, SOME
from carrierflow.cli.session import INTERRUPTED, Session, command, print_exactly, print_json
from carrierflow.cli.stopping import stopping
from carrierflow.cli.streams import lost
from carrierflow.errors import DatabaseUnavailable


if TYPE_CHECKING:
    from carrierflow.audit.feed.feed import FeedPage


__all__ = ["register"]

log = logging.getLogger(__name__)

PAGE = 1000
"""Entries that are read at once."""

PAUSE = 1.0
"""Seconds between two looks, at the least."""

SHARE = 10
"""How many times as long as a look the pause after it is, at the least."""

Pause = Callable[[float], bool]
"""Waits so many seconds, and tells whether somebody asked to stop."""


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "changes", example="carrierflow changes --after 41200 --follow")(changes)


@click.option(
    "--after",
    type=POSITION,
    help="Go on behind this place: the position of the last line that you have. Without it, from "
    "the beginning.",
)
@click.option("--shop", help="Only what happened in this shop.")
@click.option("--limit", type=SOME, help="So many lines at most; without it, all there are.")
@click.option("--follow", is_flag=True, help="Wait for more, until Ctrl-C or a polite kill.")
def changes(
    session: Session, after: int | None, shop: str | None, limit: int | None, *, follow: bool
) -> None:
    """Print what happened, once and in order: a JSON object on each line.

    Each step of a parcel, and the beginning and end of each incident. With --json one document is
    printed, and `next` in it is the place to go on from.
    """
    if follow and session.as_json:
        raise click.UsageError("--follow prints lines as they come; leave --json out.")
    if session.as_json:
        pages = list(_pages(session, after, shop, limit))
        found = [entry.document() for page in pages for entry in page.entries]
        print_json({"changes": found, "next": pages[-1].next})
    elif follow:
        _follow(session, after, shop, limit)
    else:
        _print(_pages(session, after, shop, limit), until=lambda: False)


def _follow(session: Session, after: int | None, shop: str | None, limit: int | None) -> None:
    session.stays = True
    with stopping(session, sentence="") as stopped:
        pages = _pages(session, after, shop, limit, pause=stopped.wait)
        _print(pages, until=stopped.is_set)
    if stopped.is_set():
        raise click.exceptions.Exit(INTERRUPTED)


def _print(pages: Iterator[FeedPage], *, until: Callable[[], bool]) -> None:
    """Print pages as they come, as long as somebody reads them."""
    for page in pages:
        for entry in page.entries:
            print_exactly(f"{json.dumps(entry.document())}\n")
        if until() or lost(sys.stdout):
            return


def _pages(
    session: Session,
    after: int | None,
    shop: str | None,
    limit: int | None,
    *,
    pause: Pause | None = None,
) -> Iterator[FeedPage]:
    """Yield pages until there is nothing more; with a pause, until somebody asks to stop.

    A look takes the longer the longer the log is, so the pause grows with it. A database that
    goes away after the first look is waited for.
    """
    left, begun = limit, False
    while left is None or left > 0:
        most, since = PAGE if left is None else min(PAGE, left), time.monotonic()
        page = None
        try:
            page = session.app.changes(after=after, shop=shop, limit=most)
        except DatabaseUnavailable as error:
            if pause is None or not begun:
                raise
            log.warning("carrierflow.feed_waits", extra={"reason": str(error)})
        if page is not None:
            yield page
            after, begun = page.next, True
            left = None if left is None else left - len(page.entries)
            if len(page.entries) == most:
                continue
        if pause is None or pause(max(PAUSE, SHARE * (time.monotonic() - since))):
            return
