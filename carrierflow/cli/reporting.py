"""`audit`: what auditors ask, answered for people and programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from carrierflow.audit.pages.report_page import Audience
from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.corrections import Correction
from carrierflow.audit.reports.language import Language
from carrierflow.audit.reports.revised_text import revised_text
from carrierflow.audit.reports.wording import span
from carrierflow.cli.auditing import audit
from carrierflow.cli.calendar_days import SINCE, WHEN
from carrierflow.cli.documents import document_of
from carrierflow.cli.fulfillment_json import overview
from carrierflow.cli.ranges import COUNT, SOME_HOURS
from carrierflow.cli.session import Session, command, short
from carrierflow.cli.shown import show_as_of, show_cash, show_coverage, show_drift
from carrierflow.errors import InvalidInput


__all__ = ["register"]


def register(_cli: click.Group) -> None:
    """Add these commands to the group `audit`."""
    command(audit, "timeline", example="carrierflow audit timeline myshop 2001")(timeline)
    command(audit, "as-of", example="carrierflow audit as-of 2026-03-31 --shop myshop")(as_of)
    command(audit, "cod", example="carrierflow audit cod --at 2026-03-31")(cod)
    command(audit, "time-in-state", example="carrierflow audit time-in-state --all-months")(
        time_in_state
    )
    command(audit, "drift", example="carrierflow audit drift --since 2026-03-01")(drift)
    command(audit, "coverage", example="carrierflow audit coverage --within 24")(coverage)
    command(audit, "report", example="carrierflow audit report --out report.html")(report)
    command(audit, "definitions", example="carrierflow audit definitions")(definitions)
    command(audit, "corrections", example="carrierflow audit corrections --since 2026-03-01")(
        corrections
    )


@click.argument("shop")
@click.argument("fulfillment_id")
def timeline(session: Session, shop: str, fulfillment_id: str) -> None:
    """Tell one parcel's life: both machines, refused and late events, what the platform was told.

    Each line has the time at which it was recorded and, where it happened on the road, the time
    at which it occurred; who and why; and when the platform confirmed.
    """
    found = session.app.reports.timeline(shop, fulfillment_id)
    moments = found.moments()
    columns = ("recorded", "occurred", "kind", "machine", "what", "source", "who", "why")
    rows = [
        (
            short(each.at),
            short(each.occurred_at),
            each.kind,
            each.machine,
            each.sentence,
            each.source,
            each.actor,
            each.reason,
        )
        for each in moments
    ]
    document = overview(found.parcel, session.app.projection_of) | {"moments": document_of(moments)}
    session.emit(document, lambda c: c.table(columns, rows))


@click.argument("when", type=WHEN)
@click.option("--shop", help="Only this shop.")
@click.option("--fulfillment", help="Only this parcel of the shop.")
@click.option("--list", "parcels", is_flag=True, help="Name each parcel.")
def as_of(
    session: Session, when: datetime, shop: str | None, fulfillment: str | None, *, parcels: bool
) -> None:
    """Say where the parcels stood: as it was known then, and as it was.

    WHEN is a day, which stands for its end in Vietnam, or a time with a zone. What was known is
    what had been recorded by then. What was is what had occurred by then, by all that is known
    now: scans that came late and corrections included.
    """
    if fulfillment is not None and shop is None:
        raise click.UsageError("--fulfillment needs --shop.")
    found = session.app.reports.as_of(when, shop=shop, fulfillment_id=fulfillment, parcels=parcels)
    session.emit(document_of(found), lambda c: show_as_of(c, found))


@click.option("--at", type=WHEN, help="A day or a time; now if none.")
@click.option("--shop", help="Only this shop.")
@click.option("--known", is_flag=True, help="By what was recorded then, not by what had occurred.")
@click.option("--list", "parcels", is_flag=True, help="Name each parcel, the oldest cash first.")
def cod(
    session: Session, at: datetime | None, shop: str | None, *, known: bool, parcels: bool
) -> None:
    """Say what cash was collected and not remitted, by age; the totals tie to the parcel.

    A day stands for its end in Vietnam. Amounts are whole đồng.
    """
    basis = Basis.KNOWN if known else Basis.WAS
    found = session.app.reports.cod(at, basis=basis, shop=shop, parcels=parcels)
    session.emit(document_of(found), lambda c: show_cash(c, found))


@click.option("--shop", help="Only this shop.")
@click.option("--all-shops", is_flag=True, help="All shops together.")
@click.option("--all-months", is_flag=True, help="All months together.")
@click.option("--since", type=SINCE, help="Stays that ended since then.")
@click.option("--until", type=WHEN, help="Stays that ended until then.")
def time_in_state(
    session: Session,
    shop: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    all_shops: bool,
    all_months: bool,
) -> None:
    """Say how long parcels stayed at each status: half of them, 95 of 100, the slowest.

    A stay counts in the month, in Vietnam, in which it ended. Stays that begin or end with a
    step that was inferred or corrected are counted as unclear and not measured.
    """
    found = session.app.reports.time_in_state(
        shop=shop, by_shop=not all_shops, by_month=not all_months, since=since, until=until
    )
    columns = ("shop", "month", "status", "stays", "p50", "p95", "longest", "unclear")
    rows = [
        (
            row.shop or "all",
            row.month or "all",
            row.status,
            row.stays,
            span(row.p50_seconds),
            span(row.p95_seconds),
            span(row.longest_seconds),
            row.unclear or "",
        )
        for row in found.rows
    ]
    session.emit(document_of(found), lambda c: c.table(columns, rows))


@click.option("--shop", help="Only this shop.")
@click.option("--since", type=SINCE, help="Found since then.")
@click.option("--until", type=WHEN, help="Found until then.")
@click.option("--list", "episodes", is_flag=True, help="Name each time, oldest first.")
def drift(
    session: Session,
    shop: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    episodes: bool,
) -> None:
    """Say where the two sides drifted apart: found, healed, frozen, by kind and time to heal.

    Drift is found in incidents, in writes that did not do their work, and in steps of the
    platform's that the ledger took over.
    """
    found = session.app.reports.drift(shop=shop, since=since, until=until, episodes=episodes)
    session.emit(document_of(found), lambda c: show_drift(c, found))


@click.option("--within", type=SOME_HOURS, help="Hours; by default the setting.")
@click.option("--shop", help="Only this shop.")
@click.option("--oldest", type=COUNT, default=20, show_default=True, help="How many to name.")
def coverage(session: Session, within: float | None, shop: str | None, oldest: int) -> None:
    """Say how lately the open parcels were looked at, and which ones nobody has looked at."""
    span = None if within is None else timedelta(hours=within)
    found = session.app.reports.coverage(span, shop=shop, oldest=oldest)
    session.emit(document_of(found), lambda c: show_coverage(c, found))


def definitions(session: Session) -> None:
    """List the lifecycles that were in force: since when, by whom, how many steps rest on each.

    One that the settings do not name is a finding of `audit verify`.
    """
    found = session.app.reports.definitions()
    columns = ("definition", "in force since", "by", "steps", "last step", "named")
    rows = [
        (
            each.id,
            short(each.since),
            each.os_user or each.db_user,
            each.entries,
            short(each.last_entry),
            "yes" if each.named else "no",
        )
        for each in found
    ]
    session.emit({"definitions": document_of(found)}, lambda c: c.table(columns, rows))


@click.option("--shop", help="Only this shop.")
@click.option("--since", type=SINCE, help="Recorded since then.")
@click.option("--until", type=WHEN, help="Recorded until then.")
def corrections(
    session: Session, shop: str | None, since: datetime | None, until: datetime | None
) -> None:
    """List what people changed: corrections, operators' steps, what was agreed, decisions."""
    found = session.app.reports.corrections(shop=shop, since=since, until=until)
    columns = ("recorded", "kind", "shop", "fulfillment", "what", "who", "why", "approved by")
    rows = [
        (
            short(each.recorded_at),
            each.kind,
            each.shop,
            each.fulfillment_id,
            _changed(each),
            each.actor,
            each.reason,
            each.approved_by,
        )
        for each in found
    ]
    document = {"corrections": document_of(found)}
    session.emit(document, lambda c: c.table(columns, rows))


def _changed(each: Correction) -> str | None:
    if each.before and each.after:
        return revised_text(each.before, each.after)
    return f"{each.from_status} → {each.to_status}" if each.to_status else each.action


@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The HTML file."
)
@click.option("--at", type=WHEN, help="A day or a time; now if none.")
@click.option("--shop", help="Only this shop.")
@click.option("--fulfillment", help="The life of this one parcel of the shop.")
@click.option(
    "--for",
    "audience",
    type=click.Choice([str(each) for each in Audience]),
    help="Who reads it: for finance, cash comes first.",
)
@click.option(
    "--lang",
    type=click.Choice([str(each) for each in Language]),
    default=str(Language.EN),
    show_default=True,
    help="The language of all of it.",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path, file_okay=False),
    help="An export of this log, whose digest the page names.",
)
def report(session: Session, *, out: Path, fulfillment: str | None, **chosen: Any) -> None:
    """Write one HTML file with pictures: it opens from disk, prints, and loads nothing.

    It holds the lifecycle with counts, where parcels stood, cash by age, time at each status,
    drift, coverage and corrections; or, with --fulfillment, one parcel's life. It names the
    checkpoint that it rests on, and the command that makes it again.
    """
    written = _written(session, fulfillment, **chosen)
    try:
        out.write_text(written, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written: {error.strerror}.") from error
    document = {"file": str(out), "bytes": len(written.encode())}
    session.emit(document, lambda c: c.say(f"The report is in {out}."))


def _written(
    session: Session,
    fulfillment: str | None,
    *,
    at: datetime | None,
    shop: str | None,
    audience: str | None,
    lang: str,
    export: Path | None,
) -> str:
    reports, language = session.app.reports, Language(lang)
    if fulfillment is None:
        reader = Audience(audience or Audience.OPERATIONS)
        return reports.page(at, shop=shop, export=export, language=language, audience=reader)
    if shop is None or at is not None or audience is not None:
        raise click.UsageError("--fulfillment needs --shop, and knows no --at and no --for.")
    return reports.parcel_page(shop, fulfillment, export=export, language=language)
