"""The read side: plain queries for people and auditors, around the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, delete, insert, select, update

from carrierflow.audit.verify import HeadRow
from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.limits import FILE_NAME, cut
from carrierflow.domain.model import HistoryEntry
from carrierflow.errors import UnknownFulfillment
from carrierflow.storage.binding import sliced
from carrierflow.storage.engine import streamed
from carrierflow.storage.log import is_placed, raw_entry
from carrierflow.storage.rows import PARCEL, entry_from, parcel_from
from carrierflow.storage.shops import shop_number
from carrierflow.storage.tables import (
    attempts,
    definitions,
    edges,
    evidence,
    files,
    fulfillments,
    history,
    log,
    notes,
    observations,
    outcomes,
    publications,
    shops,
    webhooks,
)


__all__ = [
    "add_file",
    "definition_rows",
    "entries_of",
    "entry_rows",
    "erase_notes",
    "evidence_of",
    "file_recorded_at",
    "find_parcel",
    "head_row",
    "head_rows",
    "known_ids",
    "notes_of",
    "replace_secret",
    "sealed_secrets",
    "showings_of",
    "sightings_of",
    "tellings_of",
]

STREAM = 2_000
"""Rows that a long reading holds at once."""

PAGE = 200
"""Sealed rows that are held at once; a body may be long."""

SEALED = {"note": notes, "webhook": webhooks}
"""The tables whose rows are sealed under their kind and digest."""


def find_parcel(connection: Connection, shop: str, fulfillment_id: str) -> Parcel:
    """Return one fulfillment.

    Raises:
        UnknownShop, UnknownFulfillment: if there is none.
    """
    number = shop_number(connection, shop)
    query = select(*PARCEL).where(
        fulfillments.c.shop == number, fulfillments.c.fulfillment_id == fulfillment_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownFulfillment(shop, fulfillment_id)
    return parcel_from(row, shop)


def known_ids(connection: Connection, shop: str, fulfillment_ids: list[str]) -> set[str]:
    """Return those of some fulfillment ids that the ledger knows."""
    number = shop_number(connection, shop)
    mine = select(fulfillments.c.fulfillment_id).where(fulfillments.c.shop == number)
    return {
        found
        for some in sliced(connection, fulfillment_ids)
        for found in connection.execute(
            mine.where(fulfillments.c.fulfillment_id.in_(some))
        ).scalars()
    }


def entries_of(connection: Connection, parcel: Parcel) -> list[HistoryEntry]:
    """Return the history of one fulfillment, in the order in which it was recorded."""
    query = (
        select(history, definitions.c.id.label("definition_id"))
        .join(definitions, definitions.c.number == history.c.definition)
        .where(history.c.fulfillment == parcel.id)
        .order_by(history.c.recorded_at, history.c.machine.desc(), history.c.seq)
    )
    return [entry_from(row, row.definition_id) for row in connection.execute(query)]


def evidence_of(connection: Connection, parcel: Parcel) -> list[dict[str, Any]]:
    """Return everything about one fulfillment that did not become history."""
    query = select(evidence).where(evidence.c.fulfillment == parcel.id).order_by(evidence.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def tellings_of(connection: Connection, parcel: Parcel) -> list[dict[str, Any]]:
    """Return what the platform was told about one fulfillment, with what became of it."""
    a, o, p = attempts.c, outcomes.c, publications.c
    query = (
        select(
            a.machine,
            a.seq,
            a.number,
            a.status,
            a.intent_at,
            o.outcome,
            o.http_status,
            o.recorded_at,
            p.state,
            p.confirmed_at,
        )
        .outerjoin(outcomes, and_(*(a[n] == o[n] for n in ("fulfillment", *ENTRY, "number"))))
        .outerjoin(publications, and_(*(a[n] == p[n] for n in ("fulfillment", *ENTRY))))
        .where(a.fulfillment == parcel.id)
        .order_by(a.intent_at, a.machine, a.seq, a.number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def showings_of(connection: Connection, parcel: Parcel) -> list[dict[str, Any]]:
    """Return which entries of one fulfillment the platform is known to show, and since when."""
    p = publications.c
    query = (
        select(p.machine, p.seq, p.state, p.confirmed_at)
        .where(p.fulfillment == parcel.id)
        .order_by(p.machine, p.seq)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def sightings_of(connection: Connection, parcel: Parcel) -> list[dict[str, Any]]:
    """Return what the platform said about one fulfillment, each time that it said new things."""
    o = observations.c
    query = (
        select(o.source, o.seen_at, o.carrier_code, o.cod_code, o.updated_at, o.order_cancelled)
        .where(o.fulfillment == parcel.id)
        .order_by(o.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


ENTRY = ("machine", "seq")


def entry_rows(connection: Connection) -> Iterator[Sequence[Any]]:
    """Stream the whole history, parcel after parcel, as `verify_parcels` reads it."""
    h = history.c
    query = (
        select(*raw_entry(connection), h.fulfillment, h.definition, h.hash, log.c.leaf)
        .outerjoin(log, is_placed())
        .order_by(h.fulfillment, h.machine, h.seq)
    )
    return chain.from_iterable(streamed(connection, query, at_once=STREAM))


def head_rows(connection: Connection) -> Iterator[HeadRow]:
    """Stream the heads of all fulfillments, in the order of the history's stream."""
    query = _heads().order_by(fulfillments.c.id)
    return map(_head_row, chain.from_iterable(streamed(connection, query, at_once=STREAM)))


def head_row(connection: Connection, parcel: int) -> HeadRow | None:
    """Return one of these heads; None if it is gone."""
    query = _heads().where(fulfillments.c.id == parcel)
    row = connection.execute(query).one_or_none()
    return None if row is None else _head_row(row)


def _heads() -> Select[Any]:
    f = fulfillments.c
    names = (f.id, shops.c.code, f.order_id, f.fulfillment_id)
    return select(*names, *(f[name] for name in HEAD)).join(shops, shops.c.id == f.shop)


HEAD = ("delivery_seq", "delivery_status", "delivery_hash", "cod_seq", "cod_status", "cod_hash")


def _head_row(row: Sequence[Any]) -> HeadRow:
    parcel, shop, order_id, fulfillment_id = row[:4]
    return HeadRow(parcel, shop, order_id, fulfillment_id, tuple(row[4:7]), tuple(row[7:]))


def definition_rows(
    connection: Connection,
) -> list[tuple[str, str, frozenset[tuple[str, str, str]]]]:
    """Return each definition: its id, its canonical text, and its legal steps as stored."""
    steps: dict[int, set[tuple[str, str, str]]] = {}
    for row in connection.execute(select(edges)):
        steps.setdefault(row.definition, set()).add((row.machine, row.from_status, row.to_status))
    return [
        (row.id, row.canonical, frozenset(steps.get(row.number, ())))
        for row in connection.execute(select(definitions).order_by(definitions.c.number))
    ]


def notes_of(connection: Connection, parcel: Parcel) -> list[tuple[str, bytes]]:
    """Return the sealed notes of one fulfillment by their digests, oldest first."""
    query = (
        select(notes.c.digest, notes.c.sealed)
        .where(notes.c.fulfillment == parcel.id)
        .order_by(notes.c.recorded_at, notes.c.digest)
    )
    return [(row.digest, row.sealed) for row in connection.execute(query)]


def erase_notes(connection: Connection, parcel: Parcel) -> int:
    """Delete the notes of one fulfillment; the history keeps only their salted digests."""
    return int(connection.execute(delete(notes).where(notes.c.fulfillment == parcel.id)).rowcount)


def sealed_secrets(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Stream everything sealed, with the context that each opens under."""
    held = select(shops.c.code, shops.c.token, shops.c.refresh_token)
    for code, *sealed in connection.execute(held).all():
        for kind, secret in zip(("token", "refresh token"), sealed, strict=True):
            if secret:
                yield f"{kind} of shop {code}", secret
    for kind, table in SEALED.items():
        for name, secret in _sealed_rows(connection, table):
            yield f"{kind}:{name}", secret


def _sealed_rows(connection: Connection, table: Table) -> Iterator[tuple[str, bytes]]:
    """Read by pages, so that whoever reads may write in between."""
    last = ""
    query = select(table.c.digest, table.c.sealed).where(table.c.sealed.is_not(None))
    while page := connection.execute(
        query.where(table.c.digest > last).order_by(table.c.digest).limit(PAGE)
    ).all():
        yield from ((row.digest, row.sealed) for row in page)
        last = page[-1].digest


def replace_secret(connection: Connection, context: str, sealed: bytes) -> None:
    """Put a secret in the place of the one with the same context."""
    kind, _, name = context.partition(":")
    table = SEALED.get(kind)
    if table is not None:
        connection.execute(update(table).where(table.c.digest == name).values(sealed=sealed))
    else:
        kind, _, code = context.rpartition(" of shop ")
        column = {"token": shops.c.token, "refresh token": shops.c.refresh_token}[kind]
        connection.execute(update(shops).where(shops.c.code == code).values({column: sealed}))


def file_recorded_at(connection: Connection, digest: str) -> datetime | None:
    """Return when a file with these bytes was recorded; None if it was not."""
    return connection.execute(
        select(files.c.recorded_at).where(files.c.digest == digest)
    ).scalar_one_or_none()


def add_file(
    connection: Connection, digest: str, *, name: str, row_count: int, now: datetime
) -> None:
    """Write that a file was recorded to its end."""
    if file_recorded_at(connection, digest) is None:
        row = {
            "digest": digest,
            "name": cut(name, FILE_NAME),
            "row_count": row_count,
            "recorded_at": now,
        }
        connection.execute(insert(files), row)
