"""The invariants that are checked whenever the platform changes or a PUT leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from carrierflow.lifecycle import DEFAULT
from carrierflow.sandbox import Source
from carrierflow.sandbox.judge import PutResult

from .scheduler import Broken


LEGAL = {
    machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
    for machine in DEFAULT.machines
}

TICKS = 10_000_000

UNAWARE = 36.0
"""How long after somebody's move a PUT may leave that knows nothing of it: an observation of 15
seconds, 15 of them stale, a send deadline of 2, and what clocks differ."""

BARELY = 4.0
"""How long after a freeze a PUT may leave whose intent was written before it."""


class Watch:
    """Looks at everything that leaves and at everything that the platform does."""

    def __init__(self, scheduler, world, database):
        self.scheduler, self.world = scheduler, world
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self._seen = 0
        self._applied = {}
        self.resolved = set()
        """Fulfillments about which a person decided: their road is no longer the recorded one."""

    def close(self):
        """Close the database."""
        self._connection.close()

    def rows(self, query, *values):
        """Ask the database, past all production code."""
        with closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def put_departs(self, put):
        """P7 and P2: no PUT for a frozen fulfillment, none after a cancel that was to be seen."""
        self._check_frozen(put)
        touches = [
            t
            for t in self.world.judge.touches
            if str(t.ref.fulfillment_id) == put.fulfillment
            and t.machine == "delivery"
            and t.source is not Source.LIFT
        ]
        if not touches:
            return
        last = touches[-1]
        age = (self.world.now() - last.at) / TICKS
        if last.to_status == "cancel" and age > UNAWARE:
            raise Broken("P2", f"{put.path} leaves {age:.0f} s after the platform cancelled it")

    def platform_changed(self):
        """P2: no illegal step, none out of order, on parcels that nobody else touched."""
        puts = self.world.judge.puts
        while self._seen < len(puts):
            put = puts[self._seen]
            self._seen += 1
            self.scheduler.tell(f"  platform {put.from_status}→{put.to_status} {put.result}")
            if put.ref not in self._touched() and str(put.ref.fulfillment_id) not in self.resolved:
                self._check_put(put)

    def _touched(self):
        return {t.ref for t in self.world.judge.touches if t.source is not Source.LIFT}

    def _check_frozen(self, put):
        found = self.rows(
            "SELECT f.frozen, max(i.last_seen_at) FROM carrierflow_fulfillments f "
            "LEFT JOIN carrierflow_incidents i ON i.fulfillment = f.id "
            "WHERE f.fulfillment_id = ? GROUP BY f.id",
            put.fulfillment,
        )
        for frozen, since in found:
            if frozen and self._age(since) > BARELY:
                raise Broken("P7", f"{put.path} leaves though it is frozen: {frozen}")

    def _age(self, stored):
        if stored is None:
            return 0.0
        moment = datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)
        return (self.scheduler.now() - moment).total_seconds()

    def _check_put(self, put):
        if put.after_cancel:
            raise Broken("P2", f"PUT {put.to_status} after our own cancel of {put.ref}")
        if put.result is not PutResult.APPLIED:
            return
        machine = put.machine.value
        if (put.from_status, put.to_status) not in LEGAL[machine]:
            raise Broken("P2", f"illegal {put.from_status}→{put.to_status} on {put.ref}")
        road = self._applied.setdefault((put.ref, machine), [])
        road.append(put.to_status)
        recorded = self.history(put.ref.fulfillment_id, machine)[1:]
        if machine == "delivery" and recorded[: len(road)] != road:
            raise Broken("P2", f"out of order on {put.ref}: {road} of {recorded}")
        if machine == "cod":
            shown = self.world.shop(put.ref.shop).parcel(put.ref.order_id, put.ref.fulfillment_id)
            if put.to_status not in recorded or shown.carrier_status != "delivered":
                raise Broken("P2", f"{put.to_status} on a parcel that is {shown.carrier_status}")

    def history(self, fulfillment_id, machine):
        """Return the recorded statuses of one machine, oldest first."""
        rows = self.rows(
            "SELECT h.to_status FROM carrierflow_history h JOIN carrierflow_fulfillments f "
            "ON f.id = h.fulfillment WHERE f.fulfillment_id = ? AND h.machine = ? ORDER BY h.seq",
            str(fulfillment_id),
            machine,
        )
        return [status for (status,) in rows]
