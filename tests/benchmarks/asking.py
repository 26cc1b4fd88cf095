"""What an auditor waits for: questions to a long history, beside one plain pass over it."""

from __future__ import annotations

from datetime import timedelta

from databases import create
from sqlalchemy import func, select

from carrierflow.storage.tables import history
from carrierflow.wiring import build

from .measure import Spread, race, ratios
from .million import BEGIN, DAYS, fill
from .results import Budget, Figure


__all__ = ["asking"]

PLAIN = "one plain pass"
SEED = 7
ROUNDS = 5
AT = BEGIN + timedelta(days=DAYS * 0.9)
MOST_SECONDS = {"as-of": 1.0, "time-in-state": 5.0}
PROMISED = {"sqlite", "postgres"}
MOST_PASSES = {"as-of": 15, "time-in-state": 60}
"""How many plain passes a question may cost: what holds on a busy machine too."""


class Question:
    """Somebody who asks one thing, again and again."""

    def __init__(self, ask):
        self._ask = ask

    def prepare(self, _number):
        """Return what is to be timed."""
        return self._ask


def asking(kinds, size, folder):
    """Fill a ledger on each database and ask; yield figures and budgets."""
    for kind in kinds:
        with create(kind, folder) as database:
            engine = database.build()
            rows = fill(engine, size.asked, seed=SEED)
            _settle(kind, engine)
            yield from _asked(kind, engine, rows)
            engine.dispose()


def _settle(kind, engine):
    """Let the database count its rows, as it does by itself before long."""
    if kind == "postgres":
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _asked(kind, engine, rows):
    reports = build(engine=engine).reports
    contestants = {
        PLAIN: Question(lambda: _plain(engine)),
        "as-of": Question(lambda: reports.as_of(AT)),
        "cod": Question(lambda: reports.cod(AT)),
        "time-in-state": Question(reports.time_in_state),
    }
    timings = race(contestants, rounds=ROUNDS)
    bench = f"asking {rows:,} history rows"
    for who, each in timings.items():
        spread = Spread.of([timing.wall * 1000 for timing in each])
        yield Figure(bench=bench, where=kind, who=who, spread=spread, unit="ms")
    for who, most in MOST_SECONDS.items() if kind in PROMISED else ():
        spread = Spread.of([timing.wall for timing in timings[who]])
        promise = f"{who} of {rows:,} rows"
        yield Budget(promise=promise, where=kind, limit=most, spread=spread, unit="s")
        passes = ratios(timings[who], timings[PLAIN])
        yield Budget(
            promise=f"{who}, in plain passes", where=kind, limit=MOST_PASSES[who], spread=passes
        )


def _plain(engine):
    """Go over the history once, and keep two of its columns' ends."""
    h = history.c
    with engine.connect() as connection:
        query = select(func.count(), func.max(h.recorded_at), func.max(h.occurred_at))
        connection.execute(query).all()
