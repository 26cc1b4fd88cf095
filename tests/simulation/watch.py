"""The invariants that are checked whenever the platform changes or a PUT leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from .scheduler import Broken
from .side import UNAWARE


FRESH = 17.0
"""How long after the question a PUT may leave that rests on the answer: an observation is acted on
for 15 seconds, and the PUT leaves within 2 of its intent."""

PROMPT = 2.0
"""How long after its intent a PUT may leave."""

BARELY = 4.0
"""How long after a freeze a PUT may leave whose intent was written before it."""


class Watch:
    """Looks at everything that leaves and at everything that the platform does."""

    def __init__(self, scheduler, side, database, *, drift=0.0):
        self.scheduler, self.side = scheduler, side
        self.tolerance = 2 * drift + 0.01
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
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
            "WHERE f.fulfillment_id = ? AND instr(?, ' ' || a.operation || ' ') "
            "AND o.number IS NULL ORDER BY a.intent_at DESC LIMIT 1",
            put.fulfillment,
            f" {' '.join(put.told.operations)} ",
        )
        if not made:
            raise Broken("P5", f"{put.path} leaves without an intent on record")
        if (age := self._age(made[0][0])) > PROMPT + self.tolerance:
            raise Broken("P3", f"{put.path} leaves {age:.1f} s after its intent")

    def _check_reading(self, put, process):
        """P2: a PUT rests on a reading that is young."""
        told = put.told
        known = [process.readings.get(number) for number in (told.order, told.fulfillment)]
        known = [moment for moment in known if moment is not None]
        if not known:
            raise Broken("P2", f"{put.path} leaves though its sender read nothing of it")
        age = (self.scheduler.time_us - max(known)) / 1e6
        if age > FRESH + self.tolerance:
            raise Broken("P2", f"{put.path} rests on a reading that is {age:.0f} s old")

    def _check_knowledge(self, put):
        """P2: what the platform shows for so long that every reading shows it, binds a PUT.

        Nobody's word is overruled then, whoever moved the parcel, and nothing is told twice.
        """
        shown, age = self.side.forbids(put.told), self.side.age(put.fulfillment)
        if shown is None or age is None or age <= UNAWARE or put.fulfillment in self.resolved:
            return
        raise Broken("P2", f"{put.path} overrules {shown}, shown for {age:.0f} s")

    def result_of(self, put):
        """Return what is on record of the outcome of the newest write of its kind, if anything."""
        found = self.rows(
            "SELECT o.outcome FROM carrierflow_attempts a "
            "JOIN carrierflow_fulfillments f ON f.id = a.fulfillment "
            "LEFT JOIN carrierflow_outcomes o ON o.fulfillment = a.fulfillment "
            "AND o.machine = a.machine AND o.seq = a.seq AND o.number = a.number "
            "WHERE f.fulfillment_id = ? AND instr(?, ' ' || a.operation || ' ') "
            "ORDER BY a.intent_at DESC LIMIT 1",
            put.fulfillment,
            f" {' '.join(put.told.operations)} ",
        )
        return found[0][0] if found else None

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

    def history(self, fulfillment_id, machine):
        """Return the recorded statuses of one machine, oldest first."""
        rows = self.rows(
            "SELECT h.to_status FROM carrierflow_history h JOIN carrierflow_fulfillments f "
            "ON f.id = h.fulfillment WHERE f.fulfillment_id = ? AND h.machine = ? ORDER BY h.seq",
            str(fulfillment_id),
            machine,
        )
        return [status for (status,) in rows]
