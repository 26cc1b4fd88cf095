"""Runs that do nothing but begin and end, and hold their shop meanwhile."""

from __future__ import annotations

import uuid
from datetime import timedelta

from carrierflow.reconcile.ports import Hold, Rest
from carrierflow.storage.reconcile import SqlReconcileStore


NO_TIME = timedelta(0)


def begin(store, run, shop, *, now, span=NO_TIME, **how):
    """Write that a run began; without a span it holds nobody up."""
    runs = SqlReconcileStore(store)
    return runs.begin_run(run, shop, kind="reconcile", span=span, now=now, **how)


def end(store, run, shop, *, now, reason="done", counters=None, sentence=None, hold=None, **rest):
    """Write how a run ended; its shop wants the next one at once."""
    SqlReconcileStore(store).end_run(
        run,
        reason=reason,
        counters=counters or {},
        now=now,
        sentence=sentence,
        hold=hold or Hold(shop=store.shop(shop), fence=-1, ahead=NO_TIME),
        rest=Rest(**{"next_due": now} | rest),
    )


class Leases:
    """What one process does with the leases of shops."""

    def __init__(self, store):
        self.store = store
        self.runs = SqlReconcileStore(store)
        self._clock = store._clock

    def claim(self, shop, owner, span, **how):
        """Begin a run at a shop, and return its hold on it."""
        run = f"{owner}-{uuid.uuid4().hex[:8]}"
        return begin(self.store, run, shop.code, now=self._clock(), span=span, **how)

    def renew(self, hold, span):
        """Hold on to a shop."""
        return self.runs.renew(hold, span)

    def release(self, hold, **rest):
        """End a run as it should end."""
        end(self.store, "?", hold.shop.code, now=self._clock(), hold=hold, **rest)


def hints(store, shop):
    """Return what webhooks named at a shop, and no run has followed."""
    now = store._clock()
    agenda = SqlReconcileStore(store).agenda(store.shop(shop), verified_before=now, now=now)
    return agenda.hints
