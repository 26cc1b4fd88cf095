"""How a run ended is kept where nobody changes it."""

from __future__ import annotations

from plain_runs import begin, end
from sqlalchemy import select

from carrierflow.storage.tables import run_ends, runs


def test_the_first_end_of_a_run_stands(store, shop, clock):
    """A run ends once: its row and what is kept of it say the same, whatever is said later."""
    began = clock()
    begin(store, "r1", shop, now=began)
    clock.advance(minutes=1)
    ended = clock()
    end(store, "r1", shop, counters={"put": 3}, now=ended, sentence="x" * 2_000)
    clock.advance(minutes=1)
    end(store, "r1", shop, reason="failed", now=clock())
    end(store, "never began", shop, reason="failed", now=clock())

    names = ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence")
    with store.reading() as connection:
        row = connection.execute(select(*(runs.c[n] for n in names)).where(runs.c.id == "r1")).one()
        found = connection.execute(
            select(*(run_ends.c[n] for n in names), run_ends.c.recorded_at).where(
                run_ends.c.run.in_(["r1", "never began"])
            )
        ).all()
    assert [(*row, ended)] == [tuple(each) for each in found]
    assert ("reconcile", began, ended, "done", '{"put": 3}') == (row[0], *row[2:6])
