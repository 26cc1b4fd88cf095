"""What an engineer would write for the ledger's tables alone: SQLAlchemy Core and dictionaries.

The same reads, the same rows, the same hashes, under the same constraints and triggers, in the
same transactions. It knows one lifecycle, the cash of a delivery and the order of a file; it
does not judge late or refused events, keys used again, corrections or gaps. What it opens is there
once it is there: it does not wait for somebody who opens the same parcel.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import bindparam, insert, select, update

from carrierflow.domain.clock import now
from carrierflow.domain.fulfillment import GENESIS
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import Machine
from carrierflow.storage.tables import definitions, evidence, fulfillments, history, shops, terms


__all__ = ["HandWritten"]

LEGAL = {
    (str(machine.machine), str(edge.from_status), str(edge.to_status))
    for machine in DEFAULT.machines
    for edge in machine.edges
}

f, h = fulfillments.c, history.c

READ_HEADS = (
    select(fulfillments)
    .where(
        f.shop == select(shops.c.id).where(shops.c.code == bindparam("code")).scalar_subquery(),
        f.fulfillment_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(f.id)
    .with_for_update(of=fulfillments)
)
READ_EVIDENCE = select(evidence).where(
    evidence.c.fulfillment.in_(bindparam("ids", expanding=True)), evidence.c.kind == "event"
)
READ_HISTORY = select(
    h.fulfillment, h.machine, h.seq, h.to_status, h.event_key, h.occurred_at, h.inferred, h.source
).where(h.fulfillment.in_(bindparam("ids", expanding=True)))
HEAD = (
    "version",
    "delivery_status",
    "delivery_seq",
    "entered_at",
    "delivery_since",
    "delivery_hash",
    "delivery_confirmed",
    "cod_status",
    "cod_seq",
    "cod_since",
    "cod_hash",
    "cod_confirmed",
    "held",
    "unpublished",
    "open",
    "settled_at",
)
WRITE_HEAD = (
    update(fulfillments)
    .where(f.id == bindparam("this"), f.version == bindparam("read"))
    .values({name: bindparam(f"new_{name}") for name in HEAD})
)
WRITE_HISTORY = insert(history)
READ_SHOP = select(shops.c.id, shops.c.carrier_code).where(shops.c.code == bindparam("code"))
OPEN, AGREE = insert(fulfillments), insert(terms).inline()


class HandWritten:
    """One shop's ledger without a library, for scans of known parcels."""

    def __init__(self, engine, shop):
        self._engine, self._shop = engine, shop
        with engine.connect() as connection:
            self._definition = connection.execute(
                select(definitions.c.number).where(definitions.c.id == DEFAULT.id)
            ).scalar_one()

    def record(self, events):
        """Record some scans, each of another parcel, in one transaction."""
        ids = [event.fulfillment_id for event in events]
        with self._engine.begin() as connection:
            parameters = {"code": self._shop, "ids": ids}
            found = {row.fulfillment_id: row for row in connection.execute(READ_HEADS, parameters)}
            keys = self._keys(connection, [row.id for row in found.values()])
            heads, entries = [], []
            for event in events:
                row = found[event.fulfillment_id]
                if (row.id, event.key) in keys:
                    continue
                entry = self._entry(row, event)
                entries.append(entry)
                heads.append(_head(row, entry))
            if connection.execute(WRITE_HEAD, heads).rowcount != len(heads):
                raise RuntimeError("somebody else changed a parcel")
            connection.execute(WRITE_HISTORY, entries)

    def open(self, connection, opening):
        """Begin a parcel that is not there yet, in the transaction of somebody else."""
        ref, moment = opening.ref, now()
        asked = {"code": ref.shop, "ids": [ref.fulfillment_id]}
        if connection.execute(READ_HEADS, asked).first() is not None:
            return
        shop = connection.execute(READ_SHOP, {"code": ref.shop}).one()
        begun = {
            Machine.DELIVERY: "readytopick",
            Machine.COD: "codpending" if opening.cod_amount else "none",
        }
        entries = [self._begun(ref, str(machine), to, moment) for machine, to in begun.items()]
        head = _opened(shop.id, opening, entries, moment)
        (number,) = connection.execute(OPEN, head).inserted_primary_key
        agreed = {
            "fulfillment": number,
            "number": 0,
            "tracking_number": opening.tracking_number,
            "cod_amount": opening.cod_amount or 0,
            "carrier_code": shop.carrier_code,
            "source": "rule",
            "actor": None,
            "reason": None,
            "recorded_at": moment,
        }
        connection.execute(AGREE, agreed)
        connection.execute(WRITE_HISTORY, [entry | {"fulfillment": number} for entry in entries])

    def _begun(self, ref, machine, status, moment):
        entry = self._step("start", status, now=moment) | {"machine": machine}
        return entry | {"hash": _hash(entry, ref.shop, ref)}

    def _keys(self, connection, ids):
        kept = connection.execute(READ_EVIDENCE, {"ids": ids}).all()
        past = connection.execute(READ_HISTORY, {"ids": ids}).all()
        return {(row.fulfillment, row.event_key) for row in (*kept, *past)}

    def _entry(self, row, event):
        if ("delivery", row.delivery_status, event.status) not in LEGAL:
            raise ValueError("no such step")
        step = self._step(row.delivery_status, str(event.status), now=now())
        entry = step | {
            "fulfillment": row.id,
            "seq": row.delivery_seq + 1,
            "prev_seq": row.delivery_seq,
            "source": "carrier",
            "actor": event.actor,
            "event_key": event.key,
            "occurred_at": event.occurred_at,
            "prev_hash": row.delivery_hash,
        }
        return entry | {"hash": _hash(entry, event.shop, row)}

    def _step(self, start, end, *, now):
        """Return a delivery's first entry, made by rule, which others say more in."""
        return {
            "machine": "delivery",
            "seq": 1,
            "prev_seq": None,
            "from_status": start,
            "to_status": end,
            "definition": self._definition,
            "edge": self._definition,
            "source": "rule",
            "actor": None,
            "reason": None,
            "event_key": None,
            "occurred_at": now,
            "recorded_at": now,
            "inferred": False,
            "cause": None,
            "amends": None,
            "note_digest": None,
            "prev_hash": GENESIS,
        }


def _hash(entry, shop, parcel):
    said = {
        "actor": entry["actor"],
        "amends": None,
        "cause": None,
        "definition": DEFAULT.id,
        "from": entry["from_status"],
        "fulfillment_id": parcel.fulfillment_id,
        "inferred": False,
        "key": entry["event_key"],
        "machine": entry["machine"],
        "note_digest": None,
        "occurred_at": _stamp(entry["occurred_at"]),
        "order_id": parcel.order_id,
        "prev": entry["prev_hash"],
        "reason": None,
        "recorded_at": _stamp(entry["recorded_at"]),
        "seq": str(entry["seq"]),
        "shop": shop,
        "source": entry["source"],
        "to": entry["to_status"],
        "v": "1",
    }
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _stamp(moment):
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _opened(shop, opening, entries, moment):
    delivery, cod = entries
    return {
        "shop": shop,
        "order_id": opening.ref.order_id,
        "fulfillment_id": opening.ref.fulfillment_id,
        "tracking_number": opening.tracking_number,
        "cod_amount": opening.cod_amount or 0,
        "opened_at": moment,
        "version": 1,
        "entered_at": moment,
        "delivery_status": delivery["to_status"],
        "delivery_seq": 1,
        "delivery_hash": delivery["hash"],
        "delivery_confirmed": 0,
        "cod_status": cod["to_status"],
        "cod_seq": 1,
        "cod_hash": cod["hash"],
        "cod_confirmed": 0,
        "held": 0,
        "unpublished": 2,
        "open": True,
        "missing": 0,
    }


def _head(row, entry):
    return {
        "this": row.id,
        "read": row.version,
        "new_version": row.version + 1,
        "new_delivery_status": entry["to_status"],
        "new_delivery_seq": entry["seq"],
        "new_entered_at": entry["occurred_at"],
        "new_delivery_since": entry["occurred_at"],
        "new_delivery_hash": entry["hash"],
        "new_delivery_confirmed": row.delivery_confirmed,
        "new_cod_status": row.cod_status,
        "new_cod_seq": row.cod_seq,
        "new_cod_since": row.cod_since,
        "new_cod_hash": row.cod_hash,
        "new_cod_confirmed": row.cod_confirmed,
        "new_held": row.held,
        "new_unpublished": row.unpublished + 1,
        "new_open": True,
        "new_settled_at": None,
    }
