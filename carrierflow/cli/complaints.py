"""What a run says on stderr, which cron mails: one line for each thing that needs a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from carrierflow.cli.of_any_shop import of_any_shop
from carrierflow.cli.session import short
from carrierflow.domain.incident import OpenIncidents
from carrierflow.domain.outage import Outage
from carrierflow.reconcile import EndReason, RunReport


__all__ = ["complaints", "remarks"]

NAMED = 3
"""How many of many are named; and in so many shops are incidents of a kind a line for each."""


def complaints(
    reports: Sequence[RunReport],
    incidents: Sequence[OpenIncidents],
    outages: Iterable[Outage],
    hosts: Mapping[str, str],
    *,
    full: bool,
) -> Iterator[str]:
    """Yield what a person must see of some runs: what failed, what is silent, what is open.

    `outages` are those that nobody was told of. A full pass tells all incidents that are open,
    and what it was not shown; any other those of shops in which it opened one. What is the same
    in many shops at one of the `hosts` is one line.
    """
    yield from _together(report for report in reports if _is_trouble(report, full=full))
    yield from _silent(list(outages))
    news = {report.shop for report in reports if report.incidents_opened}
    yield from _open([some for some in incidents if full or some.shop in news], hosts)


def remarks(reports: Sequence[RunReport], incidents: int) -> Iterator[str]:
    """Yield what else can be said of some runs, to whoever reads the answer itself."""
    yield from _together(report for report in reports if report.sentence)
    if alone := sum(report.requests.alone for report in reports):
        yield f"Orders read one by one: {alone}; lists left their parcels out."
    if incidents:
        yield f"Incidents open: {incidents}; see `carrierflow incidents list`."


def _is_trouble(report: RunReport, *, full: bool) -> bool:
    """Tell whether a run's sentence needs a person; what ended others is told in its own way."""
    told = {EndReason.FAILED, EndReason.DONE} if full else {EndReason.FAILED}
    return report.sentence is not None and report.end_reason in told


def _together(reports: Iterable[RunReport]) -> Iterator[str]:
    """Yield one line for all shops of which the same is to be said."""
    same: dict[Hashable, list[RunReport]] = defaultdict(list)
    for report in reports:
        same[report.end_reason, of_any_shop(report.sentence, report.shop)].append(report)
    for some in same.values():
        yield f"{_names([each.shop for each in some])}: {some[0].sentence}"


def _silent(outages: Sequence[Outage]) -> Iterator[str]:
    """Yield a line for each silent host; where many fell silent, that has one cause, and is one."""
    if len(outages) <= NAMED:
        yield from map(_outage, outages)
        return
    shops = [code for outage in outages for code in outage.shops]
    latest = max(outages, key=lambda outage: outage.since)
    yield (
        f"{_names(shops)}: no answer from {len(outages)} hosts since {short(latest.since)}. "
        f"At {latest.host}: {latest.sentence} Runs go on asking. "
        "See `carrierflow status --sort oldest`."
    )


def _outage(outage: Outage) -> str:
    where = "" if outage.whole else ", though other shops there have one"
    say = "status --sort oldest"
    if len(outage.shops) == 1:
        say = f"shop check {outage.shops[0]}"
    return (
        f"{_names(outage.shops)}: no answer from {outage.host} since {short(outage.since)}{where}. "
        f"{outage.sentence} Runs go on asking. See `carrierflow {say}`."
    )


def _open(incidents: Iterable[OpenIncidents], hosts: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each thing to do about incidents."""
    kinds: dict[str, list[OpenIncidents]] = defaultdict(list)
    for some in incidents:
        kinds[some.kind].append(some)
    for alike in kinds.values():
        causes: dict[Hashable, list[OpenIncidents]] = defaultdict(list)
        for some in alike:
            said = some.shop if some.count > 1 else of_any_shop(some.first_sentence, some.shop)
            causes[hosts.get(some.shop), said].append(some)
        if len(causes) > NAMED:
            yield _in_shops(alike, f"{sum(some.count for some in alike)} incidents.")
            continue
        for same in causes.values():
            yield _in_shop(same[0]) if len(same) == 1 else _in_shops(same, same[0].first_sentence)


def _in_shop(some: OpenIncidents) -> str:
    if some.count == 1:
        say = f"carrierflow incidents show {some.first_id}"
        return f"{some.shop}: {some.kind}: {some.first_sentence} See `{say}`."
    say = f"carrierflow incidents list --shop {some.shop}"
    return f"{some.shop}: {some.kind}, {some.count} incidents. See `{say}`."


def _in_shops(some: Sequence[OpenIncidents], what: str) -> str:
    names, kind = _names([each.shop for each in some]), some[0].kind
    return f"{names}: {kind}: {what} See `carrierflow incidents list --kind {kind}`."


def _names(shops: Iterable[str]) -> str:
    named = sorted(shops)
    if len(named) <= NAMED:
        return ", ".join(named)
    return f"{', '.join(named[:NAMED])} and {len(named) - NAMED} more shops"
