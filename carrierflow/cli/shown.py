"""Auditors' answers as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from carrierflow.audit.reports.as_of import AsOf, Place
from carrierflow.audit.reports.cash import Cash
from carrierflow.audit.reports.coverage import CoverageReport
from carrierflow.audit.reports.drift import Drift
from carrierflow.audit.reports.wording import dong, span
from carrierflow.cli.session import short
from carrierflow.cli.terminal import Page
from carrierflow.domain.model import FulfillmentRef


__all__ = ["show_as_of", "show_cash", "show_coverage", "show_drift"]


def show_as_of(page: Page, found: AsOf) -> None:
    """Show where the parcels stood."""
    page.say(f"At {short(found.at)}: {found.known} parcels known, {found.was} there.", "")
    totals = [(t.shop, t.machine, t.status, t.known, t.was) for t in found.totals]
    page.table(("shop", "machine", "status", "known", "was"), totals)
    if found.misjudged:
        page.heading("Not where they were thought to be")
        rows = [
            (m.shop, m.machine, m.known or "unknown", m.was or "not there yet", m.parcels)
            for m in found.misjudged
        ]
        page.table(("shop", "machine", "known", "was", "parcels"), rows)
    if found.parcels is not None:
        page.heading("Parcels")
        each = [(*_names(p.ref), *_places(p.known), *_places(p.was)) for p in found.parcels]
        columns = ("shop", "order", "fulfillment", "known", "", "was", "")
        page.table(columns, each)


def _names(ref: FulfillmentRef) -> Sequence[str]:
    return ref.shop, ref.order_id, ref.fulfillment_id


def _places(place: Place) -> Sequence[str]:
    return place.carrier_status or "-", place.cod_status or "-"


def show_cash(page: Page, found: Cash) -> None:
    """Show the cash by age and by whose it is."""
    page.say(
        f"At {short(found.at)}: {dong(found.amount)} of {found.parcels} parcels "
        "collected and not remitted.",
        "",
    )
    ages = [(a.shop, a.band, a.parcels, dong(a.amount)) for a in found.by_age]
    page.table(("shop", "collected", "parcels", "amount"), ages)
    page.heading("All cash on delivery")
    totals = [(t.shop, t.cash_class, t.parcels, dong(t.amount)) for t in found.by_class]
    page.table(("shop", "cash", "parcels", "amount"), totals)
    page.say(f"{dong(found.total)} in all.", "")
    if found.held is not None:
        page.heading("Parcels")
        rows = [
            (*_names(h.ref), short(h.collected_at), h.age_days, dong(h.amount)) for h in found.held
        ]
        columns = ("shop", "order", "fulfillment", "collected", "days", "amount")
        page.table(columns, rows)
    if found.owed_back:
        page.heading("Owed back")
        owed = [(*_names(o.ref), short(o.ended_at), dong(o.amount)) for o in found.owed_back]
        page.table(("shop", "order", "fulfillment", "came back", "amount"), owed)


def show_drift(page: Page, found: Drift) -> None:
    """Show drift by kind."""
    page.say(
        f"{found.found} found, {found.healed} healed, {found.open} open, "
        f"of which {found.frozen} frozen.",
        "",
    )
    columns = ("kind", "found", "healed", "open", "frozen", "p50", "p95", "longest")
    kinds = [
        (
            kind.kind,
            kind.found,
            kind.healed,
            kind.open,
            kind.frozen,
            span(kind.p50_seconds),
            span(kind.p95_seconds),
            span(kind.longest_seconds),
        )
        for kind in found.kinds
    ]
    page.table(columns, kinds)
    if found.episodes is not None:
        page.heading("Each time")
        rows = [
            (
                short(each.found_at),
                each.kind,
                each.shop,
                each.ref.fulfillment_id if each.ref else "",
                short(each.healed_at) or ("frozen" if each.frozen else "open"),
            )
            for each in found.episodes
        ]
        page.table(("found", "kind", "shop", "fulfillment", "healed"), rows)


def show_coverage(page: Page, found: CoverageReport) -> None:
    """Show how lately the open parcels were looked at."""
    page.say(
        f"{found.verified} of {found.open} open parcels were looked at within "
        f"{found.within_hours:g} hours.",
        "",
    )
    shops = [
        (s.shop, s.open, s.verified, s.never_verified, short(s.oldest_verified_at))
        for s in found.shops
    ]
    page.table(("shop", "open", "verified", "never", "oldest"), shops)
    ages = [(a.shop, a.age or "never", a.parcels) for a in found.by_age]
    page.heading("By the last look")
    page.table(("shop", "looked at", "parcels"), ages)
    if found.oldest:
        page.heading("Waiting longest")
        rows = [
            (*_names(u.ref), u.carrier_status, short(u.verified_at) or "never", u.frozen)
            for u in found.oldest
        ]
        columns = ("shop", "order", "fulfillment", "status", "looked at", "frozen")
        page.table(columns, rows)
