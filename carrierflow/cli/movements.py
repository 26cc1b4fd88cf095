"""`audit`: what happened in a while: cash that moved, runs that were made, acts of people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.cash_movements import CashMovements, CashRow, GroupBy
from carrierflow.audit.reports.runs_made import RunsMade
from carrierflow.audit.reports.wording import dong
from carrierflow.cli.auditing import audit
from carrierflow.cli.calendar_days import SINCE, WHEN
from carrierflow.cli.documents import document_of
from carrierflow.cli.session import Session, command, short
from carrierflow.cli.terminal import Page
from carrierflow.domain.administration_kinds import AdministrationKind


__all__ = ["register"]


def register(_cli: click.Group) -> None:
    """Add these commands to the group `audit`."""
    command(audit, "cash", example="carrierflow audit cash --from 2026-03-01 --to 2026-03-31")(cash)
    command(audit, "runs", example="carrierflow audit runs --since 2026-03-01")(runs)
    command(audit, "administration", example="carrierflow audit administration --since 2026-03-01")(
        administration
    )


@click.option("--from", "since", type=SINCE, required=True, help="The first day, or a time.")
@click.option("--to", "until", type=WHEN, help="The last day, or a time; now if none.")
@click.option(
    "--by",
    type=click.Choice([str(each) for each in GroupBy]),
    default=str(GroupBy.DAY),
    show_default=True,
    help="What the rows are.",
)
@click.option("--shop", help="Only this shop.")
@click.option("--known", is_flag=True, help="By what was recorded, not by what had occurred.")
@click.option("--list", "moves", is_flag=True, help="Name each movement with its parcel.")
def cash(
    session: Session,
    since: datetime,
    until: datetime | None,
    by: str,
    shop: str | None,
    *,
    known: bool,
    moves: bool,
) -> None:
    """Say how the cash that is held moved: opening, what came and went, closing.

    A day is a day in Vietnam, from its beginning to its end. Opening and closing are what
    `audit cod` says of them; each movement is an entry of one parcel. Amounts are whole đồng.
    """
    found = session.app.reports.cash_movements(
        since,
        until,
        basis=Basis.KNOWN if known else Basis.WAS,
        by=GroupBy(by),
        shop=shop,
        moves=moves,
    )
    session.emit(document_of(found), lambda c: _show_cash(c, found))


def _show_cash(page: Page, found: CashMovements) -> None:
    page.say(
        f"From {short(found.since)} to {short(found.until)}: {dong(found.total.opening)} became "
        f"{dong(found.total.closing)} by {found.total.moves} movements.",
        "",
    )
    columns = ("opening", "collected", "remitted", "returned", "corrected", "revised", "closing")
    rows = [(each.day or each.shop, *_amounts(each)) for each in found.rows]
    page.table((found.by, *columns), [*rows, ("total", *_amounts(found.total))])
    if found.moves is not None:
        page.heading("Movements")
        named = [
            (
                short(move.at),
                move.ref.shop,
                move.ref.order_id,
                move.ref.fulfillment_id,
                move.kind,
                dong(move.amount),
                move.entry,
            )
            for move in found.moves
        ]
        page.table(("at", "shop", "order", "fulfillment", "what", "amount", "entry"), named)


def _amounts(row: CashRow) -> tuple[str, ...]:
    moved = (row.collected, -row.remitted, -row.returned, row.corrected, row.revised)
    return tuple(map(dong, (row.opening, *moved, row.closing)))


@click.option("--shop", help="Only this shop.")
@click.option("--since", type=SINCE, help="Runs that began since then.")
@click.option("--until", type=WHEN, help="Runs that began until then.")
@click.option("--list", "ended", is_flag=True, help="Name each run that ended.")
def runs(
    session: Session,
    shop: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    ended: bool,
) -> None:
    """Say which runs were made at each shop, and how they ended, as the log holds it.

    A run that never said how it ended is counted as `unended`: it was killed, lost its database,
    or is under way.
    """
    found = session.app.reports.runs(shop=shop, since=since, until=until, ended=ended)
    session.emit(document_of(found), lambda c: _show_runs(c, found))


def _show_runs(page: Page, found: RunsMade) -> None:
    page.say(f"{found.runs} runs: {found.failed} failed, {found.unended} did not end.", "")
    rows = [
        (each.shop, each.runs, each.failed, each.unended, _listed(each.reasons), short(each.last))
        for each in found.shops
    ]
    page.table(("shop", "runs", "failed", "unended", "ended", "last began"), rows)
    if found.ended is not None:
        page.heading("Runs that ended")
        named = [
            (
                short(run.started_at),
                short(run.ended_at),
                run.shop,
                run.end_reason,
                run.run,
                run.position,
            )
            for run in found.ended
        ]
        page.table(("began", "ended", "shop", "reason", "run", "place"), named)


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.items())


@click.option("--shop", help="Only acts about this shop.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([str(each) for each in AdministrationKind]),
    help="Only acts of this kind; may be given several times.",
)
@click.option("--since", type=SINCE, help="Written since then.")
@click.option("--until", type=WHEN, help="Written until then.")
def administration(
    session: Session,
    shop: str | None,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
) -> None:
    """List what was done to the installation: shops, tokens, keys, exports, erasures, checks.

    Each act has who did it, by name, as account of the system and of the database, and its place
    in the log.
    """
    found = session.app.reports.administration(
        shop=shop, kinds=[AdministrationKind(kind) for kind in kinds], since=since, until=until
    )
    columns = ("written", "kind", "shop", "about", "who", "account", "database", "place")
    rows = [
        (
            short(act.recorded_at),
            act.kind,
            act.shop,
            act.subject,
            act.actor,
            act.os_user,
            act.db_user,
            act.position,
        )
        for act in found
    ]
    session.emit({"acts": document_of(found)}, lambda c: c.table(columns, rows))
