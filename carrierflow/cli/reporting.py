"""`audit`: what auditors ask, answered for people and programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import click
from rich.console import Console

from carrierflow.audit.calendar import begin_of, end_of
from carrierflow.audit.cash import Cash
from carrierflow.audit.coverage import CoverageReport
from carrierflow.audit.standing import AsOf, Basis, Place
from carrierflow.cli.auditing import audit
from carrierflow.cli.documents import document_of
from carrierflow.cli.session import TIME, Session, command, short
from carrierflow.overview import overview


__all__ = ["register"]

DAY = re.compile(r"\d{4}-\d\d-\d\d", flags=re.ASCII)


class When(click.ParamType[datetime, str]):
    """A day in Vietnam, which stands for its end or its beginning, or a time with a zone."""

    name = "when"

    def __init__(self, edge: Callable[[date], datetime]) -> None:
        self._edge = edge

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a day or a time; anything else is a usage error."""
        if isinstance(value, str) and DAY.fullmatch(value):
            try:
                return self._edge(date.fromisoformat(value))
            except (ValueError, OverflowError):
                self.fail(f"There is no day {value}.", param, ctx)
        return TIME.convert(value, param, ctx)


WHEN = When(end_of)
SINCE = When(begin_of)


def register(_cli: click.Group) -> None:
    """Add these commands to the group `audit`."""
    command(audit, "timeline", example="carrierflow audit timeline myshop 2001")(timeline)
    command(audit, "as-of", example="carrierflow audit as-of 2026-03-31 --shop myshop")(as_of)
    command(audit, "cod", example="carrierflow audit cod --at 2026-03-31")(cod)
    command(audit, "coverage", example="carrierflow audit coverage --within 24")(coverage)
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
    document = overview(found.parcel) | {"moments": document_of(moments)}
    session.emit(document, lambda c: c.print(session.table(columns, rows)))


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
    session.emit(document_of(found), lambda c: _show_as_of(session, c, found))


def _show_as_of(session: Session, console: Console, found: AsOf) -> None:
    console.print(f"At {short(found.at)}: {found.known} parcels known, {found.was} there.\n")
    totals = [(t.shop, t.machine, t.status, t.known, t.was) for t in found.totals]
    console.print(session.table(("shop", "machine", "status", "known", "was"), totals))
    if found.misjudged:
        console.print("\n[bold]Not where they were thought to be[/bold]")
        rows = [
            (m.shop, m.machine, m.known or "unknown", m.was or "not there yet", m.parcels)
            for m in found.misjudged
        ]
        console.print(session.table(("shop", "machine", "known", "was", "parcels"), rows))
    if found.parcels is not None:
        console.print("\n[bold]Parcels[/bold]")
        each = [(*_names(p.ref), *_places(p.known), *_places(p.was)) for p in found.parcels]
        columns = ("shop", "order", "fulfillment", "known", "", "was", "")
        console.print(session.table(columns, each))


def _names(ref: Any) -> Sequence[str]:
    return ref.shop, ref.order_id, ref.fulfillment_id


def _places(place: Place) -> Sequence[str]:
    return place.carrier_status or "-", place.cod_status or "-"


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
    session.emit(document_of(found), lambda c: _show_cash(session, c, found))


def _show_cash(session: Session, console: Console, found: Cash) -> None:
    console.print(
        f"At {short(found.at)}: {dong(found.amount)} of {found.parcels} parcels "
        "collected and not remitted.\n"
    )
    ages = [(a.shop, a.band, a.parcels, dong(a.amount)) for a in found.by_age]
    console.print(session.table(("shop", "collected", "parcels", "amount"), ages))
    console.print("\n[bold]All cash on delivery[/bold]")
    totals = [(t.shop, t.status, t.parcels, dong(t.amount)) for t in found.by_status]
    console.print(session.table(("shop", "status", "parcels", "amount"), totals))
    if found.held is not None:
        console.print("\n[bold]Parcels[/bold]")
        rows = [
            (*_names(h.ref), short(h.collected_at), h.age_days, dong(h.amount)) for h in found.held
        ]
        columns = ("shop", "order", "fulfillment", "collected", "days", "amount")
        console.print(session.table(columns, rows))


def dong(amount: int) -> str:
    """Write an amount as Vietnam does: `1.250.000 ₫`."""
    return f"{amount:,}".replace(",", ".") + " ₫"


@click.option(
    "--within", type=click.FloatRange(min=0, min_open=True), help="Hours; by default the setting."
)
@click.option("--shop", help="Only this shop.")
@click.option(
    "--oldest", type=click.IntRange(min=0), default=20, show_default=True, help="How many to name."
)
def coverage(session: Session, within: float | None, shop: str | None, oldest: int) -> None:
    """Say how lately the open parcels were looked at, and which ones nobody has looked at."""
    span = None if within is None else timedelta(hours=within)
    found = session.app.reports.coverage(span, shop=shop, oldest=oldest)
    session.emit(document_of(found), lambda c: _show_coverage(session, c, found))


def _show_coverage(session: Session, console: Console, found: CoverageReport) -> None:
    console.print(
        f"{found.verified} of {found.open} open parcels were looked at within "
        f"{found.within_hours:g} hours.\n"
    )
    shops = [
        (s.shop, s.open, s.verified, s.never_verified, short(s.oldest_verified_at))
        for s in found.shops
    ]
    console.print(session.table(("shop", "open", "verified", "never", "oldest"), shops))
    ages = [(a.shop, a.age or "never", a.parcels) for a in found.by_age]
    console.print("\n[bold]By the last look[/bold]")
    console.print(session.table(("shop", "looked at", "parcels"), ages))
    if found.oldest:
        console.print("\n[bold]Waiting longest[/bold]")
        rows = [
            (*_names(u.ref), u.carrier_status, short(u.verified_at) or "never", u.frozen)
            for u in found.oldest
        ]
        columns = ("shop", "order", "fulfillment", "status", "looked at", "frozen")
        console.print(session.table(columns, rows))


@click.option("--shop", help="Only this shop.")
@click.option("--since", type=SINCE, help="Recorded since then.")
@click.option("--until", type=WHEN, help="Recorded until then.")
def corrections(
    session: Session, shop: str | None, since: datetime | None, until: datetime | None
) -> None:
    """List what people changed: corrections, operators' steps, decisions about incidents."""
    found = session.app.reports.corrections(shop=shop, since=since, until=until)
    columns = ("recorded", "kind", "shop", "fulfillment", "what", "who", "why", "approved by")
    rows = [
        (
            short(each.recorded_at),
            each.kind,
            each.shop,
            each.fulfillment_id,
            f"{each.from_status} → {each.to_status}" if each.to_status else each.action,
            each.actor,
            each.reason,
            each.approved_by,
        )
        for each in found
    ]
    document = {"corrections": document_of(found)}
    session.emit(document, lambda c: c.print(session.table(columns, rows)))
