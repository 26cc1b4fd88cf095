"""The ledger's side of the store: parcels, their past, and what is written about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Connection,
    Insert,
    Integer,
    bindparam,
    insert,
    literal_column,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from carrierflow.domain.feed_entry import FeedEntry
from carrierflow.domain.fulfillment import Change, Fulfillment, MachineHead, PastEvents
from carrierflow.domain.model import (
    OVERTURNABLE,
    Machine,
    Opening,
    Source,
    Status,
    Verdict,
)
from carrierflow.domain.revision import AgreedTerms
from carrierflow.errors import ConcurrentUpdate
from carrierflow.ledger.ports import Borne, EncryptedNote
from carrierflow.storage.binding import sliced
from carrierflow.storage.bulk import execute_many, insert_many
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.direct import fetch_all, write_returning
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.listeners import gather, is_heard
from carrierflow.storage.rows import (
    PARCEL,
    entry_row,
    evidence_row,
    guarded,
    head_values,
    parcel_from,
    resolved_from,
)
from carrierflow.storage.shops import shop_carrier
from carrierflow.storage.tables import evidence, fulfillments, history, notes, shops, terms
from carrierflow.storage.terms import add_revision, agreed_terms, opening_rows
from carrierflow.storage.waybills import bearers


__all__ = ["SqlLedgerTransaction"]

NOWHERE = MachineHead()
"""Where a machine stands before its first entry."""

NEW_HEADS = {
    "version": 0,
    "delivery_status": NOWHERE.status,
    "delivery_seq": NOWHERE.seq,
    "delivery_hash": NOWHERE.hash,
    "delivery_confirmed": NOWHERE.confirmed,
    "cod_status": NOWHERE.status,
    "cod_seq": NOWHERE.seq,
    "cod_hash": NOWHERE.hash,
    "cod_confirmed": NOWHERE.confirmed,
    "held": 0,
    "unpublished": 0,
    "open": True,
    "missing": 0,
}

PAST = (
    history.c.fulfillment,
    history.c.to_status,
    history.c.seq,
    history.c.inferred,
    history.c.source,
    history.c.event_key,
    history.c.occurred_at,
    history.c.occurred_at != history.c.recorded_at,
)
"""What is read of entries; they are many, and taken by their places."""

HEAD_COLUMNS = (
    "version",
    "entered_at",
    "delivery_status",
    "delivery_seq",
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

MINE = fulfillments.c.shop == (
    select(shops.c.id).where(shops.c.code == bindparam("code")).scalar_subquery()
)
LOCKED = select(*PARCEL).where(MINE).order_by(fulfillments.c.id).with_for_update(of=fulfillments)
IDS: BindParameter[Any] = bindparam("ids", expanding=True)

READ_PARCELS = LOCKED.where(fulfillments.c.fulfillment_id.in_(IDS))
READ_EVIDENCE = select(evidence).where(evidence.c.fulfillment.in_(IDS), evidence.c.kind == "event")
READ_PAST = select(*PAST).where(history.c.fulfillment.in_(IDS))

READ_PARCEL = LOCKED.where(fulfillments.c.fulfillment_id == bindparam("this"))
READ_ITS_PAST = union_all(
    select(
        evidence.c.fulfillment,
        evidence.c.status,
        evidence.c.event_key,
        evidence.c.source,
        evidence.c.occurred_at,
        evidence.c.fill_gaps,
        evidence.c.verdict,
        evidence.c.code,
        evidence.c.actor,
        evidence.c.reason,
        evidence.c.note_digest,
        literal_column("NULL", Integer).label("seq"),
        literal_column("NULL", Boolean).label("dated"),
    ).where(evidence.c.kind == "event", evidence.c.fulfillment == bindparam("this")),
    select(
        history.c.fulfillment,
        history.c.to_status,
        history.c.event_key,
        history.c.source,
        history.c.occurred_at,
        history.c.inferred,
        *[null()] * 5,
        history.c.seq,
        history.c.occurred_at != history.c.recorded_at,
    ).where(history.c.fulfillment == bindparam("this")),
)
"""Both in one question, under the names of evidence; an entry is what has a number."""

SAVE_HEAD = (
    update(fulfillments)
    .where(fulfillments.c.id == bindparam("this"), fulfillments.c.version == bindparam("read"))
    .values({name: bindparam(f"new_{name}") for name in HEAD_COLUMNS})
)


class SqlLedgerTransaction:
    """Reads and writes of the ledger on one connection, in its present transaction."""

    def __init__(self, connection: Connection, definitions: Definitions) -> None:
        self._connection = connection
        self._definitions = definitions
        self._shop_numbers: dict[str, int] = {}
        self._carrier_codes: dict[str, str] = {}

    def parcels(self, shop: str, fulfillment_ids: Collection[str]) -> dict[str, Fulfillment]:
        """Read and lock the known ones of some fulfillments, by fulfillment id."""
        parcels = [parcel_from(row, shop) for row in self._parcel_rows(shop, fulfillment_ids)]
        found = {parcel.ref.fulfillment_id: parcel for parcel in parcels}
        if not found:
            self._shop_number(shop)
        return found

    def _parcel_rows(self, shop: str, ids: Collection[str]) -> Iterator[Any]:
        if len(ids) == 1:
            yield from fetch_all(
                self._connection, READ_PARCEL, {"code": shop, "this": next(iter(ids))}
            )
            return
        for some in sliced(self._connection, ids):
            yield from self._connection.execute(READ_PARCELS, {"code": shop, "ids": some})

    def bearers(self, shop: str, tracking_numbers: Collection[str]) -> dict[str, Borne]:
        """Find by whom some tracking numbers are borne in a shop, each that anybody bears."""
        return bearers(self._connection, shop, tracking_numbers)

    def terms(self, parcel: Fulfillment) -> list[AgreedTerms]:
        """Read all that was agreed about a parcel, oldest first."""
        return agreed_terms(self._connection, parcel)

    def past_events(self, parcels: Collection[Fulfillment]) -> dict[int, PastEvents]:
        """Read what the past of some parcels says, by the parcels' own ids."""
        past: dict[int, PastEvents] = defaultdict(PastEvents)
        if len(parcels) == 1:
            (parcel,) = parcels
            return {parcel.id: self._past_of(parcel)}
        for ids in sliced(self._connection, [parcel.id for parcel in parcels]):
            for row in self._connection.execute(READ_EVIDENCE, {"ids": ids}):
                _add_evidence(past[row.fulfillment], row)
            for number, *entry in self._connection.execute(READ_PAST, {"ids": ids}):
                _add_entry(past[number], *entry)
        return past

    def _past_of(self, parcel: Fulfillment) -> PastEvents:
        """Read the past of one parcel: what a backend asks for while its courier waits."""
        past = PastEvents()
        rows = fetch_all(self._connection, READ_ITS_PAST, {"this": parcel.id})
        for row in rows:
            if row.seq is None:
                _add_evidence(past, row)
        for row in rows:
            if row.seq is not None:
                _add_entry(
                    past,
                    row.status,
                    row.seq,
                    row.fill_gaps,
                    row.source,
                    row.event_key,
                    row.occurred_at,
                    row.dated,
                )
        return past

    def start(self, openings: Collection[Opening], *, now: datetime) -> dict[str, Fulfillment]:
        """Make rows without history for those fulfillments of one shop that have none.

        In the order of their ids, so that writers who begin the same ones wait for each other.
        One alone is returned if it was made here; of many, and on MariaDB, no driver says so.
        An older SQLite does neither.
        """
        number = self._shop_number(next(iter(openings)).ref.shop)
        rows = (
            {
                **NEW_HEADS,
                "shop": number,
                "order_id": opening.ref.order_id,
                "fulfillment_id": opening.ref.fulfillment_id,
                "tracking_number": opening.tracking_number,
                "cod_amount": opening.cod_amount or 0,
                "opened_at": now,
            }
            for opening in sorted(openings, key=lambda opening: opening.ref.fulfillment_id)
        )
        dialect = self._connection.dialect
        if len(openings) > 1 or is_mysql(dialect.name) or not dialect.insert_returning:
            execute_many(self._connection, _insert_if_new(dialect.name), rows)
            return {}
        (opening,), (row,) = openings, rows
        made = write_returning(self._connection, _insert_one_if_new(dialect.name), row)
        return {opening.ref.fulfillment_id: _begun(opening, row, *made[0])} if made else {}

    def save(self, changes: Collection[Change]) -> None:
        """Write terms, histories, evidence and heads; the heads first, for they guard the rest."""
        ordered = sorted(changes, key=lambda change: change.before.id)
        self._save_heads(ordered)
        self._save_openings(ordered)
        self._save_revisions(ordered)
        numbers = self._numbers(ordered)
        entries = (
            entry_row(change.before.id, entry, numbers[entry.definition])
            for change in ordered
            for entry in change.entries
        )
        insert_many(self._connection, history, entries)
        kept = (evidence_row(change.before, kept) for change in ordered for kept in change.kept)
        insert_many(self._connection, evidence, kept)
        if is_heard(self._connection):
            gather(self._connection, (step for change in ordered for step in _steps(change)))

    def keep_note(self, note: EncryptedNote, parcel: Fulfillment, *, now: datetime) -> None:
        """Keep an encrypted note, apart from the history, where it can be erased."""
        values = {"digest": note.digest, "sealed": note.ciphertext, "fulfillment": parcel.id}
        self._connection.execute(insert(notes).values(recorded_at=now, **values))

    def _shop_number(self, code: str) -> int:
        if code not in self._shop_numbers:
            number, carrier = shop_carrier(self._connection, code)
            self._shop_numbers[code], self._carrier_codes[code] = number, carrier
        return self._shop_numbers[code]

    def _save_openings(self, changes: Collection[Change]) -> None:
        """Write what was agreed about parcels whose history begins here."""
        fresh = [c for c in changes if not (c.before.delivery.seq or c.before.cod.seq)]
        for change in fresh:
            self._shop_number(change.before.ref.shop)
        insert_many(self._connection, terms, opening_rows(fresh, self._carrier_codes))

    def _save_revisions(self, changes: Collection[Change]) -> None:
        """Write what is agreed anew about parcels."""
        for change in changes:
            if change.agreed is not None:
                shop = change.before.ref.shop
                self._shop_number(shop)
                add_revision(self._connection, change, self._carrier_codes[shop])

    def _numbers(self, changes: Collection[Change]) -> dict[str, int]:
        """Return the numbers of the definitions that some entries were judged by."""
        judged_by = {entry.definition for change in changes for entry in change.entries}
        return {each: self._definitions.number(self._connection, each) for each in judged_by}

    def _save_heads(self, changes: Collection[Change]) -> None:
        rows = (guarded(change.before, head_values(change.after)) for change in changes)
        if execute_many(self._connection, SAVE_HEAD, rows) != len(changes):
            raise ConcurrentUpdate("A fulfillment")


def _steps(change: Change) -> Iterator[FeedEntry]:
    ref, tracking_number = change.after.ref, change.after.tracking_number
    return (FeedEntry.of_step(ref, tracking_number, entry) for entry in change.entries)


def _begun(opening: Opening, row: Mapping[str, Any], number: int) -> Fulfillment:
    """Return a fulfillment as it stands in the row that was made for it."""
    return Fulfillment(
        id=number,
        shop_id=row["shop"],
        ref=opening.ref,
        version=row["version"],
        delivery=NOWHERE,
        cod=NOWHERE,
        cod_amount=row["cod_amount"],
        tracking_number=row["tracking_number"],
    )


@cache
def _insert_one_if_new(dialect: str) -> ReturningInsert[Any]:
    return _insert_if_new(dialect).returning(fulfillments.c.id)


@cache
def _insert_if_new(dialect: str) -> Insert:
    # Each of them brings its whole dialect along, and a process speaks one.
    if is_mysql(dialect):
        from sqlalchemy.dialects import mysql  # noqa: PLC0415

        return mysql.insert(fulfillments).on_duplicate_key_update(id=fulfillments.c.id)
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(fulfillments).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(fulfillments).on_conflict_do_nothing()


def _add_evidence(past: PastEvents, row: Any) -> None:
    """Take in an event that did not become history; entries must come after."""
    resolved, verdict = resolved_from(row), Verdict(row.verdict)
    past.add_key(resolved.key, verdict, resolved.status, resolved.occurred_at)
    if verdict is Verdict.LATE:
        past.add_late(resolved.status, resolved.occurred_at)
    if row.code in OVERTURNABLE:
        past.waiting[resolved.key] = resolved


def _add_entry(
    past: PastEvents,
    word: str,
    seq: int,
    inferred: bool,  # noqa: FBT001 - columns of `PAST`, by their places
    source: str,
    key: str | None,
    occurred_at: datetime,
    dated: bool,  # noqa: FBT001 - as the others
) -> None:
    """Take in an entry; one that was refused at first is no longer waiting."""
    status = Status(word)
    past.add_entry(status, seq, occurred_at=occurred_at, untold=inferred or source == Source.RULE)
    if seq == 1 and status.machine is Machine.DELIVERY:
        past.add_opening(occurred_at, inferred=inferred, dated=dated)
    if key is not None:
        past.add_key(key, Verdict.ACCEPTED, status, occurred_at)
        past.waiting.pop(key, None)
