"""A carrier's shops behind Celery, on a bad network, with kills and a restart of the broker."""

from __future__ import annotations

from itertools import chain

import pytest
from crashes.busy_carrier import busy, quick_faults
from databases import create
from rabbitmq import broker_to_oneself, restart

from .engines import running, until


pytestmark = [pytest.mark.slow, pytest.mark.servers, pytest.mark.broker]

SHOPS, PARCELS, THREADS, LONG = 200, 2, 8, 240


@pytest.mark.parametrize("kind", ["postgres"])
def test_each_step_is_told_once(kind, tmp_path):
    """Two hundred shops: as many writes have an effect as steps were recorded, each a legal one.

    A write that is repeated is one whose outcome nobody knew: its reply was lost, or its worker.
    """
    codes = [f"shop-{number:03}" for number in range(SHOPS)]
    with (
        broker_to_oneself(),
        create(kind, tmp_path) as database,
        busy(database.url, faults=quick_faults(7), shops=codes, lease_seconds=3) as real,
        running("celery-threads", database.url, tmp_path, threads=THREADS, hold=6) as engine,
    ):
        events = [real.happenings(code, PARCELS, seed=seed) for seed, code in enumerate(codes)]
        real.record_all(list(chain.from_iterable(events)))
        ours = {k: v for k, v in real.environment.items() if k.startswith("CARRIERFLOW_")}
        engine.environment |= ours
        doomed = [engine.start_worker(), engine.start_worker()]
        engine.start_dispatcher()
        for share, harm in ((0.8, restart), (0.6, None), (0.3, None)):
            until(lambda share=share: real.unpublished <= share * real.all_due, seconds=LONG)
            if harm is not None:
                harm()
            elif doomed:
                engine.kill(doomed.pop())
                engine.start_worker()

        def whole():
            apart = {ref.shop for ref in real.apart()}
            for code in apart:
                real.app.wake(code)  # else shops whose host failed them wait for minutes
            return not apart

        until(whole, seconds=LONG, every=2, what="agreement")
        engine.end()

        judged, unknown = real.judgement(), len(real.judged().ambiguous)
        assert real.all_due == judged.applied
        assert () == judged.illegal
        assert len(judged.repeated) <= unknown + 2 * THREADS
        assert {"unknown_here"} >= {incident.kind for incident in real.app.incidents.all()}
        assert real.app.verify().ok
