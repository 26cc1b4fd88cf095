"""The commands of the simulation: run seeds, replay one, kill everywhere, hunt planted bugs."""

from __future__ import annotations

import argparse
import csv
import logging
import time
from collections import Counter
from pathlib import Path

from . import (  # noqa: F401 - they plant
    planted_answering,
    planted_deciding,
    planted_doing,
    planted_elsewhere,
    planted_reading,
)
from .kills import SCENARIOS, kill_everywhere, kill_twice
from .planted import BUGS, hunt
from .play import play_seed
from .sides import SIDES
from .total import Total


def main(arguments=None):
    """Run one command; the exit code says whether every invariant held."""
    logging.disable(logging.CRITICAL)
    options = _parser().parse_args(arguments)
    raise SystemExit(options.command(options))


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="play a range of seeds")
    run.add_argument("--seeds", default="0:200", help="first and last, the last left out")
    run.add_argument("--platform", choices=SIDES, default="haravan", help="who is played")
    run.add_argument("--keep-going", action="store_true", help="do not stop at a broken promise")
    run.add_argument("--write", type=Path, help="write the figures to this CSV file")
    run.set_defaults(command=_run)
    replay = commands.add_parser("replay", help="play one seed and print all that happens")
    replay.add_argument("seed", type=int)
    replay.add_argument("--platform", choices=SIDES, default="haravan", help="who is played")
    replay.set_defaults(command=_replay)
    kills = commands.add_parser("kills", help="kill at every point of a scenario")
    kills.add_argument("scenario", choices=SCENARIOS)
    kills.add_argument("--twice", action="store_true", help="and at every point of its recovery")
    kills.set_defaults(command=_kills)
    planted = commands.add_parser("planted", help="say which planted bugs are found")
    planted.add_argument("--seeds", type=int, default=200, help="how many seeds to try")
    planted.add_argument("--only", default="", help="a part of the name of a bug")
    planted.add_argument("--write", type=Path, help="write the table to this CSV file")
    planted.set_defaults(command=_planted)
    return parser


def _run(options):
    first, _, last = options.seeds.partition(":")
    began, total, broken = time.monotonic(), Total(options.platform), []
    for seed in range(int(first), int(last)):
        played = play_seed(seed, options.platform)
        total.add(played)
        if (seed + 1) % 25 == 0:
            print(f"{seed + 1} seeds, {time.monotonic() - began:.0f} s", flush=True)
        if played.broken is not None:
            broken.append(seed)
            print(f"seed {seed} ({played.profile}): {played.broken}", flush=True)
            if not options.keep_going:
                print("\n".join(played.lines[-40:]))
                return 1
    print(f"{total.text()}\n{time.monotonic() - began:.1f} s; broken: {broken}")
    if options.write:
        _write(options.write, ("what", options.seeds), total.figures.items())
    return int(bool(broken))


def _replay(options):
    played = play_seed(options.seed, options.platform, keep_lines=True)
    print("\n".join(played.lines))
    print(played.digest)
    return int(played.broken is not None)


def _kills(options):
    scenario, labels, plays, worst = SCENARIOS[options.scenario], Counter(), 0, 0
    everywhere = kill_twice(scenario) if options.twice else kill_everywhere(scenario)
    for kill_at, played in everywhere:
        plays += 1
        labels.update(each for each in played.met if each.startswith("kill "))
        if played.broken is not None:
            worst = 1
            print(f"killed at {kill_at}: {played.broken}", flush=True)
    print(f"{plays} plays; {dict(labels)}")
    return worst


def _planted(options):
    rows = []
    for one in BUGS:
        if options.only not in one.name:
            continue
        found = hunt(one, range(options.seeds), play_seed)
        seed, broken = (str(found[0]), found[1]) if found else ("", None)
        rows.append((one.name, one.platform, seed, broken.promise if broken else "survived"))
        print(f"{one.name:<80} {seed or '-':>4}  {str(broken)[:110]}", flush=True)
    if options.write:
        _write(options.write, ("bug", "platform", "seed", "promise"), rows)
    return int(any(not seed for _, _, seed, _ in rows))


def _write(path, head, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
