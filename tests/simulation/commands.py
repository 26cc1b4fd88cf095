"""The commands of the simulation."""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter

from carrierflow.reconcile.decide import ORDER_TABLE, TABLE
from carrierflow.sandbox import FaultKind

from . import planted_deciding, planted_doing  # noqa: F401 - they plant
from .kills import RECOVERY, SCENARIOS, kill_everywhere
from .planted import BUGS, hunt
from .play import play, play_seed


def main(arguments=None):
    """Run one command; the exit code says whether every invariant held."""
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--seeds", default="0:100")
    run.add_argument("--keep-going", action="store_true")
    run.set_defaults(command=_run)
    replay = commands.add_parser("replay")
    replay.add_argument("seed", type=int)
    replay.set_defaults(command=_replay)
    kills = commands.add_parser("kills")
    kills.add_argument("scenario", choices=SCENARIOS)
    kills.add_argument("--twice", action="store_true", help="kill the recovery too")
    kills.set_defaults(command=_kills)
    planted = commands.add_parser("planted")
    planted.add_argument("--seeds", type=int, default=200)
    planted.add_argument("--only", default="")
    planted.set_defaults(command=_planted)
    options = parser.parse_args(arguments)
    raise SystemExit(options.command(options))


def _run(options):
    first, _, last = options.seeds.partition(":")
    began, total, broken = time.monotonic(), Total(), []
    for seed in range(int(first), int(last)):
        played = play_seed(seed)
        total.add(played)
        if (seed + 1) % 25 == 0:
            print(f"{seed + 1} seeds, {time.monotonic() - began:.0f} s", flush=True)
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


def _kills(options):
    scenario, worst, played = SCENARIOS[options.scenario], 0, 0
    labels = Counter(play(scenario).labels)
    for kill_at, result in kill_everywhere(scenario, recovery=RECOVERY if options.twice else ()):
        played += 1
        if result.broken is not None:
            worst = 1
            print(f"killed at {kill_at}: {result.broken}", flush=True)
    print(f"{played} plays; kill points: {dict(labels)}")
    return worst


def _planted(options):
    survivors = 0
    for one in BUGS:
        if options.only not in one.name:
            continue
        found = hunt(one, range(options.seeds), play_seed)
        survivors += found is None
        seed, broken = found or ("-", "survived")
        print(f"{one.name:<72} {seed!s:>4}  {str(broken)[:110]}", flush=True)
    return int(bool(survivors))


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
