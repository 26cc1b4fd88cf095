"""What an auditor waits for: questions to a long history, and its replay from end to end.

Here the clock on the wall counts: a server reads while we check.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from databases import create
from sqlalchemy import func, select

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.audit.log.keys import SealKey
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import history

from .measure import Spread, peak_memory, race, ratios, timed
from .million import BEGIN, DAYS, fill
from .results import Budget, Figure
from .servers import settle


__all__ = ["auditing"]

PLAIN = "one plain pass"
SEED = 7
ROUNDS = 5
AT = BEGIN + timedelta(days=DAYS * 0.9)
MOST_SECONDS = {"as-of": 1.0, "time-in-state": 5.0}
PROMISED = {"sqlite", "postgres"}
"""Where a question's time is promised; elsewhere the history is a tenth as long."""

MOST_PASSES = {"as-of": 15, "time-in-state": 60}
"""How many plain passes a question may cost: what holds on a busy machine too."""

LEAST_ROWS = 100_000
LEAST_GAIN = 1.5
"""How many times as fast two processes are, where two processors are free."""

MOST_MEMORY = 1.2
SMALLER = 10
"""How many times as long the history is as the one whose memory is the measure."""


def auditing(kinds, size, folder):
    """Ask, verify, seal, and verify again, on each database; yield figures and budgets."""
    for kind in kinds:
        rows = size.asked if kind in PROMISED else size.asked // SMALLER
        with _audited(kind, folder, rows // SMALLER) as ledger:
            ledger.seal()
            least = ledger.peak_memory()
        with _audited(kind, folder, rows) as ledger:
            yield from ledger.questions()
            yield from ledger.replay("verified", size.looks)
            ledger.seal()
            yield from ledger.replay("verified, all of them sealed", size.looks)
            yield from ledger.side_by_side(size.looks)
            yield from ledger.memory(least)


@contextmanager
def _audited(kind, folder, rows):
    with create(kind, folder) as database:
        engine = database.build()
        try:
            yield Audited(kind, engine, database.url, Path(folder) / "seal.key", rows)
        finally:
            engine.dispose()


class Question:
    """Somebody who asks one thing, again and again."""

    def __init__(self, ask):
        self._ask = ask

    def prepare(self, _number):
        """Return what is to be timed."""
        return self._ask


class Audited:
    """A ledger with a history of so many rows."""

    def __init__(self, kind, engine, url, key_file, rows):
        self._kind, self._engine = kind, engine
        self._rows = fill(engine, rows, seed=SEED)
        settle(engine)
        if not key_file.exists():
            SealKey.generate("history.example").save(key_file)
        key = generate_key()
        settings = Settings(database_url=url, secret_key=key, seal_key_file=key_file)
        self._app = build(settings, engine=engine)
        self._entries = 0
        """Entries of all kinds that the last replay found."""

    def questions(self):
        """Ask each question, beside one plain pass over the history."""
        reports = self._app.reports
        contestants = {
            PLAIN: Question(lambda: _plain(self._engine)),
            "as-of": Question(lambda: reports.as_of(AT)),
            "cod": Question(lambda: reports.cod(AT)),
            "time-in-state": Question(reports.time_in_state),
        }
        timings = race(contestants, rounds=ROUNDS)
        for who, each in timings.items():
            yield self._figure(who, Spread.of([timing.wall * 1000 for timing in each]), "ms")
        for who, most in MOST_SECONDS.items() if self._kind in PROMISED else ():
            spread = Spread.of([timing.wall for timing in timings[who]])
            yield self._budget(f"{who} of {self._rows:,} rows", most, spread, unit="s")
            passes = ratios(timings[who], timings[PLAIN])
            yield self._budget(f"{who}, in plain passes", MOST_PASSES[who], passes)

    def seal(self):
        """Give every entry its place in the log."""
        self._app.sealer.seal()
        settle(self._engine)

    def replay(self, how, looks):
        """Verify the whole history some times."""
        timings = [timed(self._verify) for _ in range(looks)]
        spread = Spread.of([self._entries / timing.wall for timing in timings])
        unit = "entries/s"
        yield self._figure(f"entries {how}", spread, unit)
        promise = f"entries {how}, in a second"
        yield self._budget(promise, LEAST_ROWS, spread, unit=unit, at_least=True)

    def side_by_side(self, looks):
        """Verify by one process and by two in turn: how many times as fast are two."""
        contestants = {
            "one process": Question(self._verify),
            "two processes": Question(lambda: self._verify(processes=2)),
        }
        one, two = race(contestants, rounds=looks).values()
        gain = Spread.of([a.wall / b.wall for a, b in zip(one, two, strict=True)])
        promise = "verified by two processes, times as fast as by one"
        yield self._budget(promise, LEAST_GAIN, gain, at_least=True)

    def memory(self, least):
        """Compare the memory of a replay with that of a history a tenth as long."""
        peak = self.peak_memory()
        yield self._figure("peak memory", Spread.of([peak / 2**20]), "MiB")
        promise = f"peak memory of a replay, against {self._rows // SMALLER:,} rows"
        yield self._budget(promise, MOST_MEMORY, Spread.of([peak / least]))

    def peak_memory(self):
        """Return the most bytes that Python held at once for a replay."""
        return peak_memory(self._verify)

    def _verify(self, *, processes=1):
        found = self._app.verify(processes=processes)
        if not found.ok or found.rows != self._rows:
            raise RuntimeError(f"{found.rows} rows, {found.problems}")
        self._entries = sum(found.kinds.values())

    def _figure(self, who, spread, unit):
        bench = f"auditing {self._rows:,} history rows"
        return Figure(bench=bench, where=self._kind, who=who, spread=spread, unit=unit)

    def _budget(self, promise, limit, spread, **more):
        return Budget(promise=promise, where=self._kind, limit=limit, spread=spread, **more)


def _plain(engine):
    """Go over the history once, and keep two of its columns' ends."""
    h = history.c
    with engine.connect() as connection:
        query = select(func.count(), func.max(h.recorded_at), func.max(h.occurred_at))
        connection.execute(query).all()
