"""Four pictures of the report, each with its figures beside it: cash, time, drift, coverage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from carrierflow.audit.pages.charts import Bar, bars
from carrierflow.audit.pages.column_chart import ColumnNames, columns
from carrierflow.audit.pages.drift_columns import drift_columns
from carrierflow.audit.pages.markup import Markup, tag
from carrierflow.audit.pages.page import figure, moment, name, section, table
from carrierflow.audit.pages.range_chart import Range, ranges
from carrierflow.audit.reports.cash import BANDS, Band, Cash, CashClass
from carrierflow.audit.reports.coverage import AGES, CoverageReport, LookAge
from carrierflow.audit.reports.drift import Drift
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.time_in_status import TimeInState
from carrierflow.audit.reports.wording import dong, number


__all__ = ["cash_section", "coverage_section", "drift_section", "heads", "stays_section"]

WEEK = 7


def heads(tongue: Tongue, *english: str) -> list[str]:
    """Return the headings of a table."""
    return [tongue.text(each) for each in english]


def _parcels(tongue: Tongue, parcels: int) -> str:
    return tongue.say("{count} parcels", count=number(parcels))


def cash_section(cash: Cash, tongue: Tongue) -> Markup:
    """Show the cash that is held, by its age."""
    title = tongue.say("Cash collected and not remitted, by age")
    return section(
        tongue.say("Cash collected and not remitted"),
        tongue.say(
            "{amount} of {count} parcels, by the days since it was collected. Every amount is the "
            "sum of its parcels.",
            amount=dong(cash.amount),
            count=number(cash.parcels),
        ),
        *_cash_tables(cash, tongue),
        drawn=figure(
            partial(bars, title, list(_cash_bars(cash, tongue))),
            tongue.say("Hatched: a week or older."),
        ),
    )


def _band(band: Band, tongue: Tongue) -> str:
    if band.to_days is None:
        return tongue.say("{days} days and more", days=band.from_days)
    last = band.to_days - 1
    if last > band.from_days:
        return tongue.say("{first} to {last} days", first=band.from_days, last=last)
    return tongue.say("{days} days", days=last)


def _cash_bars(cash: Cash, tongue: Tongue) -> Iterator[Bar]:
    for band in BANDS:
        mine = [aged for aged in cash.by_age if aged.band == band]
        amount, parcels = sum(a.amount for a in mine), sum(a.parcels for a in mine)
        told = f"{dong(amount)} · {_parcels(tongue, parcels)}"
        yield Bar(
            label=_band(band, tongue).capitalize(),
            value=amount,
            told=told if parcels else tongue.say("none"),
            hatched=band.from_days >= WEEK,
        )


WHOSE = {
    CashClass.TO_COLLECT: "to collect",
    CashClass.HELD: "held for the shop",
    CashClass.REMITTED: "remitted",
    CashClass.OWED_BACK: "owed back",
    CashClass.NOT_COLLECTED: "not collected",
}


def _cash_tables(cash: Cash, tongue: Tongue) -> tuple[Markup, Markup]:
    by_age = [
        (aged.shop, _band(aged.band, tongue), number(aged.parcels), dong(aged.amount))
        for aged in cash.by_age
    ]
    if by_age:
        by_age.append((tongue.say("All"), "", number(cash.parcels), dong(cash.amount)))
    by_class = [
        (each.shop, tongue.say(WHOSE[each.cash_class]), number(each.parcels), dong(each.amount))
        for each in cash.by_class
    ]
    if by_class:
        parcels = sum(each.parcels for each in cash.by_class)
        by_class.append((tongue.say("All"), "", number(parcels), dong(cash.total)))
    return (
        table(
            heads(tongue, "Shop", "Collected", "Parcels", "Amount"),
            by_age,
            numbers=2,
            empty=tongue.say("No cash is held."),
        ),
        table(
            heads(tongue, "Shop", "Cash", "Parcels", "Amount"),
            by_class,
            numbers=2,
            caption=tongue.say("All cash on delivery, by whose it is"),
            empty=tongue.say("No parcel has cash to collect."),
        ),
    )


def stays_section(stays: TimeInState, tongue: Tongue) -> Markup:
    """Show how long parcels stayed at each status."""
    rows = [
        (
            name(tongue, row.status),
            number(row.stays),
            tongue.span(row.p50_seconds),
            tongue.span(row.p95_seconds),
            tongue.span(row.longest_seconds),
            number(row.unclear),
        )
        for row in stays.rows
    ]
    columns = ("Status", "Stays", "Half within", "95 of 100 within", "Longest", "Unclear")
    return section(
        tongue.say("Time at each status"),
        tongue.say(
            "How long parcels stayed before the next step: half of them no longer than the dot, "
            "95 of 100 no longer than the stroke. The scale grows by multiples."
        ),
        table(heads(tongue, *columns), rows, numbers=5, empty=tongue.say("No stay has ended yet.")),
        drawn=_stays_figure(stays, tongue),
    )


def _stays_figure(stays: TimeInState, tongue: Tongue) -> Markup | None:
    drawn = [
        Range(
            label=tongue.label(row.status),
            beside=tongue.beside(row.status),
            middle=row.p50_seconds or 0,
            slow=row.p95_seconds or 0,
            middle_told=tongue.span(row.p50_seconds),
            slow_told=tongue.span(row.p95_seconds),
        )
        for row in stays.rows
        if row.stays
    ]
    if not drawn:
        return None
    title = tongue.say("How long parcels stayed at each status")
    return figure(
        partial(ranges, title, drawn, tongue.span),
        tongue.say(
            "Unclear stays have no length: a step that nobody scanned, or a correction, began or "
            "ended them."
        ),
    )


def drift_section(drift: Drift, tongue: Tongue) -> Markup:
    """Show when drift was found, and when it healed."""
    heading = tongue.say("Drift over time")
    if not drift.found:
        none = tag("p", tongue.say("The two sides were never found apart."), class_="empty")
        return section(heading, None, none)
    names = ColumnNames(
        found=tongue.say("found"),
        healed=tongue.say("healed"),
        left=tongue.say("open at the end"),
        last=tongue.say("{count} open", count=number(drift.open)),
    )
    title = tongue.say("Drift found and healed over time")
    return section(
        heading,
        tongue.say(
            "{found} times the platform and the ledger were found apart, or may have been; "
            "{healed} healed, {open} are open, of which {frozen} wait for a person.",
            found=number(drift.found),
            healed=number(drift.healed),
            open=number(drift.open),
            frozen=number(drift.frozen),
        ),
        _drift_table(drift, tongue),
        drawn=figure(
            partial(columns, title, drift_columns(drift.days), names),
            tongue.say("The line is what was open at the end of each day, week or month."),
        ),
    )


def _drift_table(drift: Drift, tongue: Tongue) -> Markup:
    rows = [
        (
            tongue.word(kind.kind),
            number(kind.found),
            number(kind.healed),
            number(kind.open),
            number(kind.frozen),
            tongue.span(kind.p50_seconds),
            tongue.span(kind.p95_seconds),
        )
        for kind in drift.kinds
    ]
    names = ("Kind", "Found", "Healed", "Open", "Frozen", "Half healed within", "95 of 100 within")
    return table(heads(tongue, *names), rows, numbers=6, empty=tongue.say("none"))


def coverage_section(seen: CoverageReport, tongue: Tongue) -> Markup:
    """Show how lately the open parcels were looked at."""
    title = tongue.say("Open parcels by their last look")
    return section(
        tongue.say("How well the open parcels are known"),
        tongue.say(
            "{verified} of {open} open parcels were read from the platform and compared within "
            "the last {hours} hours. This is as of now: looks have no past.",
            verified=number(seen.verified),
            open=number(seen.open),
            hours=f"{seen.within_hours:g}",
        ),
        _shops_table(seen, tongue),
        _oldest_table(seen, tongue),
        drawn=figure(
            partial(bars, title, list(_look_bars(seen, tongue))),
            tongue.say("Hatched: longer ago than they should be."),
        ),
    )


def _age(age: LookAge | None, tongue: Tongue) -> str:
    if age is None:
        return tongue.say("Never looked at")
    if age.to_hours is None:
        return tongue.say("Looked at {hours} hours ago or longer", hours=age.from_hours)
    return tongue.say(
        "Looked at {first} to {last} hours ago", first=age.from_hours, last=age.to_hours
    )


def _look_bars(seen: CoverageReport, tongue: Tongue) -> Iterator[Bar]:
    for age in (*AGES, None):
        parcels = sum(looks.parcels for looks in seen.by_age if looks.age == age)
        yield Bar(
            label=_age(age, tongue),
            value=parcels,
            told=_parcels(tongue, parcels) if parcels else tongue.say("none"),
            hatched=age is None or age.from_hours >= seen.within_hours,
        )


def _shops_table(seen: CoverageReport, tongue: Tongue) -> Markup:
    rows = [
        (
            shop.shop,
            moment(shop.oldest_verified_at),
            number(shop.open),
            number(shop.verified),
            number(shop.never_verified),
            number(shop.frozen),
            number(shop.incidents),
        )
        for shop in seen.shops
    ]
    names = ("Shop", "Oldest look", "Open", "Checked", "Never", "Frozen", "Incidents")
    none = tongue.say("No shop is connected.")
    return table(heads(tongue, *names), rows, numbers=5, empty=none)


def _oldest_table(seen: CoverageReport, tongue: Tongue) -> Markup:
    rows = [
        (
            each.ref.shop,
            each.ref.fulfillment_id,
            name(tongue, each.carrier_status),
            moment(each.verified_at) if each.verified_at else tongue.say("never"),
            tongue.word(each.frozen or ""),
        )
        for each in seen.oldest
    ]
    return table(
        heads(tongue, "Shop", "Fulfillment", "Status", "Looked at", "Frozen"),
        rows,
        caption=tongue.say("Waiting longest"),
        empty=tongue.say("No parcel is open."),
    )
