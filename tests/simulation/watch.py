"""The invariants that are checked whenever the platform changes or a PUT leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.sandbox.haravan import TouchSource
from carrierflow.sandbox.haravan.recorder import PutResult, ReceivedPut

from .scheduler import Broken


LEGAL = {
    machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
    for machine in DEFAULT.machines
}

OURS = {TouchSource.LIFT, TouchSource.POLL}
"""Moves that nobody else made: the platform's own, and what it took from our answers."""

FINAL = {"delivered", "return", "cancel"}

TICKS = 10_000_000

UNAWARE = 36.0
"""How long after somebody's move a PUT may leave that knows nothing of it: an observation of 15
seconds, 15 of them stale, a send deadline of 2, and what clocks differ."""

FRESH = 17.0
"""How long after the question a PUT may leave that rests on the answer: an observation is acted on
for 15 seconds, and the PUT leaves within 2 of its intent."""

PROMPT = 2.0
"""How long after its intent a PUT may leave."""

BARELY = 4.0
"""How long after a freeze a PUT may leave whose intent was written before it."""


def _as_put(touch):
    """Return what the platform took from our answer, as if we had told it."""
    names = ("at", "ref", "machine", "from_status", "to_status")
    told = {name: getattr(touch, name) for name in names}
    return ReceivedPut(**told, result=PutResult.APPLIED)


class Watch:
    """Looks at everything that leaves and at everything that the platform does."""

    def __init__(self, scheduler, world, database, *, drift=0.0):
        self.scheduler, self.world = scheduler, world
        self.tolerance = 2 * drift + 0.01
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self._seen = self._touches = 0
        self._changed_at = {}
        self._applied = {}
        self.shop = "alpha"
        self.on_applied = lambda _put: None
        self.resolved = set()
        """Fulfillments about which a person decided: their road is no longer the recorded one."""
        self.adopted = set()
        """Those of which a person took for true what the platform was last seen to show."""

    def close(self):
        """Close the database."""
        self._connection.close()

    def rows(self, query, *values):
        """Ask the database, past all production code."""
        with closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def put_departs(self, put, process):
        """Check everything that must hold of a PUT when its first byte leaves."""
        self._check_frozen(put)
        self._check_intent(put)
        self._check_reading(put, process)
        self._check_knowledge(put)

    def _check_intent(self, put):
        """P3 and P5: each PUT has an intent of its own on record, and leaves soon after it."""
        made = self.rows(
            "SELECT a.intent_at FROM carrierflow_attempts a "
            "JOIN carrierflow_fulfillments f ON f.id = a.fulfillment "
            "LEFT JOIN carrierflow_outcomes o ON o.fulfillment = a.fulfillment "
            "AND o.machine = a.machine AND o.seq = a.seq AND o.number = a.number "
            "WHERE f.fulfillment_id = ? AND a.status = ? AND o.number IS NULL "
            "ORDER BY a.intent_at DESC LIMIT 1",
            put.fulfillment,
            put.status.code,
        )
        if not made:
            raise Broken("P5", f"{put.path} leaves without an intent on record")
        if (age := self._age(made[0][0])) > PROMPT + self.tolerance:
            raise Broken("P3", f"{put.path} leaves {age:.1f} s after its intent")

    def _check_reading(self, put, process):
        """P2: a PUT rests on a reading that is young."""
        known = [process.readings[n] for n in (put.order, put.fulfillment) if n in process.readings]
        if not known:
            raise Broken("P2", f"{put.path} leaves though its sender read nothing of it")
        age = (self.scheduler.time_us - max(known)) / 1e6
        if age > FRESH + self.tolerance:
            raise Broken("P2", f"{put.path} rests on a reading that is {age:.0f} s old")

    def _check_knowledge(self, put):
        """P2: what the platform shows for so long that every reading shows it, binds a PUT.

        Nobody's word is overruled then, whoever moved the parcel, and nothing is told twice.
        """
        self._catch_up()
        changed_at = self._changed_at.get(int(put.fulfillment))
        age = None if changed_at is None else (self.world.now() - changed_at) / TICKS
        if age is None or age <= UNAWARE or put.fulfillment in self.resolved:
            return
        parcel = self.world.shop(self.shop).parcel(int(put.order), int(put.fulfillment))
        shown = parcel.cod_status if put.status.machine == "cod" else parcel.carrier_status
        is_cancel = put.status.code == "cancel" and shown not in FINAL
        if (shown, put.status.code) not in LEGAL[put.status.machine] and not is_cancel:
            raise Broken("P2", f"{put.path} overrules {shown}, shown for {age:.0f} s")

    def _catch_up(self):
        """Note when each parcel was last moved, by whomever; return the moves that were new."""
        new = self.world.recorder.touches[self._touches :]
        self._touches += len(new)
        for touch in new:
            self._changed_at[touch.ref.fulfillment_id] = touch.at
        return new

    def platform_changed(self):
        """P2: no illegal step, none out of order, on parcels that nobody else touched."""
        polled = [_as_put(touch) for touch in self._catch_up() if touch.source is TouchSource.POLL]
        puts = self.world.recorder.puts[self._seen :]
        self._seen += len(puts)
        for put in (*puts, *polled):
            if put.result is PutResult.APPLIED:
                self._changed_at[put.ref.fulfillment_id] = put.at
                self.on_applied(put)
            self.scheduler.tell(f"  platform {put.from_status}→{put.to_status} {put.result}")
            if put.ref not in self._touched() and str(put.ref.fulfillment_id) not in self.resolved:
                self._check_put(put)

    def _touched(self):
        return {t.ref for t in self.world.recorder.touches if t.source not in OURS}

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
