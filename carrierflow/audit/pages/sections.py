"""Four pictures of the report, each with its figures beside it: cash, time, drift, coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from carrierflow.audit.pages.charts import Bar, Column, Range, bars, columns, ranges
from carrierflow.audit.pages.markup import Markup, tag
from carrierflow.audit.pages.page import figure, moment, name, section, table
from carrierflow.audit.reports.cash import BANDS, Cash
from carrierflow.audit.reports.coverage import AGES, CoverageReport
from carrierflow.audit.reports.drift import Drift, DriftDay
from carrierflow.audit.reports.time_in_status import TimeInState
from carrierflow.audit.reports.wording import dong, number, span
from carrierflow.domain.lifecycle import label_of


__all__ = ["cash_section", "coverage_section", "drift_section", "stays_section"]

MOST_COLUMNS = 31
WEEK = 7


def cash_section(cash: Cash) -> Markup:
    """Show the cash that is held, by its age."""
    return section(
        "Cash collected and not remitted",
        "Tiền thu hộ chưa trả shop",
        f"{dong(cash.amount)} of {number(cash.parcels)} parcels, by the days since it was "
        "collected. Every amount is the sum of its parcels.",
        *_cash_tables(cash),
        drawn=figure(
            bars("Cash collected and not remitted, by age", list(_cash_bars(cash))),
            "Hatched: a week or older.",
        ),
    )


def _cash_bars(cash: Cash) -> Iterator[Bar]:
    for band in BANDS:
        mine = [aged for aged in cash.by_age if aged.band == band]
        amount, parcels = sum(a.amount for a in mine), sum(a.parcels for a in mine)
        yield Bar(
            label=str(band).capitalize(),
            sublabel="",
            value=amount,
            told=f"{dong(amount)} · {number(parcels)} parcels" if parcels else "none",
            hatched=band.from_days >= WEEK,
        )


def _cash_tables(cash: Cash) -> tuple[Markup, Markup]:
    by_age = [
        (aged.shop, str(aged.band), number(aged.parcels), dong(aged.amount)) for aged in cash.by_age
    ]
    if by_age:
        by_age.append(("All", "", number(cash.parcels), dong(cash.amount)))
    by_status = [
        (each.shop, name(each.status), number(each.parcels), dong(each.amount))
        for each in cash.by_status
    ]
    return (
        table(
            ("Shop", "Collected", "Parcels", "Amount"),
            by_age,
            numbers=2,
            empty="No cash is held.",
        ),
        table(
            ("Shop", "Status", "Parcels", "Amount"),
            by_status,
            numbers=2,
            caption="All cash on delivery, by where it stands",
            empty="No parcel has cash to collect.",
        ),
    )


def stays_section(stays: TimeInState) -> Markup:
    """Show how long parcels stayed at each status."""
    rows = [
        (
            name(row.status),
            number(row.stays),
            span(row.p50_seconds),
            span(row.p95_seconds),
            span(row.longest_seconds),
            number(row.unclear),
        )
        for row in stays.rows
    ]
    heads = ("Status", "Stays", "Half within", "95 of 100 within", "Longest", "Unclear")
    return section(
        "Time at each status",
        "Thời gian ở mỗi trạng thái",
        "How long parcels stayed before the next step: half of them no longer than the dot, "
        "95 of 100 no longer than the stroke. The scale grows by multiples.",
        table(heads, rows, numbers=5, empty="No stay has ended yet."),
        drawn=_stays_figure(stays),
    )


def _stays_figure(stays: TimeInState) -> Markup | None:
    drawn = [
        Range(
            label=label_of(row.status).en,
            sublabel=label_of(row.status).vi,
            middle=row.p50_seconds or 0,
            slow=row.p95_seconds or 0,
            middle_told=span(row.p50_seconds),
            slow_told=span(row.p95_seconds),
        )
        for row in stays.rows
        if row.stays
    ]
    if not drawn:
        return None
    return figure(
        ranges("How long parcels stayed at each status", drawn, left=330),
        "Unclear stays have no length: a step that nobody scanned, or a correction, began or "
        "ended them.",
    )


def drift_section(drift: Drift) -> Markup:
    """Show when drift was found, and when it healed."""
    if not drift.found:
        none = tag("p", "The two sides were never found apart.", class_="empty")
        return section("Drift over time", "Sai lệch giữa hai bên", None, none)
    drawing = columns("Drift found and healed over time", list(_columns(drift.days)))
    return section(
        "Drift over time",
        "Sai lệch giữa hai bên",
        f"{number(drift.found)} times the platform and the ledger were found apart, or may have "
        f"been; {number(drift.healed)} healed, {number(drift.open)} are open, of which "
        f"{number(drift.frozen)} wait for a person.",
        _drift_table(drift),
        drawn=figure(drawing, "The line is what was open at the end of each day or month."),
    )


def _drift_table(drift: Drift) -> Markup:
    rows = [
        (
            kind.kind,
            number(kind.found),
            number(kind.healed),
            number(kind.open),
            number(kind.frozen),
            span(kind.p50_seconds),
            span(kind.p95_seconds),
        )
        for kind in drift.kinds
    ]
    heads = ("Kind", "Found", "Healed", "Open", "Frozen", "Half healed within", "95 of 100 within")
    return table(heads, rows, numbers=6)


def _columns(days: Sequence[DriftDay]) -> Iterator[Column]:
    """Return a column for each day, or for each month where there are too many days."""
    if len(days) <= MOST_COLUMNS:
        for day in days:
            label = f"{day.day[8:]}.{day.day[5:7]}."
            yield Column(label=label, found=day.found, healed=day.healed, left=day.open)
        return
    for month in dict.fromkeys(day.day[:7] for day in days):
        some = [day for day in days if day.day.startswith(month)]
        yield Column(
            label=f"{month[5:]}/{month[:4]}",
            found=sum(day.found for day in some),
            healed=sum(day.healed for day in some),
            left=some[-1].open,
        )


def coverage_section(seen: CoverageReport) -> Markup:
    """Show how lately the open parcels were looked at."""
    return section(
        "How well the open parcels are known",
        "Mức độ đối soát",
        f"{number(seen.verified)} of {number(seen.open)} open parcels were read from the platform "
        f"and compared within the last {seen.within_hours:g} hours. This is as of now: looks have "
        "no past.",
        _shops_table(seen),
        _oldest_table(seen),
        drawn=figure(
            bars("Open parcels by their last look", list(_look_bars(seen)), left=270),
            "Hatched: longer ago than they should be.",
        ),
    )


def _look_bars(seen: CoverageReport) -> Iterator[Bar]:
    for age in (*AGES, None):
        parcels = sum(looks.parcels for looks in seen.by_age if looks.age == age)
        yield Bar(
            label=f"Looked at {age}" if age else "Never looked at",
            sublabel="",
            value=parcels,
            told=f"{number(parcels)} parcels" if parcels else "none",
            hatched=age is None or age.from_hours >= seen.within_hours,
        )


def _shops_table(seen: CoverageReport) -> Markup:
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
    heads = ("Shop", "Oldest look", "Open", "Checked", "Never", "Frozen", "Incidents")
    return table(heads, rows, numbers=5, empty="No shop is connected.")


def _oldest_table(seen: CoverageReport) -> Markup:
    rows = [
        (
            each.ref.shop,
            each.ref.fulfillment_id,
            name(each.carrier_status),
            moment(each.verified_at) if each.verified_at else "never",
            each.frozen or "",
        )
        for each in seen.oldest
    ]
    heads = ("Shop", "Fulfillment", "Status", "Looked at", "Frozen")
    return table(heads, rows, caption="Waiting longest", empty="No parcel is open.")
