"""The read side: plain queries for people and auditors, around the model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection, Table, insert, select, update

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.limits import FILE_NAME, cut
from carrierflow.domain.model import HistoryEntry
from carrierflow.errors import UnknownFulfillment
from carrierflow.storage.binding import sliced
from carrierflow.storage.rows import PARCEL, entry_from, parcel_from
from carrierflow.storage.shops import shop_number
from carrierflow.storage.tables import (
    definitions,
    files,
    fulfillments,
    history,
    notes,
    shops,
    webhooks,
)


__all__ = [
    "add_file",
    "encrypted_secrets",
    "entries_of",
    "file_recorded_at",
    "find_parcel",
    "known_ids",
    "notes_of",
    "replace_secret",
]

PAGE = 200
"""Sealed rows that are held at once; a body may be long."""

SEALED = {"note": notes, "webhook": webhooks}
"""The tables whose rows are encrypted under their kind and digest."""


def find_parcel(connection: Connection, shop: str, fulfillment_id: str) -> Fulfillment:
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


def known_ids(connection: Connection, shop: str, fulfillment_ids: Collection[str]) -> set[str]:
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


def entries_of(connection: Connection, parcel: Fulfillment) -> list[HistoryEntry]:
    """Return the history of one fulfillment, in the order in which it was recorded."""
    query = (
        select(history, definitions.c.id.label("definition_id"))
        .join(definitions, definitions.c.number == history.c.definition)
        .where(history.c.fulfillment == parcel.id)
        .order_by(history.c.recorded_at, history.c.machine.desc(), history.c.seq)
    )
    return [entry_from(row, row.definition_id) for row in connection.execute(query)]


def notes_of(connection: Connection, parcel: Fulfillment) -> list[tuple[str, bytes]]:
    """Return the encrypted notes of one fulfillment by their digests, oldest first."""
    query = (
        select(notes.c.digest, notes.c.sealed)
        .where(notes.c.fulfillment == parcel.id)
        .order_by(notes.c.recorded_at, notes.c.digest)
    )
    return [(row.digest, row.sealed) for row in connection.execute(query)]


def encrypted_secrets(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Stream everything encrypted, with the context that each opens under."""
    held = select(shops.c.code, shops.c.token, shops.c.refresh_token)
    for code, *tokens in connection.execute(held).all():
        for kind, secret in zip(("token", "refresh token"), tokens, strict=True):
            if secret:
                yield f"{kind} of shop {code}", secret
    for kind, table in SEALED.items():
        for name, secret in _encrypted_rows(connection, table):
            yield f"{kind}:{name}", secret


def _encrypted_rows(connection: Connection, table: Table) -> Iterator[tuple[str, bytes]]:
    """Read by pages, so that whoever reads may write in between."""
    last = ""
    query = select(table.c.digest, table.c.sealed).where(table.c.sealed.is_not(None))
    while page := connection.execute(
        query.where(table.c.digest > last).order_by(table.c.digest).limit(PAGE)
    ).all():
        yield from ((row.digest, row.sealed) for row in page)
        last = page[-1].digest


def replace_secret(connection: Connection, context: str, ciphertext: bytes) -> None:
    """Put a secret in the place of the one with the same context."""
    kind, _, name = context.partition(":")
    table = SEALED.get(kind)
    if table is not None:
        connection.execute(update(table).where(table.c.digest == name).values(sealed=ciphertext))
    else:
        kind, _, code = context.rpartition(" of shop ")
        column = {"token": shops.c.token, "refresh token": shops.c.refresh_token}[kind]
        connection.execute(update(shops).where(shops.c.code == code).values({column: ciphertext}))


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
