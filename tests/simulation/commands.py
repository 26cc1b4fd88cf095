"""The commands of the simulation."""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter

from carrierflow.reconcile.decide import ORDER_TABLE, TABLE
from carrierflow.sandbox import FaultKind

from .play import play_seed


def main(arguments=None):
    """Run one command; the exit code says whether every invariant held."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--seeds", default="0:100")
    run.add_argument("--keep-going", action="store_true")
    run.set_defaults(command=lambda options: _run(options))
    replay = commands.add_parser("replay")
    replay.add_argument("seed", type=int)
    replay.set_defaults(command=_replay)
    options = parser.parse_args(arguments)
    raise SystemExit(options.command(options))


def _run(options):
    first, _, last = options.seeds.partition(":")
    began, total, broken = time.monotonic(), Total(), []
    for seed in range(int(first), int(last)):
        played = play_seed(seed)
        total.add(played)
        if played.broken is not None:
            broken.append(seed)
            print(f"seed {seed} ({played.profile}): {played.broken}", flush=True)
            if not options.keep_going:
                print("\n".join(played.lines[-40:]))
                return 1
    print(total.text(), f"\n{time.monotonic() - began:.1f} s; broken: {broken}")
    return int(bool(broken))


def _replay(options):
    played = play_seed(options.seed, keep_lines=True)
    print("\n".join(played.lines))
    print(played.digest)
    return int(played.broken is not None)


class Total:
    """What many seeds came to."""

    def __init__(self):
        self.numbers = Counter()
        self.counters = {
            name: Counter()
            for name in ("profile", "faults", "rows", "verdicts", "ends", "incidents")
        }

    def add(self, played):
        """Add one seed."""
        self.numbers["seeds"] += 1
        for name in ("seconds", "puts", "gets", "ambiguous", "duplicates", "kills", "points"):
            self.numbers[name] += getattr(played, name)
        self.counters["profile"][played.profile] += 1
        for name in ("faults", "rows", "verdicts", "ends", "incidents"):
            self.counters[name].update(getattr(played, name))

    def never(self):
        """Return what should happen sometimes and never did."""
        wanted = {
            "faults": [str(kind) for kind in FaultKind],
            "rows": [row.number for row in TABLE] + ["17"],
        }
        return {
            name: [each for each in all_of if not self.counters[name][each]]
            for name, all_of in wanted.items()
        }

    def text(self):
        """Return all figures."""
        numbers = dict(self.numbers) | {"virtual days": round(self.numbers["seconds"] / 86400, 1)}
        lines = [", ".join(f"{name} {value:g}" for name, value in numbers.items())]
        for name, counter in self.counters.items():
            lines.append(f"{name}: " + ", ".join(f"{k}={v}" for k, v in sorted(counter.items())))
        lines.append(f"never: {self.never()}; order rows: {[r.number for r in ORDER_TABLE]}")
        return "\n".join(lines)
