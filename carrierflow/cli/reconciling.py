"""`reconcile` and `apply`: the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import click

from carrierflow.cli.complaints import complaints, remarks
from carrierflow.cli.ranges import COUNT
from carrierflow.cli.session import (
    FAILED,
    HELD,
    INTERRUPTED,
    WORK_LEFT,
    Session,
    command,
    moment,
    tell,
)
from carrierflow.cli.stopping import stopping
from carrierflow.cli.terminal import Page
from carrierflow.domain.shop import ShopState
from carrierflow.reconcile import EndReason, Plan, Progress, Requests, RunReport


__all__ = ["register", "report_runs"]


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "reconcile", example="carrierflow reconcile --shop myshop --wait")(reconcile)
    command(cli, "apply", example="carrierflow apply plan.jsonl")(apply_plan)


@click.option("--shop", "shops", multiple=True, metavar="CODE", help="Only this shop; repeatable.")
@click.option("--full", is_flag=True, help="Look at every open order, however lately seen.")
@click.option("--hinted", is_flag=True, help="Look only at what webhooks named.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; nothing is told.")
@click.option(
    "--plan-out", type=click.File("w", encoding="utf-8"), help="Write the plan of a dry run here."
)
@click.option("--wait", is_flag=True, help="Wait for shops that are held, and for settle windows.")
@click.option("--max-writes", type=COUNT, help="Writes that each shop may get.")
@click.option(
    "--parallel",
    type=click.IntRange(1, 64),
    help="Shops looked after at once; by default the setting.",
)
def reconcile(
    session: Session,
    shops: Sequence[str],
    plan_out: IO[str] | None,
    max_writes: int | None,
    parallel: int | None,
    *,
    full: bool,
    hinted: bool,
    dry_run: bool,
    wait: bool,
) -> None:
    """Compare the ledger with the platform and make the missing writes, in order.

    Ctrl-C ends it cleanly within seconds, after a write under way; the next run goes on.
    """
    if hinted and (full or dry_run or plan_out):
        raise click.UsageError("--hinted goes with neither --full nor a plan.")
    if dry_run or plan_out:
        _plan(session, shops, full=full, out=plan_out)
        return
    with stopping(session) as stopped, bars(session) as update:
        reports = session.app.reconcile(
            shops,
            full=full,
            hinted=hinted,
            wait=wait,
            max_writes=max_writes,
            parallel=parallel,
            stop=stopped.is_set,
            progress=update,
        )
    report_runs(session, reports, full=full, interrupted=stopped.is_set())


@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def apply_plan(session: Session, plan: Path) -> None:
    """Carry out a plan that `reconcile --plan-out` wrote.

    Each target is read again first; a line whose evidence changed is stale and is left alone.
    """
    content = Plan.from_text(plan.read_text(encoding="utf-8"))
    with stopping(session) as stopped:
        reports = session.app.apply(content, stop=stopped.is_set)
    report_runs(session, reports, interrupted=stopped.is_set())


def _plan(session: Session, shops: Sequence[str], *, full: bool, out: IO[str] | None) -> None:
    plan, requests, unread = session.app.plan(shops, full=full)
    if out is not None:
        out.write(plan.to_text())
    document = {
        "plan": list(plan.lines),
        "requests": [asdict(made) for made in requests],
        "unread": [asdict(each) for each in unread],
    }
    session.emit(document, lambda c: _draw_plan(c, plan, requests))
    if unread:
        tell(*(f"Shop {each.shop} is not in the plan. {each.sentence}" for each in unread))
        raise click.exceptions.Exit(FAILED)


def _draw_plan(page: Page, plan: Plan, requests: Sequence[Requests]) -> None:
    rows = [
        (
            line["shop"],
            line["fulfillment_id"],
            line["class"],
            "; ".join(_wanted(line)),
        )
        for line in plan.lines
    ]
    if rows:
        page.table(("shop", "fulfillment", "class", "would do"), rows)
    wanted = sum(len(line["puts"]) for line in plan.lines)
    gets = sum(made.get for made in requests)
    page.say(f"Fulfillments: {len(rows)}. Writes wanted: {wanted}. GETs made: {gets}; writes: 0.")


def _wanted(line: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would be done about a fulfillment, and what is held, with the reason."""
    if wanted := " → ".join(put["write"] for put in line["puts"]) or line["adopts"]:
        yield wanted
    if held := ", ".join(held["status"] for held in line["held"]):
        yield f"{held}: held, nothing takes it back"


def run_document(report: RunReport) -> dict[str, Any]:
    """Return a run's report as JSON carries it."""
    return {
        "shop": report.shop,
        "run": report.run,
        "end_reason": report.end_reason,
        "sentence": report.sentence,
        "started_at": moment(report.started_at),
        "ended_at": moment(report.ended_at),
        "requests": asdict(report.requests),
        "orders": report.orders,
        "checked": report.checked,
        "in_sync": report.in_sync,
        "published": report.published,
        "adopted": report.adopted,
        "adopted_fulfillments": [asdict(ref) for ref in report.adopted_fulfillments],
        "waiting": report.waiting,
        "awaiting": report.awaiting,
        "frozen": report.frozen,
        "frozen_fulfillments": [asdict(ref) for ref in report.frozen_fulfillments],
        "incidents_opened": report.incidents_opened,
        "left": report.left,
        "left_fulfillments": [asdict(ref) for ref in report.left_fulfillments],
        "stale": report.stale,
        "next_look_at": moment(report.next_look_at),
        "rows": report.rows,
    }


LATER = frozenset({EndReason.THROTTLED, EndReason.RESTING})
"""After these endings something is left to do, and nobody needs to do more than wait."""

COLUMNS = (
    "shop",
    "orders",
    "checked",
    "in_sync",
    "published",
    "adopted",
    "waiting",
    "frozen",
    "incidents_opened",
    "left",
)


def report_runs(
    session: Session,
    reports: Sequence[RunReport],
    *,
    full: bool = False,
    interrupted: bool = False,
) -> None:
    """Print what runs did, and exit with the code that says how they ended.

    What needs a person is told on stderr beside: all incidents after a full pass, else new ones.
    """
    document = {"shops": [run_document(report) for report in reports]}
    rows = [
        [
            *(run_document(report)[name] for name in COLUMNS),
            f"{report.requests.get} / {report.requests.put}",
            report.end_reason,
        ]
        for report in reports
    ]

    incidents = session.app.incidents.by_kind()

    def draw(page: Page) -> None:
        if rows:
            page.table((*COLUMNS, "GETs / writes", "ended"), rows)
        else:
            page.say(_nobody(session))
        page.say(*remarks(reports, sum(some.count for some in incidents)))

    session.emit(document, draw)
    outages = session.app.new_outages(reports)
    hosts = {shop.code: shop.host for shop in session.app.shops.all()} if incidents else {}
    tell(*complaints(reports, incidents, outages, hosts, full=full))
    code = exit_code(reports, incidents=bool(incidents))
    if interrupted:
        code = INTERRUPTED
    if code:
        raise click.exceptions.Exit(code)


def _nobody(session: Session) -> str:
    """Say why no shop was looked after."""
    shops = session.app.shops.all()
    if any(shop.state is ShopState.ACTIVE for shop in shops):
        return "No shop is due."
    if shops:
        return "No shop is active; `carrierflow shop list` says of each why."
    return "No shop is connected; `carrierflow shop add` connects one."


def exit_code(reports: Sequence[RunReport], *, incidents: bool) -> int:
    """Return 75 if other runs have every shop, 1 if a run failed, 3 if something is left."""
    if reports and all(report.held for report in reports):
        return HELD
    if any(report.failed for report in reports):
        return FAILED
    mine = [report for report in reports if not report.held]
    unfinished = any(r.left or r.waiting or r.end_reason in LATER for r in mine)
    if incidents or unfinished:
        return WORK_LEFT
    return 0


@contextmanager
def bars(session: Session) -> Iterator[Callable[[Progress], None]]:
    """Show one bar for all shops together."""
    done: dict[str, Progress] = {}
    with session.progress("orders") as update:

        def told(progress: Progress) -> None:
            done[progress.shop] = progress
            looked = sum(each.orders for each in done.values())
            update(looked, looked + sum(each.orders_left for each in done.values()))

        yield told
