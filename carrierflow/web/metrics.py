"""Figures for Prometheus: what this process counted, and what the database knows of all shops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import nsmallest
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.domain.past_run import PastRun
from carrierflow.domain.shop import Coverage, ShopState
from carrierflow.errors import CarrierflowError
from carrierflow.web.figures import (
    COUNTED,
    DESTINATIONS,
    NAMED,
    OF_ALL,
    PER_RUN,
    SEALED,
    UP,
    WORST,
    Figure,
)
from carrierflow.web.questions import Question
from carrierflow.web.run_totals import RunSums, RunTotals


__all__ = ["Metrics"]

Samples = Mapping[tuple[str, ...], float]
"""The values of one figure, by those of its labels."""

SUMMED = ("open", "verified", "unpublished", "frozen")
"""What is summed up by the state of shops; the names are those of `Coverage`."""


class Metrics(Collector):
    """Reads everything anew at each scrape; a database that is down leaves its figures out.

    So does one that says nothing for seconds.
    """

    def __init__(self, carrierflow: Carrierflow) -> None:
        self._app = carrierflow
        self._runs = RunTotals(carrierflow)
        self._known = Question(self._read)

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all figures."""
        yield from _families(COUNTED, self._counted())
        try:
            known = self._known.answer()
        except CarrierflowError:
            known = []
        yield from _families(UP, {"database_up": {(): bool(known)}})
        yield from known

    def _counted(self) -> dict[str, Samples]:
        return {
            name: {
                tuple(dict(key)[label] for label in figure.labels): count
                for key, count in self._app.counters.counts(name).items()
            }
            for name, figure in COUNTED.items()
        }

    def _read(self) -> list[Metric]:
        shops, sums = self._app.coverage(), self._runs.read()
        last = self._app.last_runs(brief=True)
        of_shops = self._of_shops(shops, sums, last)
        named = {name: _worst(samples) for name, samples in of_shops.items()}
        return [
            *_families(OF_ALL, _of_all(shops, of_shops)),
            *_families(WORST, named | _longest_ago(shops, last)),
            *_families(PER_RUN, {name: {(): sums.totals.get(name, 0)} for name in PER_RUN}),
            *_families(SEALED, self._sealed()),
            *_families(DESTINATIONS, self._destinations()),
        ]

    def _of_shops(
        self, shops: Iterable[Coverage], sums: RunSums, last: Mapping[str, PastRun]
    ) -> dict[str, Samples]:
        """Return what may be bad about shops; no run has to look after those that are paused."""
        backlogs, now = self._app.backlogs(), self._app.now()
        active = [each for each in shops if _is_active(each)]
        cared_for = {each.shop for each in active}
        return {
            "shop_late": {(each.shop,): each.late for each in active},
            "shop_unpublished": {(each.shop,): each.unpublished for each in active},
            "shop_frozen": {(each.shop,): each.frozen for each in active},
            "shop_incidents": {
                (each.shop, kind): count
                for each in backlogs
                for kind, count in each.incidents.items()
            },
            "shop_silent": {(each.shop,): each.unanswered for each in active},
            "shop_throttled": {(shop,): count for shop, count in sums.throttled.items()},
            "oldest_unpublished_seconds": {
                (each.shop,): _age(each.oldest_unpublished_at, now)
                for each in backlogs
                if each.shop in cared_for
            },
            "oldest_verified_seconds": {
                (each.shop,): _age(each.oldest_verified_at, now) for each in active
            },
            "budget_used": {(each.shop,): each.budget_used for each in backlogs},
            "last_run_failed": {
                (shop,): run.failed for shop, run in last.items() if shop in cared_for
            },
        }

    def _sealed(self) -> dict[str, Samples]:
        progress = self._app.sealer.progress()
        sealed_at = progress.sealed_at
        return {
            "unsealed_entries": {(): progress.tail},
            "last_checkpoint_timestamp_seconds": {(): sealed_at.timestamp()} if sealed_at else {},
        }

    def _destinations(self) -> dict[str, Samples]:
        each_of = self._app.destinations()
        return {
            "delivery_behind": {(each.destination,): each.behind for each in each_of},
            "delivery_failures": {(each.destination,): each.failures for each in each_of},
            "delivery_gone": {(each.destination,): each.gone_at is not None for each in each_of},
        }


def _of_all(shops: Iterable[Coverage], of_shops: Mapping[str, Samples]) -> dict[str, Samples]:
    """Return what holds of all shops together, every state among it."""
    sums: dict[str, dict[tuple[str, ...], float]] = {
        name: {(state,): 0 for state in ShopState} for name in (*SUMMED, "shops")
    }
    for each in shops:
        sums["shops"][each.state,] += 1
        for name in SUMMED:
            sums[name][each.state,] += getattr(each, name)
    kinds: Counter[tuple[str, ...]] = Counter()
    for (_, kind), count in of_shops["shop_incidents"].items():
        kinds[kind,] += int(count)
    return sums | {"incidents": kinds, "shops_with": _counts(of_shops)}


def _longest_ago(shops: Iterable[Coverage], last: Mapping[str, PastRun]) -> dict[str, Samples]:
    """Return those active shops whose last runs ended longest ago."""
    found = {
        (each.shop,): ended.timestamp()
        for each in shops
        if _is_active(each) and each.shop in last and (ended := last[each.shop].ended_at)
    }
    first = nsmallest(NAMED, found, key=lambda each: (found[each], each))
    return {"last_run_timestamp_seconds": {each: found[each] for each in first}}


def _counts(of_shops: Mapping[str, Samples]) -> Samples:
    """Return how many shops there are of which something is told, by what it is."""
    return {
        (name.removeprefix("shop_"),): len({shop for (shop, *_), value in told.items() if value})
        for name, told in of_shops.items()
        if name.startswith("shop_") or name == "last_run_failed"
    }


def _worst(samples: Samples) -> Samples:
    """Return the largest of some values, none that is nothing among them."""
    told = [key for key, value in samples.items() if value > 0]
    worst = nsmallest(NAMED, told, key=lambda each: (-samples[each], each))
    return {each: samples[each] for each in worst}


def _families(figures: Mapping[str, Figure], values: Mapping[str, Samples]) -> Iterator[Any]:
    for name, figure in figures.items():
        family = figure.family(name)
        for labels, value in values[name].items():
            family.add_metric(labels, value)
        yield family


def _is_active(shop: Coverage) -> bool:
    return shop.state is ShopState.ACTIVE


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else (now - since).total_seconds()
