"""Playing one scenario to its end and judging it; what comes out is a `Played`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .actors import run_once, start_all
from .audit import audit, nothing_to_poll, verified_in_time
from .scenario import traits
from .scheduler import Broken
from .side import PAUSE, SETTLE
from .sides import SIDES
from .stage import staged


SETTLE_WINDOW = SETTLE + 20.0
"""Δ after the latest moment at which an attempt without a result can have ended."""

RUNS_A_SPAN = 24
"""How many runs cron makes within the span in which every open parcel is looked at."""


@dataclass
class Played:
    """What became of one seed."""

    seed: int
    profile: str
    broken: Broken | None = None
    digest: str = ""
    lines: list = field(default_factory=list)
    labels: list = field(default_factory=list)
    left_behind: tuple = ()
    """What the first kill left in the database and on the platform."""
    recovered: int = 0
    """At which point the first run after the first kill had ended."""
    seconds: float = 0.0
    puts: int = 0
    gets: int = 0
    ambiguous: int = 0
    duplicates: int = 0
    kills: int = 0
    points: int = 0
    incidents: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    rows: Counter = field(default_factory=Counter)
    verdicts: Counter = field(default_factory=Counter)
    met: Counter = field(default_factory=Counter)


def play_seed(seed, platform="haravan", **options):
    """Play the scenario of a seed."""
    return play(SIDES[platform].draw(seed), **options)


def play(scenario, *, kill_at=(), keep_lines=False):
    """Play a scenario and return what became of it; a broken invariant is kept, not raised."""
    played = Played(seed=scenario.seed, profile=scenario.profile)
    with staged(scenario, kill_at=kill_at, keep_lines=keep_lines) as stage:
        try:
            _live(stage)
            _rest(stage)
            audit(stage)
            nothing_to_poll(stage)
            if not kill_at:
                _watch_for_a_day(stage)
        except Broken as broken:
            played.broken = broken
            stage.scheduler.tell(f"BROKEN {broken}")
        _take_stock(stage, played)
    return played


def _live(stage):
    start_all(stage)
    stage.scheduler.run(until=lambda: _is_over(stage))


def _is_over(stage):
    scanning = any(p.name.startswith("scanner") for p in stage.scheduler.processes)
    return stage.scheduler.time_us / 1e6 > stage.scenario.horizon and not scanning


def _rest(stage):
    """End all faults, let everything settle that is under way, then two runs and one window."""
    stage.calm_down()
    stage.scheduler.run()
    _pass(stage, max(stage.scenario.lease, PAUSE))
    for number in range(2 if stage.scenario.lifts else 3):
        run_once(stage, f"rest.{number}", full=stage.side.rests_in_full, mortal=False)
        stage.scheduler.run()
        _pass(stage, SETTLE_WINDOW)


def _watch_for_a_day(stage):
    """P8: let cron run on for longer than the verification span; the last run makes the bound."""
    within = stage.side.verify_within
    interval = within / RUNS_A_SPAN
    for number, seconds in enumerate((within - interval, 2 * interval)):
        _pass(stage, seconds)
        run_once(stage, f"day.{number}", mortal=False)
        stage.scheduler.run()
    verified_in_time(stage, within)


def _pass(stage, seconds):
    stage.scheduler.at(seconds, lambda: None)
    stage.scheduler.run()


def _take_stock(stage, played):
    scheduler, judged = stage.scheduler, stage.judged()
    played.digest, played.lines, played.labels = scheduler.digest, scheduler.lines, scheduler.labels
    played.seconds, played.kills = scheduler.time_us / 1e6, scheduler.kills
    played.left_behind, played.recovered = stage.left_behind, stage.recovered
    played.points, played.met = scheduler.points, Counter(scheduler.met)
    (played.puts, _), played.gets = stage.side.received, judged.gets
    played.duplicates = len(judged.duplicates)
    played.ambiguous = sum(
        put.state not in {"recorded", "not_applied"} for put in stage.network.sent
    )
    if played.broken is None:
        played.incidents = Counter(i.kind for i in stage.app.incidents.all(state=None))
    played.faults = Counter({str(kind): n for kind, n in stage.faults.given.items()})
    played.rows = Counter(stage.rows)
    played.verdicts = Counter(str(getattr(a, "verdict", a)) for _, a in stage.answers)
    played.met.update(traits(stage.scenario))
