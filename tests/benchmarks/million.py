"""A ledger of as many history rows as are asked for, written past the ledger to be there soon.

The rows are such as the ledger would have written: every chain begins, continues and hashes as
it must, each parcel has the terms that it was opened with, and each step that the carrier told
was told to the platform once, answered, and seen there, by a run that is still at work.
`carrierflow audit verify` finds nothing wrong with them. Pure up to `fill`: the same seed gives
the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Engine, insert

from carrierflow.domain.canonical import entry_hash
from carrierflow.domain.fulfillment import Fulfillment, MachineHead
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import FulfillmentRef, HistoryEntry, Machine, Source, Status
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.rows import entry_row, head_values
from carrierflow.storage.shops import add_shop
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    history,
    observations,
    outcomes,
    runs,
    terms,
)


__all__ = ["BEGIN", "DAYS", "fill", "parcels"]

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 365
SHOPS = 20
BATCH = 2_000
CASH_SHARE = 0.8
A_SECOND = timedelta(seconds=1)

ROADS = (
    (80, ("picking", "delivering", "delivered")),
    (12, ("picking", "delivering", "notmeetcustomer", "delivering", "delivered")),
    (5, ("picking", "delivering", "notmeetcustomer", "waitingforreturn", "return")),
    (3, ("cancel",)),
)
"""How many parcels of a hundred take which road from `readytopick` on."""


@dataclass(frozen=True)
class Written:
    """One parcel with its whole history."""

    parcel: Fulfillment
    entries: tuple[HistoryEntry, ...]
    opened_at: datetime


def parcels(rows: int, *, seed: int) -> Iterator[Written]:
    """Make parcels until they have so many history rows together."""
    chance = random.Random(seed)
    made, number = 0, 0
    while made < rows:
        number += 1
        written = _parcel(number, chance)
        made += len(written.entries)
        yield written


def _parcel(number: int, chance: random.Random) -> Written:
    shop = number % SHOPS + 1
    opened = BEGIN + timedelta(seconds=chance.uniform(0, DAYS * 86_400))
    ref = FulfillmentRef(
        shop=f"shop-{shop:02}", order_id=str(10**9 + number), fulfillment_id=str(2 * 10**9 + number)
    )
    cash = chance.randrange(2, 200) * 10_000 if chance.random() < CASH_SHARE else 0
    parcel = Fulfillment(
        id=number,
        shop_id=shop,
        ref=ref,
        version=1,
        delivery=MachineHead(),
        cod=MachineHead(),
        cod_amount=cash,
    )
    entries: list[HistoryEntry] = []
    for status, at, source in _events(chance, opened, cash=cash):
        parcel = _append(parcel, entries, status, at, source=source, chance=chance)
    return Written(parcel=parcel, entries=tuple(entries), opened_at=opened)


def _events(
    chance: random.Random, opened: datetime, *, cash: int
) -> Iterator[tuple[Status, datetime, Source]]:
    """Yield what happens to a parcel, in its order; days after the year's end do not come."""
    end = BEGIN + timedelta(days=DAYS)
    yield Status.READYTOPICK, opened, Source.RULE
    yield Status.CODPENDING if cash else Status.NONE, opened, Source.RULE
    (road,) = chance.choices([r for _, r in ROADS], weights=[share for share, _ in ROADS])
    at = opened
    for word in road:
        at += timedelta(hours=chance.lognormvariate(2, 0.8))
        if at > end:
            return
        yield Status(word), at, Source.CARRIER
    if cash and road[-1] == Status.DELIVERED:
        yield Status.CODPAID, at, Source.RULE
        at += timedelta(days=chance.lognormvariate(1, 0.6))
        if at <= end:
            yield Status.CODRECEIPT, at, Source.CARRIER


def _append(
    parcel: Fulfillment,
    entries: list[HistoryEntry],
    status: Status,
    at: datetime,
    *,
    source: Source,
    chance: random.Random,
) -> Fulfillment:
    head = parcel.head(status.machine)
    told = source is Source.CARRIER
    entry = HistoryEntry(
        machine=status.machine,
        seq=head.seq + 1,
        from_status=head.status,
        to_status=status,
        definition=DEFAULT.id,
        source=source,
        actor="scanner" if told else None,
        reason=None,
        key=f"{status}-{head.seq + 1}" if told else None,
        occurred_at=at,
        recorded_at=max(
            at + timedelta(minutes=chance.expovariate(1 / 20)),
            entries[-1].recorded_at if entries else at,
        ),
        inferred=False,
        cause=f"{Machine.DELIVERY}:{parcel.delivery.seq}" if status is Status.CODPAID else None,
        amends=None,
        note_digest=None,
        prev_hash=head.hash,
    )
    entry = entry.with_hash(entry_hash(parcel.ref, entry))
    entries.append(entry)
    after = MachineHead(
        status=status,
        seq=entry.seq,
        since=at if told else head.since,
        hash=entry.hash,
    )
    moved = parcel.with_head(status.machine, after)
    return replace(moved, entered_at=at) if status.machine is Machine.DELIVERY else moved


def fill(engine: Engine, rows: int, *, seed: int) -> int:
    """Write a ledger into an empty, migrated database; return how many history rows it has."""
    definitions = Definitions([DEFAULT], clock=lambda: BEGIN)
    count = 0
    with engine.begin() as connection:
        definitions.ensure(connection)
        number = definitions.number(connection, DEFAULT.id)
        for each in range(1, SHOPS + 1):
            add_shop(connection, _shop_row(each))
        connection.execute(insert(runs), [_run_row(n) for n in range(1, SHOPS + 1)])
    stream = parcels(rows, seed=seed)
    while batch := list(islice(stream, BATCH)):
        with engine.begin() as connection:
            connection.execute(insert(fulfillments), [_fulfillment_row(w) for w in batch])
            found = [entry_row(w.parcel.id, e, number) for w in batch for e in w.entries]
            connection.execute(insert(history), found)
            connection.execute(insert(terms), [_terms_row(w) for w in batch])
            told = [(w.parcel.id, entry) for w in batch for entry in w.entries[2:]]
            for table, row_of in TOLD:
                connection.execute(insert(table), [row_of(*each) for each in told])
        count += len(found)
    return count


def _shop_row(number: int) -> dict[str, object]:
    return {
        "id": number,
        "code": f"shop-{number:02}",
        "platform": "haravan",
        "base_url": "http://127.0.0.1",
        "carrier_code": "external",
        "token": b"sealed",
        "added_at": BEGIN,
    }


def _run_row(number: int) -> dict[str, object]:
    """Return a run that looks at all of a shop's parcels, and goes on."""
    return {"id": f"run-{number:02}", "kind": "reconcile", "shop": number, "started_at": BEGIN}


def _terms_row(written: Written) -> dict[str, object]:
    return {
        "fulfillment": written.parcel.id,
        "number": 0,
        "cod_amount": written.parcel.cod_amount,
        "carrier_code": "external",
        "source": Source.RULE,
        "recorded_at": written.entries[0].recorded_at,
    }


def _attempt_row(parcel: int, entry: HistoryEntry) -> dict[str, object]:
    return {
        "fulfillment": parcel,
        "machine": entry.machine,
        "seq": entry.seq,
        "number": 1,
        "status": entry.to_status,
        "run": f"run-{entry.recorded_at:%j-%H}",
        "fence": 1,
        "intent_at": entry.recorded_at + A_SECOND,
        "send_deadline": entry.recorded_at + 30 * A_SECOND,
    }


def _outcome_row(parcel: int, entry: HistoryEntry) -> dict[str, object]:
    return {
        "fulfillment": parcel,
        "machine": entry.machine,
        "seq": entry.seq,
        "number": 1,
        "outcome": "confirmed",
        "http_status": 200,
        "reply_digest": entry.hash,
        "reply_updated_at": f"{entry.recorded_at + 2 * A_SECOND:%Y-%m-%dT%H:%M:%SZ}",
        "recorded_at": entry.recorded_at + 2 * A_SECOND,
    }


def _observation_row(parcel: int, entry: HistoryEntry) -> dict[str, object]:
    return {
        "fulfillment": parcel,
        "source": "reply",
        "asked_at": entry.recorded_at + A_SECOND,
        "seen_at": entry.recorded_at + 2 * A_SECOND,
        "carrier_code": entry.to_status,
        "cod_code": "codpending",
        "dates": "{}",
        "updated_at": f"{entry.recorded_at + 2 * A_SECOND:%Y-%m-%dT%H:%M:%SZ}",
        "order_cancelled": False,
        "digest": entry.hash,
    }


TOLD = ((attempts, _attempt_row), (outcomes, _outcome_row), (observations, _observation_row))
"""What is written about each step that the platform was told."""


def _fulfillment_row(written: Written) -> dict[str, object]:
    parcel = written.parcel
    seen = {"seen_at": parcel.delivery.since, "verified_at": parcel.delivery.since}
    return {
        "id": parcel.id,
        "shop": parcel.shop_id,
        "order_id": parcel.ref.order_id,
        "fulfillment_id": parcel.ref.fulfillment_id,
        "cod_amount": parcel.cod_amount,
        "opened_at": written.opened_at,
        "missing": 0,
        **head_values(parcel),
        **seen,
    }
