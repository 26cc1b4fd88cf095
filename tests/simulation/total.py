"""What many seeds came to, and what of all that should happen sometimes never did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from carrierflow.domain.incident import ResolveAction
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.sandbox.haravan import FaultKind

from .people import DEEDS
from .scenario import ABSENT, PROFILES


KILLED_AT = (
    "before an answer",
    *("before a transaction", "before a commit", "after a commit"),
    *("before send", "in the air", "after apply", "before reply"),
)

UNPLAYED = {"6a", "6b", "20", "21"}
"""Rows that have their own tests: here nobody changes amounts, clocks are right to an hour, and the
platform shows every status as such."""

SOMETIMES = {
    "profiles": tuple(PROFILES),
    "faults": tuple(str(kind) for kind in FaultKind if kind not in ABSENT),
    "rows": tuple(r.number for r in (*TABLE, *ORDER_TABLE) if r.number not in UNPLAYED),
    "verdicts": ("accepted", "duplicate", "late", "refused"),
    "met": (
        *(f"kill {label}" for label in KILLED_AT),
        *(f"merchant {deed}" for deed in DEEDS),
        *(f"person {action}" for action in ResolveAction),
        *(f"run {end}" for end in ("done", "shop_held", "lease_lost", "unavailable", "throttled")),
        *(
            "merchant back",
            "stall",
            "slow database",
            "connection refused",
            "connection reset",
            "timeout",
        ),
        *("clocks apart", "platform's clock fast", "platform's clock slow"),
        *("tight bucket", "page of 3", "several crons", "cron away", "edits undone"),
        *("orders without a bump", "cash without a lift"),
        *(f"call {call} done" for call in ("detail", "cancel", "webhook")),
        *("call cancel refused", "call detail refused", "call detail unsigned"),
        *(
            "platform calls",
            "no answer to a call",
            "change surfaces late",
            "order moves in the list",
            *("storm", "a row is never readable", "an order hides"),
        ),
    ),
}
"""What has to be reached by two hundred seeds, or it is not tested."""

SUMS = ("seconds", "puts", "gets", "ambiguous", "duplicates", "kills", "points")


@dataclass
class Total:
    """The sums of many seeds."""

    numbers: Counter = field(default_factory=Counter)
    counters: dict = field(default_factory=lambda: {name: Counter() for name in SOMETIMES})
    incidents: Counter = field(default_factory=Counter)

    def add(self, played):
        """Add one seed."""
        self.numbers["seeds"] += 1
        for name in SUMS:
            self.numbers[name] += getattr(played, name)
        self.counters["profiles"][played.profile] += 1
        for name in ("faults", "rows", "verdicts", "met"):
            self.counters[name].update(getattr(played, name))
        self.counters["rows"]["18"] += played.incidents["order_cancelled"]
        self.incidents.update(played.incidents)

    def never(self):
        """Return what should happen sometimes and never did."""
        return [
            f"{name}: {each}"
            for name, wanted in SOMETIMES.items()
            for each in wanted
            if not self.counters[name][each]
        ]

    @property
    def figures(self):
        """Return the sums, with their names as the documentation prints them."""
        numbers = self.numbers
        return {
            "seeds": numbers["seeds"],
            "virtual days": round(numbers["seconds"] / 86400),
            "PUTs": numbers["puts"],
            "PUTs without a clear outcome": numbers["ambiguous"],
            "PUTs doubled": numbers["duplicates"],
            "GETs": numbers["gets"],
            "kills": numbers["kills"],
            "stalls": self.counters["met"]["stall"],
            "faults": self.counters["faults"].total(),
            "edits by others": sum(
                times
                for name, times in (self.counters["met"] + self.counters["faults"]).items()
                if name.startswith("merchant")
            ),
            "incidents": self.incidents.total(),
            "kill points passed": numbers["points"],
        }

    def text(self):
        """Return all figures and counters, a line for each kind."""
        lines = [", ".join(f"{name} {value:,}" for name, value in self.figures.items())]
        for name, counter in (*self.counters.items(), ("incidents", self.incidents)):
            lines.append(f"{name}: " + ", ".join(f"{k}={v}" for k, v in sorted(counter.items())))
        return "\n".join([*lines, f"never: {self.never()}"])
