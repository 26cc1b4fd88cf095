"""`work`: shops as they become due, for as long as it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from carrierflow.cli.reconciling import report_runs
from carrierflow.cli.session import INTERRUPTED, Session, command, tell
from carrierflow.cli.stopping import stopping
from carrierflow.cli.terminal import Page
from carrierflow.reconcile import RunReport


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "work", example="carrierflow work --parallel 8")(work)


@click.option(
    "--parallel",
    type=click.IntRange(1, 64),
    help="Shops looked after at once; by default the setting.",
)
@click.option(
    "--until-idle", is_flag=True, help="End as soon as no shop is due, with a report of each."
)
def work(session: Session, parallel: int | None, *, until_idle: bool) -> None:
    """Look after shops as they become due, until Ctrl-C.

    Any number of processes may do so, on one machine or on many: they share the shops by the
    database. Each shop has its turn for 20 seconds at most, and then it is the next one's.
    """
    if session.as_json and not until_idle:
        raise click.UsageError("--json prints one document at the end; it goes with --until-idle.")
    session.require_tables(now=until_idle)
    session.stays = not until_idle
    with stopping(session) as stopped:
        runs = session.app.work(parallel=parallel, stop=stopped.is_set, until_idle=until_idle)
        if until_idle:
            reports = _by_shop(runs)
        else:
            done = _told(runs)
    if until_idle:
        report_runs(session, reports, interrupted=stopped.is_set())
        return
    session.emit(dict(done), lambda page: _draw(page, done))
    raise click.exceptions.Exit(INTERRUPTED)


def _by_shop(runs: Iterable[RunReport]) -> list[RunReport]:
    """Return one report for each shop, of all that was done for it."""
    found: dict[str, RunReport] = {}
    for report in runs:
        earlier = found.get(report.shop)
        found[report.shop] = earlier.then(report) if earlier else report
    return [found[shop] for shop in sorted(found)]


def _told(runs: Iterable[RunReport]) -> Counter[str]:
    """Say what goes wrong as it does; return what was done in all."""
    done: Counter[str] = Counter()
    for report in runs:
        done["runs"] += 1
        done["checked"] += report.checked
        done["published"] += report.published
        done["failed"] += report.failed
        if report.failed:
            tell(f"Shop {report.shop}: {report.sentence or report.end_reason}")
    return done


def _draw(page: Page, done: Counter[str]) -> None:
    page.say(
        f"Runs: {done['runs']}, of which failed: {done['failed']}. "
        f"Fulfillments compared: {done['checked']}. Writes confirmed: {done['published']}."
    )
