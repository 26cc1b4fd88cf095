"""The page that tells how the ledger stands: pictures, and the figures beside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial

from carrierflow.audit.pages.basis_section import basis_section
from carrierflow.audit.pages.lifecycle import Edge, lifecycle_diagram
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.page import (
    facts_list,
    figure,
    free,
    moment,
    name,
    page,
    said,
    section,
    table,
)
from carrierflow.audit.pages.sections import (
    cash_section,
    coverage_section,
    drift_section,
    heads,
    stays_section,
)
from carrierflow.audit.reports.corrections import Correction
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.report import AuditReport
from carrierflow.audit.reports.revised_text import revised_text
from carrierflow.audit.reports.wording import dong, number
from carrierflow.domain.canonical import stamp
from carrierflow.domain.model import Machine, Status


__all__ = ["Audience", "report_page"]

MOST_CORRECTIONS = 100
MACHINES = {Machine.DELIVERY: "Delivery", Machine.COD: "Cash"}


class Audience(StrEnum):
    """Who reads a report: it says what comes first, never what is left out."""

    OPERATIONS = "operations"
    FINANCE = "finance"


ORDERS: Mapping[Audience, Sequence[str]] = {
    Audience.OPERATIONS: ("steps", "standing", "cash", "stays", "drift", "coverage", "changes"),
    Audience.FINANCE: ("cash", "changes", "standing", "drift", "coverage", "stays", "steps"),
}
FACTS: Mapping[Audience, Sequence[int]] = {
    Audience.OPERATIONS: (0, 1, 2, 3),
    Audience.FINANCE: (1, 0, 2, 3),
}


def report_page(
    report: AuditReport, edges: Iterable[Edge], *, tongue: Tongue, audience: Audience
) -> str:
    """Return the whole page; `edges` are the legal steps of the lifecycle in force."""
    about = tongue.say("Shop {shop}", shop=report.shop) if report.shop else tongue.say("All shops")
    lead = said(
        tongue,
        "{about}, as of {at}. Made {made}.",
        about=about,
        at=moment(report.at),
        made=moment(report.made_at),
    )
    parts: Mapping[str, Callable[[], Markup]] = {
        "steps": lambda: _steps(report, edges, tongue),
        "standing": lambda: _standing(report, tongue),
        "cash": lambda: cash_section(report.cash, tongue),
        "stays": lambda: stays_section(report.stays, tongue),
        "drift": lambda: drift_section(report.drift, tongue),
        "coverage": lambda: coverage_section(report.coverage, tongue),
        "changes": lambda: _corrections(report, tongue),
    }
    return page(
        tongue,
        tongue.say("Delivery and cash report"),
        join(tag("p", lead), _facts(report, tongue, audience)),
        *(parts[part]() for part in ORDERS[audience]),
        basis_section(report.basis, _options(report, audience), tongue),
    )


def _options(report: AuditReport, audience: Audience) -> Sequence[str]:
    shop = ("--shop", report.shop) if report.shop else ()
    reader = () if audience is Audience.OPERATIONS else ("--for", str(audience))
    return ("--at", stamp(report.at), *shop, *reader)


def _facts(report: AuditReport, tongue: Tongue, audience: Audience) -> Markup:
    seen = report.coverage
    share = f"{100 * seen.verified // seen.open} %" if seen.open else "-"
    facts = (
        (tongue.say("Parcels known"), number(report.as_of.known), tongue.say("in the ledger")),
        (
            tongue.say("Cash held"),
            dong(report.cash.amount),
            tongue.say("of {count} parcels", count=number(report.cash.parcels)),
        ),
        (
            tongue.say("Drift open"),
            number(report.drift.open),
            tongue.say("{count} frozen", count=number(report.drift.frozen)),
        ),
        (
            tongue.say("Checked within {hours} h", hours=f"{seen.within_hours:g}"),
            share,
            tongue.say("of {count} open parcels", count=number(seen.open)),
        ),
    )
    return facts_list(facts[place] for place in FACTS[audience])


def _steps(report: AuditReport, edges: Iterable[Edge], tongue: Tongue) -> Markup:
    rows = [
        (
            tongue.text(MACHINES[step.machine]),
            name(tongue, step.from_status),
            name(tongue, step.to_status),
            number(step.times),
            number(step.inferred),
            number(step.corrections),
        )
        for step in sorted(report.steps, key=lambda s: (s.machine != "delivery", -s.times))
    ]
    names = ("Machine", "From", "To", "Taken", "Inferred", "Corrections")
    return section(
        tongue.say("What happened"),
        tongue.say(
            "Each arrow is a step; its number says how often the history holds it. "
            "Dashed arrows are steps that the lifecycle does not allow: corrections."
        ),
        table(heads(tongue, *names), rows, numbers=3, empty=tongue.say("none")),
        drawn=figure(
            partial(lifecycle_diagram, tuple(edges), report.steps, tongue),
            tongue.say("Thicker is more often. A step that nobody took is grey."),
        ),
    )


def _standing(report: AuditReport, tongue: Tongue) -> Markup:
    totals: dict[Status, Counter[str]] = {}
    for each in report.as_of.totals:
        total = totals.setdefault(each.status, Counter())
        total["known"] += each.known
        total["was"] += each.was
    rows = [
        (
            tongue.text(MACHINES[status.machine]),
            name(tongue, status),
            number(totals[status]["known"]),
            number(totals[status]["was"]),
            _difference(totals[status]["was"] - totals[status]["known"]),
        )
        for status in Status
        if status in totals
    ]
    names = ("Machine", "Status", "As it was known", "As it was", "Difference")
    return section(
        tongue.say("Where parcels stood"),
        tongue.say(
            "Known counts what had been recorded by then. Was counts what had occurred by then, by "
            "all that is known now: late scans and corrections included."
        ),
        table(heads(tongue, *names), rows, numbers=3, empty=tongue.say("none")),
    )


def _difference(value: int) -> str:
    return "" if value == 0 else f"{value:+d}".replace("-", "−")  # noqa: RUF001 - a minus sign


def _corrections(report: AuditReport, tongue: Tongue) -> Markup:
    latest = report.corrections[-MOST_CORRECTIONS:]
    count, every = len(latest), len(report.corrections)
    text = (
        "{every} corrections, steps by hand and decisions; the latest {count} are listed."
        if count < every
        else "{every} corrections, steps by hand and decisions."
    )
    names = ("Recorded", "Shop", "Fulfillment", "What", "Who", "Why", "Approved by")
    return section(
        tongue.say("What people changed"),
        tongue.say(text, every=number(every), count=count),
        table(
            heads(tongue, *names),
            [_correction(each, tongue) for each in reversed(latest)],
            empty=tongue.say("Nobody changed anything by hand."),
        ),
    )


def _correction(each: Correction, tongue: Tongue) -> tuple[object, ...]:
    kind = tongue.word(each.kind)
    if each.from_status and each.to_status:
        ends = name(tongue, each.from_status), name(tongue, each.to_status)
        what = join(kind, ": ", ends[0], " → ", ends[1])
    elif each.before and each.after:
        what = join(kind, ": ", free(revised_text(each.before, each.after, tongue)))
    else:
        action = tongue.word(each.action or "")
        about = tongue.say("{action}, incident {number}", action=action, number=each.incident)
        what = join(kind, ": ", about)
    return (
        moment(each.recorded_at),
        each.shop,
        each.fulfillment_id or "",
        what,
        each.actor or "",
        each.reason or "",
        each.approved_by or "",
    )
