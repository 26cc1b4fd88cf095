"""The pages in a real browser, opened from disk: they are laid out as they should be."""

from __future__ import annotations

import base64
import re

import pytest
from chromium import chromium

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
        "report": reports.page(shop=decided[0]),
        "parcel": reports.parcel_page(decided[0], "1"),
    }
    with chromium(tmp_path / "profile") as driver:

        def open_page(name):
            file = tmp_path / f"{name}.html"
            file.write_text(files[name], encoding="utf-8")
            driver.get(file.as_uri())
            return driver

        yield open_page


@pytest.fixture
def database(sqlite_database):
    """One database is enough for a browser."""
    return sqlite_database


@pytest.mark.parametrize("name", ["report", "parcel"])
def test_a_page_opens_from_disk(opened, name):
    """No complaint on the console, nothing loaded, nothing cut off, nothing on top of another."""
    page = opened(name)

    assert [] == page.get_log("browser")
    assert [] == page.execute_script("return performance.getEntriesByType('resource')")
    assert "rgb(255, 255, 255)" == page.execute_script(
        "return getComputedStyle(document.querySelector('main')).backgroundColor"
    )
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(width) <= 0
    assert [] == page.execute_script(OUTSIDE)
    assert [] == page.execute_script(OVERLAPPING)


def test_the_report_prints_on_few_sheets(opened):
    """On A4 the report fits on a few sheets, and its pictures stay drawings."""
    printed = base64.b64decode(opened("report").print_page())

    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    assert b"/Subtype /Image" not in printed
