"""What cron mails: one line for each thing that somebody has to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.cli.complaints import complaints
from carrierflow.domain.incident import OpenIncidents
from carrierflow.domain.outage import Outage
from carrierflow.reconcile import EndReason, RunReport


MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
SHOPS = [f"shop-{number:03}" for number in range(200)]
REFUSED = "The platform: HTTP 401: The token of {shop} is wrong."


def report(shop, reason="done", sentence=None, *, opened=0):
    """Make the report of a run."""
    return RunReport(
        shop=shop,
        run="r",
        started_at=MOMENT,
        ended_at=MOMENT,
        end_reason=EndReason(reason),
        sentence=sentence,
        incidents_opened=opened,
    )


def opened(shop, kind="access_denied", sentence=REFUSED, *, count=1):
    """Make what is open of one kind in one shop."""
    return OpenIncidents(
        shop=shop,
        kind=kind,
        count=count,
        first_id="7",
        first_sentence=sentence.format(shop=shop),
    )


def said(reports=(), incidents=(), outages=(), hosts=(), *, full=True):
    """Return the lines."""
    return list(complaints(reports, incidents, outages, dict(hosts), full=full))


def test_one_cause_in_many_shops_is_one_line_with_a_count():
    """Two hundred shops refused by one host for one reason: one line, one way out."""
    (line,) = said(incidents=map(opened, SHOPS))

    assert line.startswith("shop-000, shop-001, shop-002 and 197 more shops: access_denied: The ")
    assert line.endswith("See `carrierflow incidents list --kind access_denied`.")


def test_two_hosts_and_two_reasons_are_lines_of_their_own():
    """What is mended in two places is two lines, though the platforms say the same."""
    hosts = {shop: f"host-{number % 2}" for number, shop in enumerate(SHOPS)}
    other = opened("other", sentence="The app was uninstalled.")

    assert 2 == len(said(incidents=map(opened, SHOPS), hosts=hosts.items()))
    assert 3 == len(said(incidents=[*map(opened, SHOPS), other], hosts=hosts.items()))


@pytest.mark.parametrize(("shops", "lines"), [(1, 1), (3, 3), (4, 1), (200, 1)])
def test_many_lines_of_one_kind_are_one(shops, lines):
    """Parcels of few shops are a line for each shop; of many, one line counts all of them."""
    some = [opened(shop, "remote_ahead", f"Parcel {shop}.", count=2) for shop in SHOPS[:shops]]

    told = said(incidents=some)

    assert lines == len(told)
    counted = 2 * shops if lines < shops else 2
    assert f" {counted} incidents. See `carrierflow incidents list --" in told[0]


def test_a_frequent_run_tells_news_alone():
    """Incidents of shops in which it opened none, and what the platform did not show, can wait."""
    reports = [report("a", opened=1), report("b", sentence="Not all was shown.")]
    incidents = [opened("a"), opened("b", "brake")]

    assert 1 == len(said(reports, incidents, full=False))
    assert 3 == len(said(reports, incidents))


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("reason", ["unavailable", "resting", "throttled", "shop_held"])
def test_what_a_later_run_may_find_mended_is_not_told(reason, full):
    """A host without an answer, a pause, a shop that another run holds: nobody is needed."""
    assert [] == said([report("a", reason, "No.")], full=full)


@pytest.mark.parametrize("whole", [True, False])
def test_an_outage_is_one_line(whole):
    """It says which host, since when, how many shops, and whether others there have answers."""
    outage = Outage(
        host="a.example", shops=tuple(SHOPS), whole=whole, since=MOMENT, sentence="No reply."
    )

    (line,) = said(outages=[outage])

    assert "197 more shops: no answer from a.example since 2026-03-01 00:00:00Z" in line
    assert whole is ("other shops there" not in line)
    assert line.endswith("See `carrierflow status --sort oldest`.")


def test_many_silent_hosts_are_one_line():
    """Where two hundred hosts fall silent together, the cause is one, and so is the line."""
    outages = [
        Outage(host=f"{shop}.example", shops=(shop,), whole=True, since=MOMENT, sentence="No.")
        for shop in SHOPS
    ]

    assert 3 == len(said(outages=outages[:3]))
    (line,) = said(outages=outages)
    assert "197 more shops: no answer from 200 hosts since 2026-03-01 00:00:00Z" in line


def test_runs_that_failed_alike_are_one_line():
    """The same cause of ours in every shop is said once, by frequent runs too."""
    reports = [report(shop, "failed", f"The token of {shop} does not open.") for shop in SHOPS]

    assert 1 == len(said(reports, full=False))
