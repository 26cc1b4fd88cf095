"""Figures for Prometheus: what this process counted, and what the database knows of each shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.shop import Backlog, ShopState
from carrierflow.errors import CarrierflowError
from carrierflow.web.questions import Question


__all__ = ["FIGURES", "Figure", "Metrics"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What one figure counts or shows."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    labels: tuple[str, ...]
    says: str

    def family(self, name: str) -> Any:
        """Return it without values yet."""
        return self.kind(f"carrierflow_{name}", self.says, labels=self.labels)


def _counter(says: str, *labels: str) -> Figure:
    return Figure(kind=CounterMetricFamily, labels=labels, says=says)


def _gauge(says: str, *labels: str) -> Figure:
    return Figure(kind=GaugeMetricFamily, labels=labels, says=says)


COUNTED = {
    "callbacks": _counter("Calls that were answered.", "call", "result"),
    "webhooks": _counter("Webhooks that arrived.", "topic", "result"),
    "verdicts": _counter("Events recorded by this process.", "verdict"),
    "jobs": _counter("Jobs that this process ran.", "job", "result"),
}
"""What a process counts; the names are those of its meter."""

PER_RUN = {
    "published": _counter("Steps that runs brought to the platform.", "shop"),
    "adopted": _counter("Steps that runs took over from the platform.", "shop"),
    "get": _counter("Reads that runs made.", "shop"),
    "put": _counter("Writes that runs made.", "shop"),
    "throttled": _counter("Requests that the platform throttled.", "shop"),
}
"""What runs count; the names are those of a run's counters."""

COVERAGE = {
    "open": _gauge("Open fulfillments.", "shop"),
    "verified": _gauge("Open fulfillments that were verified in time.", "shop"),
    "unpublished": _gauge("Fulfillments with steps not known to be shown.", "shop"),
    "frozen": _gauge("Fulfillments that wait for a person.", "shop"),
}
"""How well shops are known; the names are those of `Coverage`."""

STATE = {"shop_active": _gauge("Whether runs look after the shop: 0 if it is paused.", "shop")}

BACKLOG = {
    "oldest_unpublished_seconds": _gauge("Age of the oldest entry not known to be shown.", "shop"),
    "budget_used": _gauge("Requests in the platform's bucket, by our count.", "shop"),
    "incidents": _gauge("Open incidents.", "shop", "kind"),
}

LAST_RUN = {
    "last_run_timestamp_seconds": _gauge("When the last run ended, in seconds of Unix.", "shop"),
    "last_run_failed": _gauge("Whether the last run could not do its work.", "shop"),
}

SEALED = {
    "unsealed_entries": _gauge("Entries of the log behind its last checkpoint."),
    "last_checkpoint_timestamp_seconds": _gauge("When it was signed, in seconds of Unix."),
}

DESTINATIONS = {
    "delivery_behind": _gauge("Places of the log that a destination has not had.", "destination"),
    "delivery_failures": _gauge("Failed tries in a row to deliver there.", "destination"),
    "delivery_gone": _gauge("Whether a destination said that it is gone.", "destination"),
}

UP = {"database_up": _gauge("Whether the database answered.")}

FIGURES = {
    **COUNTED,
    **PER_RUN,
    **COVERAGE,
    **STATE,
    **BACKLOG,
    **LAST_RUN,
    **SEALED,
    **DESTINATIONS,
    **UP,
}
"""Every figure, by its name without `carrierflow_`."""

OVERLAP = timedelta(hours=1)
"""How much later than it says the end of a run may be committed, with much to spare."""


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
        yield from self._counted()
        try:
            known = self._known.answer()
        except CarrierflowError:
            known = []
        up = UP["database_up"].family("database_up")
        up.add_metric([], bool(known))
        yield up
        yield from known

    def _read(self) -> list[Metric]:
        here = self._coverage(), self._backlogs(), self._last_runs(), self._sealed()
        known = (*here, self._destinations(), self._runs.collect())
        return [family for part in known for family in part]

    def _counted(self) -> Iterator[Metric]:
        for name, figure in COUNTED.items():
            family = figure.family(name)
            for key, count in self._app.counters.counts(name).items():
                given = dict(key)
                family.add_metric([given[label] for label in figure.labels], count)
            yield family

    def _coverage(self) -> Iterator[Metric]:
        shops = self._app.coverage()
        for name, figure in COVERAGE.items():
            family = figure.family(name)
            for shop in shops:
                family.add_metric([shop.shop], getattr(shop, name))
            yield family
        active = STATE["shop_active"].family("shop_active")
        for shop in shops:
            active.add_metric([shop.shop], shop.state is ShopState.ACTIVE)
        yield active

    def _backlogs(self) -> Iterator[Metric]:
        ages, used, incidents = (figure.family(name) for name, figure in BACKLOG.items())
        for shop in self._app.backlogs():
            ages.add_metric([shop.shop], self._age(shop))
            used.add_metric([shop.shop], shop.budget_used)
            for kind, count in shop.incidents.items():
                incidents.add_metric([shop.shop, kind], count)
        yield from (ages, used, incidents)

    def _last_runs(self) -> Iterator[Metric]:
        ended, failed = (figure.family(name) for name, figure in LAST_RUN.items())
        for shop, run in self._app.last_runs().items():
            failed.add_metric([shop], run.failed)
            if run.ended_at is not None:
                ended.add_metric([shop], run.ended_at.timestamp())
        yield from (ended, failed)

    def _sealed(self) -> Iterator[Metric]:
        tail, signed = (figure.family(name) for name, figure in SEALED.items())
        progress = self._app.sealer.progress()
        tail.add_metric([], progress.tail)
        if progress.sealed_at is not None:
            signed.add_metric([], progress.sealed_at.timestamp())
        yield from (tail, signed)

    def _destinations(self) -> Iterator[Metric]:
        behind, failures, gone = (figure.family(name) for name, figure in DESTINATIONS.items())
        for each in self._app.destinations():
            behind.add_metric([each.destination], each.behind)
            failures.add_metric([each.destination], each.failures)
            gone.add_metric([each.destination], each.gone_at is not None)
        yield from (behind, failures, gone)

    def _age(self, backlog: Backlog) -> float:
        if backlog.oldest_unpublished_at is None:
            return 0.0
        return (self._app.now() - backlog.oldest_unpublished_at).total_seconds()


class RunTotals:
    """Sums of the runs that ended since this process began, whichever process made them."""

    def __init__(self, carrierflow: Carrierflow) -> None:
        self._app = carrierflow
        self._lock = ProcessLock()
        self._began = self._read_to = carrierflow.now()
        self._seen: dict[str, datetime] = {}
        self._totals: dict[str, Counter[str]] = {name: Counter() for name in PER_RUN}

    def collect(self) -> Iterator[Metric]:
        """Yield the sums by shop."""
        with self._lock:
            self._read()
            for name, figure in PER_RUN.items():
                family = figure.family(name)
                for shop, total in self._totals[name].items():
                    family.add_metric([shop], total)
                yield family

    def _read(self) -> None:
        """Add the runs that were not there yet; those of the last hour are looked at again."""
        now = self._app.now()
        since = max(self._began, self._read_to - OVERLAP)
        for run in self._app.runs_ended(since):
            if run.id not in self._seen:
                self._seen[run.id] = run.ended_at
                for name in PER_RUN:
                    self._totals[name][run.shop] += run.counters.get(name, 0)
        self._seen = {run: ended for run, ended in self._seen.items() if ended >= since}
        self._read_to = now
