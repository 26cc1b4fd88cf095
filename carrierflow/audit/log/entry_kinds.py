"""What the log holds: the kinds of its entries, where each lies, and the bytes that are hashed.

A row is logged where it lies, in an append-only table, and every column of it goes into its
bytes: what refers to a parcel or a shop does so by their names, a column called `kind` stands
under the entry's own kind. So a new column of a logged table is in the log by itself.

What was logged before a column came keeps its bytes: a row that says nothing in any of the
columns that came later is written as in version 1, any other with all of them, as in version 2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    func,
    literal_column,
    true,
)

from carrierflow.domain.canonical import COLUMNS, canonical_row, quoted
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.tables import (
    administration,
    attempts,
    decisions,
    definitions,
    evidence,
    fulfillments,
    history,
    log,
    observations,
    outcomes,
    run_ends,
    shops,
    terms,
)
from carrierflow.storage.types import UtcDateTime


__all__ = [
    "ADMINISTRATION",
    "KINDS",
    "OPENING",
    "REVISION",
    "RUN",
    "TRANSITION",
    "EntryKind",
    "kind_named",
    "stamps",
]

STAMPS: Mapping[str, Callable[[Any], ColumnElement[str]]] = {
    "sqlite": lambda column: func.replace(column, "+00:00", "Z"),
    "postgresql": lambda column: func.to_char(
        func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    ),
    "mysql": lambda column: func.date_format(column, "%Y-%m-%dT%H:%i:%s.%fZ"),
}
"""How each database writes a moment as it stands in canonical texts."""

NAMES: Mapping[str, ColumnElement[Any]] = {
    "fulfillment_id": fulfillments.c.fulfillment_id,
    "order_id": fulfillments.c.order_id,
    "shop": shops.c.code,
}
"""What stands in a text for the number of a parcel's row."""

NOTHING: ColumnElement[Any] = literal_column("0")
NO_MACHINE: ColumnElement[Any] = literal_column("''")

KEY = ("fulfillment", "machine", "seq", "number")
"""What tells the entries of one kind from each other, as the log has it."""


def stamps(dialect: str, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """Return columns as their canonical text has them: moments as stamps, all else as it is."""
    written = STAMPS["mysql" if is_mysql(dialect) else dialect]
    return [written(each) if isinstance(each.type, UtcDateTime) else each for each in columns]


def _text_of_number(value: int | None) -> str:
    return "null" if value is None else f'"{value}"'


def _text_of_flag(value: bool | None) -> str:  # noqa: FBT001 - a cell of a row
    return "null" if value is None else "true" if value else "false"


@dataclass(frozen=True, kw_only=True)
class EntryKind:
    """One kind of entry, and the table whose rows are logged under its name."""

    name: str
    table: Table
    moment: str = "recorded_at"
    """The column that says when the row was written."""
    only: ColumnElement[bool] | None = None
    """Which rows of the table are of this kind; all of them where nothing is said."""
    later: tuple[str, ...] = ()
    """The columns that came after the first rows were logged."""

    @cached_property
    def key(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of `KEY`; a row that has but a number of its own has it as `number`."""
        own = {column.name: column for column in self.table.primary_key.columns}
        if set(own) == {"id"}:
            return NOTHING, NO_MACHINE, NOTHING, own["id"]
        return (*(own[name] for name in KEY[:3]), own.get("number", NOTHING))

    @property
    def bound(self) -> Column[Any]:
        """The first column of the primary key, which later rows have no lower than earlier ones."""
        return next(iter(self.table.primary_key.columns))

    @property
    def order(self) -> tuple[Column[Any], ...]:
        """The primary key, in whose order rows are read."""
        return tuple(self.table.primary_key.columns)

    @property
    def chosen(self) -> ColumnElement[bool]:
        """Say which rows of the table are of this kind."""
        return true() if self.only is None else self.only

    def is_placed(self, places: FromClause = log) -> ColumnElement[bool]:
        """Say that a row of the log, or of some places of it, gives a row its place."""
        same = [places.c[name] == column for name, column in zip(KEY, self.key, strict=True)]
        return and_(places.c.kind == self.name, *same)

    @cached_property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        """What stands under each key of the text, in their order, beside `kind` and `v`."""
        found: dict[str, ColumnElement[Any]] = {}
        for column in self.table.columns:
            if column.name == "fulfillment":
                found |= NAMES
            elif column.name == "shop" and column.foreign_keys:
                found["shop"] = shops.c.code
            else:
                name = f"{self.name}_kind" if column.name == "kind" else column.name
                found.setdefault(name, column)
        return dict(sorted(found.items()))

    @cached_property
    def width(self) -> int:
        """How many columns the text is made of."""
        return len(self.parts)

    @cached_property
    def moment_at(self) -> int:
        """Which of these columns is the moment."""
        return list(self.parts).index(self.moment)

    def columns(self, dialect: str) -> list[ColumnElement[Any]]:
        """Return the columns that the text is made of, as one database writes them."""
        return stamps(dialect, list(self.parts.values()))

    def joined(self, rows: FromClause | None = None) -> FromClause:
        """Return the table, or `rows` of it, with the names of parcels and shops.

        No row is left out because it has none.
        """
        source: FromClause = self.table if rows is None else rows
        own, parcel = self.table.c, fulfillments.c
        shop = own.shop if "shop" in own and own.shop.foreign_keys else None
        if "fulfillment" in own:
            source = source.outerjoin(fulfillments, parcel.id == own.fulfillment)
            shop = parcel.shop if shop is None else shop
        return source if shop is None else source.outerjoin(shops, shops.c.id == shop)

    @property
    def shop(self) -> ColumnElement[Any] | None:
        """The code of the shop that a row belongs to, if this kind belongs to shops."""
        return self.parts.get("shop")

    @property
    def fulfillment_id(self) -> ColumnElement[Any] | None:
        """The parcel's own id at its platform, if this kind belongs to parcels."""
        return self.parts.get("fulfillment_id")

    def _form(self, version: str, without: Collection[str] = ()) -> str:
        places = dict.fromkeys(self.parts, "%s") | {"kind": f'"{self.name}"', "v": f'"{version}"'}
        names = sorted(places.keys() - set(without))
        return "{" + ",".join(f'"{name}":{places[name]}' for name in names) + "}"

    @cached_property
    def _forms(self) -> tuple[str, str]:
        """The text without what came later, and the text with it."""
        return self._form("1", self.later), self._form("2")

    @cached_property
    def _later_at(self) -> frozenset[int]:
        return frozenset(n for n, name in enumerate(self.parts) if name in self.later)

    @cached_property
    def _writers(self) -> list[Callable[[Any], str]]:
        return [_writer(column) for column in self.parts.values()]

    def text(self, row: Sequence[Any]) -> str:
        """Write a row as canonical JSON; whatever follows its `columns` is not looked at."""
        texts = [write(value) for write, value in zip(self._writers, row, strict=False)]
        first, second = self._forms
        if not (later := self._later_at):
            return first % tuple(texts)
        if any(row[place] is not None for place in later):
            return second % tuple(texts)
        return first % tuple([text for place, text in enumerate(texts) if place not in later])


def _writer(column: ColumnElement[Any]) -> Callable[[Any], str]:
    if isinstance(column.type, Boolean):
        return _text_of_flag
    return _text_of_number if isinstance(column.type, Integer) else quoted


class Transition(EntryKind):
    """A step of a parcel; its text is the one that its own hash covers."""

    @cached_property
    def parts(self) -> Mapping[str, ColumnElement[Any]]:
        """The columns of `canonical_row`, then the names and the definition that it asks for."""
        own = {name: history.c[name] for name in COLUMNS}
        return own | dict(sorted(NAMES.items())) | {"definition": definitions.c.id}

    def joined(self, rows: FromClause | None = None) -> FromClause:
        """Return the history, or rows of it, with the names of parcels, shops and definitions."""
        same = definitions.c.number == history.c.definition
        return super().joined(rows).outerjoin(definitions, same)

    def text(self, row: Sequence[Any]) -> str:
        """Write a row as `canonical_row` does."""
        fulfillment, order, shop, definition = row[len(COLUMNS) : self.width]
        return canonical_row((quoted(shop), quoted(order), quoted(fulfillment)), definition, row)


FIRST = 0
"""The number of the terms that a parcel was opened with; later ones revise them."""

TRANSITION = Transition(name="transition", table=history)
OPENING = EntryKind(name="opening", table=terms, only=terms.c.number == FIRST)
REVISION = EntryKind(name="revision", table=terms, only=terms.c.number != FIRST)
RUN = EntryKind(name="run", table=run_ends)
ADMINISTRATION = EntryKind(name="administration", table=administration)

KINDS: tuple[EntryKind, ...] = (
    TRANSITION,
    OPENING,
    REVISION,
    EntryKind(name="evidence", table=evidence),
    EntryKind(name="decision", table=decisions, later=("db_user", "facts_digest", "os_user")),
    EntryKind(name="attempt", table=attempts, moment="intent_at"),
    EntryKind(name="told", table=outcomes),
    EntryKind(name="seen", table=observations, moment="seen_at"),
    RUN,
    ADMINISTRATION,
)
"""Every kind of entry; of what was written at one moment, the earlier in this list comes first."""


def kind_named(name: str) -> EntryKind | None:
    """Return a kind by its name; None if there is none of that name."""
    return next((kind for kind in KINDS if kind.name == name), None)
