"""What the slow platform's processes noted, and what can be said of it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise


__all__ = ["Notes", "Run"]


@dataclass(frozen=True)
class Run:
    """One look at a shop by one process, in seconds of the machine's own clock."""

    shop: str
    pid: int
    begin: float
    end: float | None
    """None where the process died, or still looks."""


class Notes:
    """The notes in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def lines(self):
        """Yield what was noted: by which process, what, of which shop and when."""
        for file in self.folder.glob("*.notes"):
            text = file.read_text("utf-8")
            for line in text.splitlines():
                if line.endswith("]"):  # the last one of a killed process may be half
                    what, shop, at, thread = json.loads(line)
                    yield int(file.stem), what, shop, at, thread

    def runs(self):
        """List every run, in the order in which they began."""
        found, begun = [], {}
        for pid, what, shop, at, thread in self.lines():
            if what == "begin":
                begun[pid, thread] = shop, at
            elif what == "end":
                _, began = begun.pop((pid, thread))
                found.append(Run(shop, pid, began, at))
        found += [Run(shop, pid, at, None) for (pid, _), (shop, at) in begun.items()]
        return sorted(found, key=lambda run: run.begin)

    def written(self, shop):
        """List which processes wrote of a shop."""
        return [pid for pid, what, of, *_ in self.lines() if what == "write" and of == shop]

    def by_shop(self):
        """Return the runs of each shop, in their order."""
        found = defaultdict(list)
        for run in self.runs():
            found[run.shop].append(run)
        return found

    def done(self):
        """Return the shops of which a run came to its end."""
        return {run.shop for run in self.runs() if run.end is not None}

    def overlapping(self):
        """List the shops of which one run began before another one that did end had ended."""
        return [
            shop
            for shop, runs in self.by_shop().items()
            if any(
                earlier.end is not None and later.begin < earlier.end
                for earlier, later in pairwise(runs)
            )
        ]

    def interrupted(self, pids):
        """Return the runs of some processes that did not come to an end, by their shops."""
        return {run.shop: run for run in self.runs() if run.end is None and run.pid in pids}
