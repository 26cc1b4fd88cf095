"""The page that tells one parcel's life: a line to take in at a glance, and every trace of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.page import figure, free, moment, page, section
from carrierflow.audit.pages.symbols import lanes, letters
from carrierflow.audit.pages.timeline_chart import life_line
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.audit.reports.timeline_items import TimelineItem
from carrierflow.audit.reports.wording import dong
from carrierflow.domain.lifecycle import label_of
from carrierflow.domain.model import RemoteWord


__all__ = ["parcel_page"]

ROW, DAY = 40, 30


def parcel_page(timeline: Timeline, *, made_at: datetime) -> str:
    """Return the whole page."""
    parcel = timeline.parcel
    ref = parcel.ref
    lead = tag(
        "p",
        f"Shop {ref.shop}, order {ref.order_id}",
        f", tracking number {parcel.tracking_number}" if parcel.tracking_number else "",
        ". Made ",
        moment(made_at),
        ".",
    )
    caption = (
        "Filled: scanned. Hollow: inferred, or recorded by rule. Square: a correction. Times are "
        "when each step occurred; below, when the platform was known to show it, and + how long "
        "that was after the step was recorded."
    )
    return page(
        f"Parcel {ref.fulfillment_id}",
        "Hành trình vận đơn",
        join(lead, _facts(timeline)),
        section("At a glance", "Tổng quan", None, drawn=figure(life_line(timeline), caption)),
        section(
            "Every trace",
            "Toàn bộ dấu vết",
            "In the order in which it was recorded. D is the delivery, C the cash, P the platform, "
            "H a person.",
            _table(timeline.moments()),
        ),
    )


def _facts(timeline: Timeline) -> Markup:
    parcel = timeline.parcel
    remote = parcel.remote
    delivery, cash = label_of(parcel.delivery.status), label_of(parcel.cod.status)
    shows = _shown(remote.carrier) if remote else "-"
    frozen = f"frozen: {parcel.frozen}" if parcel.frozen else "not frozen"
    facts = (
        ("Delivery", delivery.en, delivery.vi),
        ("Cash", dong(parcel.cod_amount), f"{cash.en} · {cash.vi}"),
        ("Platform shows", shows, frozen),
        ("Not shown there yet", str(parcel.unpublished), "steps"),
    )
    return tag(
        "dl",
        *(
            tag("div", tag("dt", name), tag("dd", value, tag("small", beside)))
            for name, value, beside in facts
        ),
        class_="facts",
    )


def _shown(word: RemoteWord) -> str:
    return label_of(word.status).en if word.status else word.raw or "-"


def _table(moments: Sequence[TimelineItem]) -> Markup:
    heads = (
        tag("th", letters(), scope="col"),
        tag("th", "Recorded", scope="col"),
        tag("th", "Occurred", scope="col"),
        tag("th", "What", scope="col"),
        tag("th", "Who and why", scope="col"),
    )
    rows = list(_rows(moments))
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="life")


def _rows(moments: Sequence[TimelineItem]) -> Iterator[Markup]:
    for day, some in groupby(moments, key=lambda each: f"{each.at.astimezone(VIETNAM):%d.%m.%Y}"):
        strip = tag("td", lanes(None, height=DAY), class_="lanes")
        yield tag("tr", strip, tag("td", day, colspan=4), class_="day")
        yield from map(_row, some)


def _row(each: TimelineItem) -> Markup:
    kind = "accepted" if each.kind == "entry" else each.kind
    who = each.actor or each.source or "carrierflow"
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
