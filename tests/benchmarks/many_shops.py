"""A carrier's whole network, written past the ledger to be there soon: shops, parcels, runs.

A few parcels are written one by one, the others are copies of them at other shops. Half of all
belong to one shop of a hundred. One of seven is open, and what is open has a history; some of it is
unpublished, frozen, late or was never looked at. Runs began every quarter of an hour.
"""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import case, insert, literal, select

from carrierflow.domain.clock import now
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import START, Machine, Status
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.ledger import NEW_HEADS
from carrierflow.storage.tables import fulfillments, history, incidents, runs, shops


__all__ = ["RUNS_A_SHOP", "fill_network"]

COPIED = 10_000
"""Parcels that are written one by one."""

LARGE = 100
"""One shop of so many is large."""

OPEN, UNPUBLISHED, LATE, FROZEN, UNSEEN = 7, 30, 50, 150, 180
"""One parcel of so many is open, and of the open ones one of so many is otherwise."""

RUNS_A_SHOP = 20
QUARTER = timedelta(minutes=15)
KINDS = ("conflict", "refused", "unreadable", "stuck")
COUNTERS = {"checked": 7, "in_sync": 6, "published": 1, "get": 2, "put": 1, "throttled": 0}


def fill_network(engine, shop_count, parcel_count):
    """Write so many shops and parcels, with what happened to them until now."""
    definitions, at = Definitions([DEFAULT], clock=now), now()
    with engine.begin() as connection:
        definitions.ensure(connection)
        number = definitions.number(connection, DEFAULT.id)
        connection.execute(insert(shops), [_shop(n, at) for n in range(1, shop_count + 1)])
        some = min(parcel_count, COPIED)
        connection.execute(insert(fulfillments), [_parcel(n, shop_count, at) for n in range(some)])
        entries = [row for n in range(some) if _is_open(n) for row in _entries(n, number, at)]
        connection.execute(insert(history), entries)
        for copy in range(1, parcel_count // some):
            connection.execute(_parcels_copied(some, copy, shop_count))
            connection.execute(_entries_copied(some, copy))
        connection.execute(insert(incidents), list(_incidents(shop_count, at)))
        for turn in range(RUNS_A_SHOP):
            for part in range(10):
                connection.execute(_runs(turn, part, at))


def _shop(number, at):
    silent = number % 250 == 3
    return {
        "id": number,
        "code": f"shop-{number:05}",
        "platform": "haravan",
        "base_url": f"https://shop-{number:05}.example",
        "carrier_code": "external",
        "token": b"sealed",
        "state": "revoked" if number % 100 == 1 else "paused" if number % 33 == 2 else "active",
        "added_at": at,
        "rate_until_us": int(at.timestamp() * 1e6) + 4_000_000 * (number % 200 == 7),
        "unanswered": 3 if silent else 0,
        "retry_at": at + QUARTER if silent else None,
    }


def _is_open(number):
    return number % OPEN == 0


def _is_one_of(number, so_many):
    """Tell whether an open parcel is the one of so many."""
    return _is_open(number) and number // OPEN % so_many == so_many - 1


def _parcel(number, shop_count, at):
    opened = at - timedelta(days=3, minutes=number % 4_000)
    seen = at - timedelta(minutes=number % 300)
    if _is_one_of(number, LATE):
        seen = at - timedelta(days=2, minutes=number % 300)
    if _is_one_of(number, UNSEEN):
        seen = None
    told = 0 if _is_one_of(number, UNPUBLISHED) else 1
    return NEW_HEADS | {
        "id": number + 1,
        "shop": number % shop_count + 1,
        "order_id": str(10**9 + number),
        "fulfillment_id": str(2 * 10**9 + number),
        "cod_amount": 250_000,
        "opened_at": opened,
        "delivery_status": Status.READYTOPICK if _is_open(number) else Status.DELIVERED,
        "delivery_seq": 1,
        "delivery_since": opened,
        "delivery_confirmed": told,
        "entered_at": opened,
        "cod_status": Status.CODPENDING if _is_open(number) else Status.CODRECEIPT,
        "cod_seq": 1,
        "cod_since": opened,
        "cod_confirmed": 1,
        "unpublished": 1 - told,
        "open": _is_open(number),
        "settled_at": None if _is_open(number) else opened,
        "remote_dates": '{"created_at": "2026-03-01T08:00:00Z"}',
        "seen_at": seen,
        "verified_at": seen,
        "frozen": "conflict" if _is_one_of(number, FROZEN) else None,
    }


def _entries(number, definition, at):
    """Yield the two entries with which a parcel was opened."""
    opened = {Machine.DELIVERY: Status.READYTOPICK, Machine.COD: Status.CODPENDING}
    for machine, status in opened.items():
        yield {
            "fulfillment": number + 1,
            "machine": machine,
            "seq": 1,
            "from_status": START,
            "to_status": status,
            "definition": definition,
            "edge": definition,
            "source": "rule",
            "occurred_at": at - timedelta(minutes=number % 100),
            "recorded_at": at - timedelta(minutes=number % 100),
            "inferred": False,
            "prev_hash": "0" * 64,
            "hash": f"{number:064x}",
        }


def _parcels_copied(some, copy, shop_count):
    """Write the first parcels once more: every other time at the large shops."""
    f, large = fulfillments.c, max(1, shop_count // LARGE)
    shop = (f.id + 37 * copy) % shop_count if copy % 2 else f.id % large * LARGE
    name = f"-{copy}"
    changed = {
        "id": f.id + copy * some,
        "shop": case((shop == 0, shop_count), else_=shop),
        "order_id": f.order_id.concat(name),
        "fulfillment_id": f.fulfillment_id.concat(name),
    }
    return _copied(fulfillments, changed, f.id <= some)


def _entries_copied(some, copy):
    h = history.c
    return _copied(history, {"fulfillment": h.fulfillment + copy * some}, h.fulfillment <= some)


def _copied(table, changed, which):
    columns = [column.name for column in table.columns]
    query = select(*(changed.get(name, table.c[name]) for name in columns)).where(which)
    return insert(table).from_select(columns, query)


def _incidents(shop_count, at):
    """Yield what a person settled, and what waits for one: an incident at one shop of fifty."""
    for number in range(shop_count):
        is_open = number % 50 == 0
        yield {
            "shop": number + 1,
            "subject": "",
            "kind": KINDS[number // 50 % len(KINDS)],
            "evidence_digest": f"{number:064x}",
            "sentence": "It stands otherwise there.",
            "evidence": "{}",
            "opened_at": at - QUARTER,
            "last_seen_at": at,
            "times_seen": 1,
            "state": "open" if is_open else "resolved",
            "resolved_at": None if is_open else at,
        }


def _runs(turn, part, at):
    """Write one run of each tenth shop; of the last turn one of forty went wrong."""
    began = at - turn * QUARTER - timedelta(seconds=60 * part)
    s = shops.c
    wrong = (s.id % 40 == 0) if turn == 0 else literal(value=False)
    row = {
        "id": s.code.concat(f"-{turn}"),
        "kind": literal("reconcile"),
        "shop": s.id,
        "started_at": literal(began, runs.c.started_at.type),
        "ended_at": literal(began + timedelta(seconds=4), runs.c.ended_at.type),
        "end_reason": case((wrong, "access_denied"), else_="done"),
        "counters": literal(json.dumps(COUNTERS)),
    }
    return insert(runs).from_select([*row], select(*row.values()).where(s.id % 10 == part))
