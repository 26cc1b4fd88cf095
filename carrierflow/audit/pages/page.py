"""The frame of every page: its head, its style sheet, its sections and tables."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from string import Formatter

from carrierflow.audit.pages.charts import Size, at_both_sizes
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.style import STYLE
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.audit.reports.language import Tongue


__all__ = ["facts_list", "figure", "free", "moment", "name", "page", "said", "section", "table"]

LONG = 24
"""Letters from which on a text may break anywhere."""


def page(tongue: Tongue, title: str, lead: Markup, *sections: Markup) -> str:
    """Return a whole page, which needs nothing but itself."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    heading = tag("header", tag("h1", title), lead)
    foot = tag(
        "footer",
        tongue.say(
            "Made by carrierflow from the ledger's own history. Times are Vietnam's (UTC+7). "
            "This page loads nothing and runs nothing."
        ),
    )
    body = tag("body", tag("main", heading, *sections, foot))
    return f"<!doctype html>\n{tag('html', head, body, lang=tongue.language)}\n"


def section(title: str, lead: object, *parts: Markup, drawn: Markup | None = None) -> Markup:
    """Return one section: its heading, what it says, its picture, its tables.

    Heading and picture stay on one sheet of paper.
    """
    said = tag("p", lead, class_="lead") if lead else None
    opening = tag("div", tag("h2", title), said, drawn, class_="opening")
    return tag("section", opening, *parts)


def figure(draw: Callable[[Size], Markup], caption: object) -> Markup:
    """Return a drawing, for a desk and for a phone, with its caption."""
    return tag("figure", at_both_sizes(draw), tag("figcaption", caption))


def table(
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numbers: int = 0,
    caption: str | None = None,
    empty: str,
) -> Markup:
    """Return a table; its last columns, so many as there are numbers, stand to the right."""
    first = len(columns) - numbers
    heads = [
        tag("th", head, scope="col", class_="number" if place >= first else None)
        for place, head in enumerate(columns)
    ]
    body = [
        tag(
            "tr",
            *(
                tag("td", free(cell), class_="number" if place >= first else None)
                for place, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    if not body:
        return tag("p", empty, class_="empty")
    title = tag("caption", caption) if caption else None
    filled = tag("table", title, tag("thead", tag("tr", *heads)), tag("tbody", *body))
    return tag("div", filled, class_="scroll", tabindex=0)


def facts_list(facts: Iterable[tuple[str, str, str]]) -> Markup:
    """Return the figures at the head of a page: what, how much, and what is beside it."""
    return tag(
        "dl",
        *(
            tag("div", tag("dt", what), tag("dd", value, tag("small", beside)))
            for what, value, beside in facts
        ),
        class_="facts",
    )


def free(cell: object) -> object:
    """Let a long text break wherever it must: an id may be one word as wide as the page."""
    if isinstance(cell, Markup) or len(str(cell)) < LONG:
        return cell
    return tag("span", cell, class_="free")


def name(tongue: Tongue, status: str) -> Markup:
    """Return what a status is called; in English, with what sellers in Vietnam read beside it."""
    beside = tongue.beside(status)
    soft = tag("span", beside, class_="vi", lang="vi") if beside else None
    return join(tongue.label(status), " " if soft else None, soft)


def said(tongue: Tongue, english: str, /, **facts: object) -> Markup:
    """Return a text whose facts may be markup."""
    parts = [
        (literal, facts[field] if field else None)
        for literal, field, _, _ in Formatter().parse(tongue.text(english))
    ]
    return join(*(each for part in parts for each in part))


def moment(value: datetime | None) -> Markup:
    """Write a time as people in Vietnam read it, to the second, with the exact one behind it."""
    if value is None:
        return Markup("")
    local = value.astimezone(VIETNAM)
    return tag("time", f"{local:%d.%m.%Y %H:%M:%S}", datetime=local.isoformat())


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
