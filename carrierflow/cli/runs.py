"""`runs`: what runs did, when they ended, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from carrierflow.cli.ranges import SOME
from carrierflow.cli.session import TIME, Session, command, moment, short
from carrierflow.cli.terminal import Page
from carrierflow.domain.past_run import PastRun


__all__ = ["last_run_text", "register", "run_line"]

DAY = timedelta(days=1)


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "runs", example="carrierflow runs --shop myshop --failed")(runs)


@click.option("--shop", help="Only this shop.")
@click.option("--since", type=TIME, help="Runs that began since then; by default the last day.")
@click.option("--failed", is_flag=True, help="Only those that could not do their work.")
@click.option("--limit", type=SOME, default=100, show_default=True, help="So many at most.")
def runs(
    session: Session, shop: str | None, since: datetime | None, limit: int, *, failed: bool
) -> None:
    """List the runs that were made, the newest first, with how each ended and why.

    One that is under way has no end; one that was cut off never wrote how it ended.
    """
    begun = since or session.app.now() - DAY
    found = session.app.past_runs(shop=shop, since=begun, failed=failed, limit=limit + 1)
    chosen, more = found[:limit], len(found) > limit
    columns = ("began", "ended", "shop", "reason", "checked", "published", "sentence")
    rows = [
        (
            short(run.started_at),
            short(run.ended_at),
            run.shop,
            run.end_reason or "under way",
            run.counters.get("checked"),
            run.counters.get("published"),
            run.sentence,
        )
        for run in chosen
    ]

    def draw(page: Page) -> None:
        page.table(columns, rows)
        if more:
            page.say(f"There are more than {limit}: see --shop, --failed, --since and --limit.")

    session.emit({"runs": [run_line(run) for run in chosen], "more": more}, draw)


def run_line(run: PastRun) -> dict[str, Any]:
    """Return a past run as JSON carries it."""
    return {
        "run": run.id,
        "shop": run.shop,
        "started_at": moment(run.started_at),
        "ended_at": moment(run.ended_at),
        "end_reason": run.end_reason,
        "sentence": run.sentence,
        "failed": run.failed,
        "counters": dict(run.counters),
    }


def last_run_text(run: PastRun | None) -> str:
    """Say in a few words how and when the last run of a shop ended."""
    if run is None:
        return "never"
    return f"{run.end_reason or 'under way'} {short(run.ended_at or run.started_at)}"
