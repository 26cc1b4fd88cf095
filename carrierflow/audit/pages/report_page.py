"""The page that tells how the ledger stands: pictures, and the figures beside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from carrierflow.audit.pages.lifecycle import Edge, lifecycle_diagram
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.page import figure, moment, name, page, section, table
from carrierflow.audit.pages.sections import (
    cash_section,
    coverage_section,
    drift_section,
    stays_section,
)
from carrierflow.audit.reports.corrections import Correction
from carrierflow.audit.reports.report import AuditReport
from carrierflow.audit.reports.wording import dong, number
from carrierflow.domain.model import Machine, Status


__all__ = ["report_page"]

MOST_CORRECTIONS = 100
MACHINES = {Machine.DELIVERY: "Delivery", Machine.COD: "Cash"}


def report_page(report: AuditReport, edges: Iterable[Edge]) -> str:
    """Return the whole page; `edges` are the legal steps of the lifecycle in force."""
    about = f"Shop {report.shop}" if report.shop else "All shops"
    lead = tag("p", about, ", as of ", moment(report.at), ". Made ", moment(report.made_at), ".")
    return page(
        "Delivery and cash report",
        "Báo cáo giao hàng và thu hộ",
        join(lead, _facts(report)),
        _steps(report, edges),
        _standing(report),
        cash_section(report.cash),
        stays_section(report.stays),
        drift_section(report.drift),
        coverage_section(report.coverage),
        _corrections(report),
    )


def _facts(report: AuditReport) -> Markup:
    seen = report.coverage
    share = f"{100 * seen.verified // seen.open} %" if seen.open else "-"
    facts = (
        ("Parcels known", f"{number(report.as_of.known)}", "in the ledger"),
        ("Cash held", dong(report.cash.amount), f"of {number(report.cash.parcels)} parcels"),
        ("Drift open", number(report.drift.open), f"{report.drift.frozen} frozen"),
        (f"Checked within {seen.within_hours:g} h", share, f"of {number(seen.open)} open parcels"),
    )
    return tag(
        "dl",
        *(
            tag("div", tag("dt", what), tag("dd", value, tag("small", beside)))
            for what, value, beside in facts
        ),
        class_="facts",
    )


def _steps(report: AuditReport, edges: Iterable[Edge]) -> Markup:
    drawing = lifecycle_diagram(edges, report.steps)
    rows = [
        (
            MACHINES[step.machine],
            name(step.from_status),
            name(step.to_status),
            number(step.times),
            number(step.inferred),
            number(step.corrections),
        )
        for step in sorted(report.steps, key=lambda s: (s.machine != "delivery", -s.times))
    ]
    heads = ("Machine", "From", "To", "Taken", "Inferred", "Corrections")
    return section(
        "What happened",
        "Vòng đời vận đơn",
        "Each arrow is a step; its number says how often the history holds it. "
        "Dashed arrows are steps that the lifecycle does not allow: corrections.",
        table(heads, rows, numbers=3),
        drawn=figure(drawing, "Thicker is more often. A step that nobody took is grey."),
    )


def _standing(report: AuditReport) -> Markup:
    totals: dict[Status, Counter[str]] = {}
    for each in report.as_of.totals:
        total = totals.setdefault(each.status, Counter())
        total["known"] += each.known
        total["was"] += each.was
    rows = [
        (
            MACHINES[status.machine],
            name(status),
            number(totals[status]["known"]),
            number(totals[status]["was"]),
            _difference(totals[status]["was"] - totals[status]["known"]),
        )
        for status in Status
        if status in totals
    ]
    heads = ("Machine", "Status", "As it was known", "As it was", "Difference")
    return section(
        "Where parcels stood",
        "Trạng thái tại thời điểm",
        "Known counts what had been recorded by then. Was counts what had occurred by then, by "
        "all that is known now: late scans and corrections included.",
        table(heads, rows, numbers=3),
    )


def _difference(value: int) -> str:
    return "" if value == 0 else f"{value:+d}".replace("-", "−")  # noqa: RUF001 - a minus sign


def _corrections(report: AuditReport) -> Markup:
    latest = report.corrections[-MOST_CORRECTIONS:]
    count, all_of_them = len(latest), len(report.corrections)
    rest = f"; the latest {count} are listed." if count < all_of_them else "."
    heads = ("Recorded", "Shop", "Fulfillment", "What", "Who", "Why", "Approved by")
    return section(
        "What people changed",
        "Điều chỉnh",
        f"{number(all_of_them)} corrections, steps by hand and decisions{rest}",
        table(heads, map(_correction, reversed(latest)), empty="Nobody changed anything by hand."),
    )


def _correction(each: Correction) -> tuple[object, ...]:
    if each.from_status and each.to_status:
        what = join(each.kind, ": ", name(each.from_status), " → ", name(each.to_status))
    else:
        what = join(each.kind, ": ", each.action, f", incident {each.incident}")
    return (
        moment(each.recorded_at),
        each.shop,
        each.fulfillment_id or "",
        what,
        each.actor or "",
        each.reason or "",
        each.approved_by or "",
    )
