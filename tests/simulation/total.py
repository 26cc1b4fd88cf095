"""What many seeds came to, and what of all that should happen sometimes never did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .sides import SIDES


COUNTED = ("profiles", "faults", "rows", "verdicts", "met")

SUMS = ("seconds", "puts", "gets", "ambiguous", "duplicates", "kills", "points")


@dataclass
class Total:
    """The sums of many seeds."""

    platform: str = "haravan"
    numbers: Counter = field(default_factory=Counter)
    counters: dict = field(default_factory=lambda: {name: Counter() for name in COUNTED})
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
            for name, wanted in SIDES[self.platform].sometimes().items()
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
            "writes": numbers["puts"],
            "writes without a clear outcome": numbers["ambiguous"],
            "writes doubled": numbers["duplicates"],
            "GETs": numbers["gets"],
            "kills": numbers["kills"],
            "stalls": self.counters["met"]["stall"],
            "faults": self.counters["faults"].total(),
            "edits by others": sum(
                times
                for name, times in (self.counters["met"] + self.counters["faults"]).items()
                if name.startswith(("merchant", "seller"))
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
