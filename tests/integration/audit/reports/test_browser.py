"""The pages in a real browser, opened from disk: they are laid out as they should be."""

from __future__ import annotations

import base64
import re
from itertools import product

import pytest
from chromium import chromium

from carrierflow.audit.reports.language import Language
from carrierflow.domain.model import Event, Status


pytestmark = [pytest.mark.browser, pytest.mark.slow]

OUTSIDE = """
const wrong = [];
for (const text of document.querySelectorAll("svg text")) {
  const box = text.getBBox(), frame = text.ownerSVGElement.viewBox.baseVal;
  if (box.x < -2 || box.y < -2 || box.x + box.width > frame.width + 2
      || box.y + box.height > frame.height + 2) wrong.push(text.textContent);
}
return wrong;
"""
"""Texts that a drawing cuts off."""

OVERLAPPING = """
const wrong = [];
for (const drawing of document.querySelectorAll("figure svg")) {
  const texts = [...drawing.querySelectorAll("text")].filter((t) => t.textContent.trim());
  const boxes = texts.map((t) => [t.getBBox(), t.textContent]);
  boxes.forEach(([a, one], n) => boxes.slice(n + 1).forEach(([b, other]) => {
    const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
    if (across > 2 && down > 5) wrong.push([one, other]);
  }));
}
return wrong;
"""
"""Pairs of texts that lie on each other."""

SMALLEST = """
const sizes = [...document.querySelectorAll("svg text")]
  .filter((text) => text.getClientRects().length && text.textContent.trim())
  .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a);
return [Math.min(...sizes), Math.max(...sizes)];
"""
"""The smallest and the largest letters of the drawings, as they are seen."""

FAINT = """
const light = (colour) => {
  const [r, g, b] = colour.match(/\\d+/g).map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const paper = light(getComputedStyle(document.querySelector("main")).backgroundColor);
const wrong = [];
for (const each of document.querySelectorAll("h1, p, td, th, dt, dd, small, code, svg text")) {
  const style = getComputedStyle(each);
  const ink = light(each.closest("svg") ? style.fill : style.color);
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  if (ratio < 4.5) wrong.push([each.textContent, ratio]);
}
return wrong;
"""
"""Texts with less contrast than WCAG asks for."""


def look(driver, *, width, scheme="light"):
    """Let the browser be so wide, and its user prefer a light or a dark screen."""
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


@pytest.fixture
def opened(reports, ledger, decided, tmp_path):
    """Open each page of the week from disk; somebody wrote words as wide as the screen."""
    event = Event(
        shop=decided[0],
        fulfillment_id="1",
        status=Status.WAITINGFORRETURN,
        actor="w" * 128,
        reason="m" * 255,
    )
    ledger.amend(event)
    files = {
        (name, language): page
        for language in Language
        for name, page in (
            ("report", reports.page(shop=decided[0], language=language)),
            ("parcel", reports.parcel_page(decided[0], "1", language=language)),
        )
    }
    with chromium(tmp_path / "profile") as driver:

        def open_page(name, language=Language.EN, *, width=1280, scheme="light"):
            file = tmp_path / f"{name}-{language}.html"
            file.write_text(files[name, language], encoding="utf-8")
            look(driver, width=width, scheme=scheme)
            driver.get(file.as_uri())
            return driver

        yield open_page


@pytest.fixture
def database(sqlite_database):
    """One database is enough for a browser."""
    return sqlite_database


WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_pages_open_from_disk_at_any_width_in_both_languages(opened):
    """No complaint on the console, nothing loaded, cut off, or on top of another, none too small.

    The letters of drawings stay near those of the text around them.
    """
    for name, language, width in product(("report", "parcel"), Language, (400, 899, 901, 1280)):
        page, which = opened(name, language, width=width), (name, language, width)

        assert [] == page.get_log("browser")
        assert [] == page.execute_script("return performance.getEntriesByType('resource')")
        assert page.execute_script(WIDER) <= 0, which
        assert [] == page.execute_script(OUTSIDE), which
        assert [] == page.execute_script(OVERLAPPING), which
        least, most = page.execute_script(SMALLEST)
        assert 10 <= least <= most <= 18, which


def test_pages_are_dark_where_people_want_them_so(opened):
    """White paper by day, dark by night, and every text stands out from it either way."""
    for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 28, 35)")):
        for name in ("report", "parcel"):
            page = opened(name, scheme=scheme)
            script = "return getComputedStyle(document.querySelector('main')).backgroundColor"
            assert paper == page.execute_script(script)
            assert [] == page.execute_script(FAINT)


def test_the_report_prints_on_few_sheets(opened):
    """On A4 the report fits on a few sheets, and its pictures stay drawings."""
    printed = base64.b64decode(opened("report", scheme="dark").print_page())

    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    assert b"/Subtype /Image" not in printed
