"""The page that tells one parcel's life: a line to take in at a glance, and every trace of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby

from carrierflow.audit.pages.basis_section import basis_section
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.page import facts_list, figure, free, moment, page, said, section
from carrierflow.audit.pages.symbols import lanes, letters
from carrierflow.audit.pages.timeline_chart import life_line
from carrierflow.audit.reports.basis import ReportBasis
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.audit.reports.timeline_items import TimelineItem
from carrierflow.audit.reports.wording import dong
from carrierflow.domain.model import RemoteWord


__all__ = ["parcel_page"]

ROW, DAY = 40, 30


def parcel_page(
    timeline: Timeline, *, made_at: datetime, basis: ReportBasis, tongue: Tongue
) -> str:
    """Return the whole page."""
    ref, waybill = timeline.parcel.ref, timeline.parcel.tracking_number
    names = {"shop": ref.shop, "order": ref.order_id}
    about = (
        tongue.say(
            "Shop {shop}, order {order}, tracking number {waybill}.", **names, waybill=waybill
        )
        if waybill
        else tongue.say("Shop {shop}, order {order}.", **names)
    )
    lead = tag("p", about, " ", said(tongue, "Made {made}.", made=moment(made_at)))
    command = ("--shop", ref.shop, "--fulfillment", ref.fulfillment_id)
    return page(
        tongue,
        tongue.say("Parcel {parcel}", parcel=ref.fulfillment_id),
        join(lead, _facts(timeline, tongue)),
        section(tongue.say("At a glance"), None, drawn=_life(timeline, tongue)),
        section(
            tongue.say("Every trace"),
            tongue.say(
                "In the order in which it was recorded. D is the delivery, C the cash, "
                "P the platform, H a person."
            ),
            _table(timeline.moments(tongue), tongue),
        ),
        basis_section(basis, command, tongue),
    )


def _life(timeline: Timeline, tongue: Tongue) -> Markup:
    caption = tongue.say(
        "Filled: scanned. Hollow: inferred, or recorded by rule. Square: a correction. Times are "
        "when each step occurred; below, when the platform was known to show it, and + how long "
        "that was after the step was recorded."
    )
    return figure(partial(life_line, timeline, tongue), caption)


def _facts(timeline: Timeline, tongue: Tongue) -> Markup:
    parcel = timeline.parcel
    delivery, cash, remote = parcel.delivery.status, parcel.cod.status, parcel.remote
    beside = [text for text in (tongue.label(cash), tongue.beside(cash)) if text]
    frozen = parcel.frozen
    facts = (
        (tongue.say("Delivery"), tongue.label(delivery), tongue.beside(delivery)),
        (tongue.say("Cash"), dong(parcel.cod_amount), " · ".join(beside)),
        (
            tongue.say("Platform shows"),
            _shown(remote.carrier, tongue) if remote else "-",
            tongue.say("frozen: {kind}", kind=tongue.word(frozen))
            if frozen
            else tongue.say("not frozen"),
        ),
        (tongue.say("Not shown there yet"), str(parcel.unpublished), tongue.say("steps")),
    )
    return facts_list(facts)


def _shown(word: RemoteWord, tongue: Tongue) -> str:
    return tongue.label(word.status) if word.status else word.raw or "-"


def _table(moments: Sequence[TimelineItem], tongue: Tongue) -> Markup:
    heads = [
        tag("th", head, scope="col")
        for head in (
            letters(tongue),
            *map(tongue.text, ("Recorded", "Occurred", "What", "Who and why")),
        )
    ]
    rows = list(_rows(moments, tongue))
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="life")


def _rows(moments: Sequence[TimelineItem], tongue: Tongue) -> Iterator[Markup]:
    for day, some in groupby(moments, key=lambda each: f"{each.at.astimezone(VIETNAM):%d.%m.%Y}"):
        strip = tag("td", lanes(None, height=DAY), class_="lanes")
        yield tag("tr", strip, tag("td", day, colspan=4), class_="day")
        yield from (_row(each, tongue) for each in some)


def _row(each: TimelineItem, tongue: Tongue) -> Markup:
    kind = tongue.word("accepted" if each.kind == "entry" else each.kind)
    who = each.actor or tongue.word(each.source or "carrierflow")
    return tag(
        "tr",
        tag("td", lanes(each, height=ROW), class_="lanes"),
        tag("td", f"{each.at.astimezone(VIETNAM):%H:%M:%S}", class_="clock"),
        tag("td", _occurred(each), class_="clock"),
        tag("td", tag("span", kind, class_="key"), " ", free(each.sentence)),
        tag("td", free(who), tag("span", free(each.reason or ""), class_="why")),
    )


def _occurred(each: TimelineItem) -> str:
    if each.occurred_at is None:
        return ""
    local = each.occurred_at.astimezone(VIETNAM)
    same = local.date() == each.at.astimezone(VIETNAM).date()
    return f"{local:%H:%M:%S}" if same else f"{local:%d.%m. %H:%M}"
