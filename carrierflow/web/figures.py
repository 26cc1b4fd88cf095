"""What `/metrics` shows: each figure with its labels, and in a sentence what it says.

No figure has a line for each shop. What bears no shop is of all of them; what does names the
worst alone, and `shops_with` counts them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily


__all__ = [
    "COUNTED",
    "DESTINATIONS",
    "FIGURES",
    "NAMED",
    "OF_ALL",
    "PER_RUN",
    "SEALED",
    "UP",
    "WORST",
    "Figure",
]

NAMED = 20
"""How many shops a figure names at most."""


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
    "published": _counter("Steps that runs brought to the platform."),
    "adopted": _counter("Steps that runs took over from the platform."),
    "get": _counter("Reads that runs made."),
    "put": _counter("Writes that runs made."),
    "throttled": _counter("Requests that the platform throttled."),
}
"""What runs count; the names are those of a run's counters."""

OF_ALL = {
    "open": _gauge("Open fulfillments, by the state of their shop.", "state"),
    "verified": _gauge("Open fulfillments that were verified in time.", "state"),
    "unpublished": _gauge("Fulfillments with steps not known to be shown.", "state"),
    "frozen": _gauge("Fulfillments that wait for a person.", "state"),
    "incidents": _gauge("Open incidents.", "kind"),
    "shops": _gauge("Shops; runs look after those that are active.", "state"),
    "shops_with": _gauge("Shops that have what a figure of that name tells.", "what"),
}
"""What is known of all shops together."""

WORST = {
    "shop_late": _gauge("Open fulfillments that were not verified in time.", "shop"),
    "shop_unpublished": _gauge("Fulfillments with steps not known to be shown.", "shop"),
    "shop_frozen": _gauge("Fulfillments that wait for a person.", "shop"),
    "shop_incidents": _gauge("Open incidents.", "shop", "kind"),
    "shop_silent": _gauge("Runs in a row that had no answer.", "shop"),
    "shop_throttled": _gauge("Requests that the platform throttled within an hour.", "shop"),
    "oldest_unpublished_seconds": _gauge("Age of the oldest entry not known to be shown.", "shop"),
    "oldest_verified_seconds": _gauge("How long ago an open fulfillment was looked at.", "shop"),
    "budget_used": _gauge("Requests in the platform's bucket, by our count.", "shop"),
    "last_run_timestamp_seconds": _gauge("When the last run ended, in seconds of Unix.", "shop"),
    "last_run_failed": _gauge("Whether the last run could not do its work.", "shop"),
}
"""What is known of those shops where it is worst."""

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

FIGURES = {**COUNTED, **PER_RUN, **OF_ALL, **WORST, **SEALED, **DESTINATIONS, **UP}
"""Every figure, by its name without `carrierflow_`."""
