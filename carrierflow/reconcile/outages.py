"""Long outages, each told once: by the host, and by the time since it answered last.

Nothing is kept of what was told. An outage is told by the run that finds it longer than the limit
and before which none has asked in vain beyond the limit; the table of runs says that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

from carrierflow.domain.outage import Outage
from carrierflow.domain.shop import Shop
from carrierflow.reconcile.run_report import EndReason, RunReport


__all__ = ["AskedBefore", "asked_in_vain", "new_outages"]

AskedBefore = Callable[[Collection[str], datetime], bool]
"""Tells whether an earlier run asked one of some shops in vain, from some moment on."""


def asked_in_vain(reports: Collection[RunReport]) -> list[RunReport]:
    """Return the runs that asked a platform and had no answer; not those that spared it."""
    return [it for it in reports if it.end_reason is EndReason.UNAVAILABLE and it.run]


def new_outages(
    shops: Collection[Shop],
    reports: Collection[RunReport],
    answered: Mapping[str, datetime],
    asked_before: AskedBefore,
    *,
    limit: timedelta,
) -> Iterator[Outage]:
    """Yield the outages that some runs, made together, were the first to find longer than that.

    `shops` are all that are active, and `answered` says when each was answered last, if ever.
    """
    since = {shop.code: answered.get(shop.code, shop.added_at) for shop in shops}
    by_host: dict[str, list[str]] = defaultdict(list)
    for shop in shops:
        by_host[shop.host].append(shop.code)
    vain = {report.shop: report for report in asked_in_vain(reports)}
    for host, codes in sorted(by_host.items()):
        mine = [vain[code] for code in codes if code in vain]
        if not mine:
            continue
        last = max(since[code] for code in codes)
        if max(report.started_at for report in mine) - last < limit:  # others there have answers
            lonely = [it for it in mine if it.started_at - since[it.shop] >= limit]
            told = [it for it in lonely if not asked_before([it.shop], since[it.shop] + limit)]
            if told:
                yield _outage(host, since, told, [it.shop for it in told], whole=False)
        elif not asked_before(codes, last + limit):
            yield _outage(host, since, mine, codes, whole=True)


def _outage(
    host: str,
    since: Mapping[str, datetime],
    vain: Collection[RunReport],
    codes: Collection[str],
    *,
    whole: bool,
) -> Outage:
    latest = max(vain, key=lambda report: report.started_at)
    return Outage(
        host=host,
        shops=tuple(sorted(codes)),
        whole=whole,
        since=max(since[code] for code in codes),
        sentence=latest.sentence or "",
    )
