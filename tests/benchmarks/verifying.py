"""How fast the whole history is replayed: every hash, every link, every step, every head."""

from __future__ import annotations

from contextlib import ExitStack

from databases import create

from .journeys import ROWS_PER_JOURNEY, journeys
from .measure import rates, timed
from .recording import OURS, Field
from .results import Budget, Figure


__all__ = ["verifying"]

LEAST_ROWS = 100_000


def verifying(kinds, size, folder):
    """Verify a history on each database; yield figures and budgets."""
    for kind in kinds:
        with ExitStack() as stack:
            field = Field(kind, stack.enter_context(create(kind, folder)), stack)
            field.record(journeys(0, size.verified))
            verify = Verifier(field.app, size.verified * ROWS_PER_JOURNEY)
            timings = [timed(verify, elsewhere=field.server) for _ in range(size.looks)]
            spread = rates(timings, verify.rows)
        bench, unit = "verifying", "rows/s"
        yield Figure(bench=bench, where=kind, who=OURS, spread=spread, unit=unit)
        yield Budget(
            promise="rows verified in a second",
            where=kind,
            limit=LEAST_ROWS,
            spread=spread,
            unit=unit,
            at_least=True,
        )


class Verifier:
    """Replays the history, and makes sure that it was all of it."""

    def __init__(self, app, rows):
        self._app, self.rows = app, rows

    def __call__(self):
        """Verify once."""
        found = self._app.verify()
        if not found.ok or found.rows != self.rows:
            raise RuntimeError(f"{found.rows} rows, {found.problems}")
