"""What a run says on stderr, which cron mails: one line for each thing that needs a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from carrierflow.domain.incident import OpenIncidents
from carrierflow.reconcile import EndReason, RunReport


__all__ = ["complaints", "remarks"]

NAMED = 3
"""How many of many are named."""

TOLD_BY_INCIDENTS = frozenset({EndReason.BRAKE, EndReason.ACCESS_DENIED})

LASTS = frozenset({EndReason.DONE, EndReason.UNAVAILABLE, EndReason.RESTING})
"""What a later run may find mended: it is worth a line once a night and not every few minutes."""


def complaints(
    reports: Sequence[RunReport], incidents: Sequence[OpenIncidents], *, full: bool
) -> Iterator[str]:
    """Yield what a person must see of some runs, and of the incidents that are open.

    A full pass tells all that stands. Any other tells what is new: runs that failed for a cause
    of ours, and the incidents of shops in which it opened one.
    """
    yield from _together(report for report in reports if _is_trouble(report, full=full))
    news = {report.shop for report in reports if report.incidents_opened}
    for some in incidents:
        if full or some.shop in news:
            yield _incidents_of_a_kind(some)


def remarks(reports: Sequence[RunReport], incidents: int) -> Iterator[str]:
    """Yield what else can be said of some runs, to whoever reads the answer itself."""
    yield from _together(report for report in reports if report.sentence)
    if alone := sum(report.requests.alone for report in reports):
        yield f"Orders read one by one: {alone}; lists left their parcels out."
    if incidents:
        yield f"Incidents open: {incidents}; see `carrierflow incidents list`."


def _is_trouble(report: RunReport, *, full: bool) -> bool:
    if not report.sentence or report.end_reason in TOLD_BY_INCIDENTS:
        return False
    return report.end_reason is EndReason.FAILED or (full and report.end_reason in LASTS)


def _together(reports: Iterable[RunReport]) -> Iterator[str]:
    """Yield one line for all shops of which the same is to be said."""
    same: dict[Hashable, list[RunReport]] = defaultdict(list)
    for report in reports:
        same[report.end_reason, (report.sentence or "").replace(report.shop, "")].append(report)
    for some in same.values():
        yield f"{_names([each.shop for each in some])}: {some[0].sentence}"


def _names(shops: Sequence[str]) -> str:
    if len(shops) <= NAMED:
        return ", ".join(shops)
    return f"{', '.join(shops[:NAMED])} and {len(shops) - NAMED} more shops"


def _incidents_of_a_kind(some: OpenIncidents) -> str:
    if some.count == 1:
        say = f"carrierflow incidents show {some.first_id}"
        return f"{some.shop}: {some.kind}: {some.first_sentence} See `{say}`."
    say = f"carrierflow incidents list --shop {some.shop}"
    return f"{some.shop}: {some.kind}, {some.count} incidents. See `{say}`."
