"""The pages as text: they need nothing, run nothing, and say what the reports say."""

from __future__ import annotations

import ast
import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from carrierflow.audit import pages as pages_package
from carrierflow.audit import reports as reports_package
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.pages.report_page import Audience
from carrierflow.audit.reports.language import Language
from carrierflow.audit.reports.vietnamese import TEXTS
from carrierflow.audit.reports.wording import dong
from carrierflow.domain.lifecycle import LABELS
from carrierflow.domain.model import Event, Status


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>@import url(//evil.example)",
    "]]><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
]
FETCHING = re.compile(
    r"(?:src|href|action|data|srcset)\s*=|url\((?!#)|@import|<script|<iframe|<link"
)


class Seen(HTMLParser):
    """Gathers the elements of a page, their attributes, and that all of them are closed."""

    VOID = frozenset({"meta", "br", "hr"})

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._open = [], [], []
        self.feed(text)
        self.close()
        assert [] == self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self._open.pop()

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def database(sqlite_database):
    """What the reports answer is tried on each database; how it is shown, on one."""
    return sqlite_database


@pytest.fixture
def hostile(ledger, week, clock):
    """A week in which somebody wrote markup wherever people may write."""
    for number, text in enumerate(HOSTILE):
        clock.advance(minutes=1)
        status = [Status.DELIVERING, Status.NOTMEETCUSTOMER][number % 2]
        event = Event(
            shop=week[0],
            fulfillment_id="0",
            status=status,
            key=f"k{number}{text}"[:60],
            actor=text,
            reason=text[::-1] + text,
        )
        ledger.amend(event)
    return week


def pages(reports, shop):
    return [reports.page(shop=shop), reports.parcel_page(shop, "0")]


def test_pages_load_nothing_and_run_nothing(reports, hostile):
    """Nothing on a page names a place to load from, whatever people wrote into the ledger."""
    for page in pages(reports, hostile[0]):
        seen = Seen(page)
        names = {name for name, _ in seen.elements}
        attributes = {key for _, attrs in seen.elements for key in attrs}

        assert {"script", "img", "iframe", "link", "object", "embed"}.isdisjoint(names)
        assert [] == [key for key in attributes if key.startswith("on") or key == "style"]
        assert {"src", "href", "data", "action", "xlink:href"}.isdisjoint(attributes)
        markup = re.sub(r">[^<]*<", "><", page.partition("</style>")[2])
        assert None is FETCHING.search(markup)


def test_what_people_wrote_is_shown_as_they_wrote_it(reports, hostile):
    """Markup in an actor or a reason is text on the page, letter by letter."""
    for page in pages(reports, hostile[0]):
        shown = "".join(Seen(page).text)
        assert [] == [text for text in HOSTILE if text not in shown]
        assert [] == [text for text in HOSTILE if text in page]


def test_the_policy_allows_the_style_sheet_and_nothing_else(reports, week):
    """The page's own policy forbids everything but the very style sheet that it carries."""
    for page in pages(reports, week[0]):
        seen = Seen(page)
        style = re.search(r"<style>(.*?)</style>", page, flags=re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        (policy,) = (a["content"] for n, a in seen.elements if n == "meta" and "http-equiv" in a)

        assert "default-src 'none'" in policy
        assert f"style-src 'sha256-{digest}'" in policy
        assert "unsafe" not in policy


def test_the_page_says_what_the_reports_say(reports, week):
    """Counts on the arrows, the cash and its parcels stand on the page as the answers have them."""
    shop = week[0]
    page = reports.page(shop=shop)
    shown = "".join(Seen(page).text)
    cash = reports.cod(shop=shop)

    assert cash.amount
    assert f"{dong(cash.amount)} of {cash.parcels} parcels" in shown
    for step in reports.steps(shop=shop):
        assert f">{step.times}</text>" in page
    for aged in cash.by_age:
        assert dong(aged.amount) in shown


def test_a_page_of_long_ago_says_so(reports, week, clock):
    """A moment that is given is the one on the page, and what came later is not on it."""
    at = clock() - timedelta(days=30)
    shown = "".join(Seen(reports.page(at, shop=week[0])).text)

    assert f"{at + timedelta(hours=7):%d.%m.%Y %H:%M:%S}" in shown
    assert "No cash is held." in shown
    assert "Nobody changed anything by hand." in shown


def test_english_pages_have_the_vietnamese_of_each_status(reports, week):
    """Whoever knows a status from the seller's screen finds it."""
    page = reports.page(shop=week[0])

    assert 'lang="vi">Đang giao hàng</span>' in page


def test_vietnamese_is_a_whole_language(reports, decided):
    """Nothing that is ours is said in English: no text and no name of a status."""
    shop, vi = decided[0], Language.VI
    for page in (
        *(reports.page(shop=shop, language=vi, audience=audience) for audience in Audience),
        reports.parcel_page(shop, "1", language=vi),
    ):
        seen = Seen(page)
        said = [part.strip() for part in seen.text]
        assert {"lang": "vi"} in [attrs for name, attrs in seen.elements if name == "html"]
        assert set() == {text for text in TEXTS if TEXTS[text] != text} & set(said)
        assert set() == {label.en for label in LABELS.values()} & set(said)
        literal = [part for text in TEXTS for part in re.split(r"\{\w+\}", text) if len(part) > 12]
        assert [] == [part for part in literal if part in "".join(seen.text)]


def test_every_text_of_the_pages_has_its_vietnamese():
    """A text that the pages say stands in the catalogue with the same facts; none is left over."""
    said = set()
    for folder in (pages_package, reports_package):
        for file in Path(folder.__file__).parent.glob("*.py"):
            if file.name != "vietnamese.py":
                tree = ast.parse(file.read_text("utf-8"))
                said |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
                calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
                asked = [c.args for c in calls if getattr(c.func, "attr", "") in {"say", "text"}]
                texts = [a.value for args in asked for a in args if isinstance(a, ast.Constant)]
                assert [] == [text for text in texts if text not in TEXTS]

    assert set() == set(TEXTS) - said
    for english, vietnamese in TEXTS.items():
        fields = [sorted(re.findall(r"\{\w+\}", text)) for text in (english, vietnamese)]
        assert fields[0] == fields[1], english


def test_finance_reads_of_cash_first(reports, week):
    """The same sections in another order, with cash at the head of figures and sections."""
    order = {
        audience: re.findall(r"<h2>(.*?)</h2>", reports.page(shop=week[0], audience=audience))
        for audience in Audience
    }
    page = reports.page(shop=week[0], audience=Audience.FINANCE)

    assert "Cash collected and not remitted" == order[Audience.FINANCE][0]
    assert sorted(order[Audience.OPERATIONS]) == sorted(order[Audience.FINANCE])
    assert "Cash held" == re.findall(r"<dt>(.*?)</dt>", page)[0]


def test_every_drawing_has_a_title(reports, week):
    """Those who cannot see a drawing are told what it is; those that only decorate are hidden."""
    for page in pages(reports, week[0]):
        for drawing in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
            assert 'aria-hidden="true"' in drawing or "<title>" in drawing


def test_text_is_escaped_unless_it_was_made_here():
    """A string is text, even in a list; only what `tag` made is markup."""
    assert "<b>&lt;i&gt;</b>" == tag("b", "<i>")
    assert '<b title="&quot;&gt;"></b>' == tag("b", title='">')
    assert "<b><i></i>&amp;</b>" == tag("b", [tag("i"), "&"])
    assert isinstance(join("<", tag("i")), Markup)
    assert '<path stroke-width="1.5"></path>' == tag("path", stroke_width=1.5, fill=None)
