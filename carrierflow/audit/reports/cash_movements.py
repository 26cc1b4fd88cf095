"""How cash moved in a while: opening, collected, remitted, corrected, revised, closing.

The balance is what `cash` calls held: collected, and the shop's. Each of its movements is an entry
of one parcel's history, or a revision of its amount while its cash was held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    func,
    or_,
    select,
)

from carrierflow.audit.reports.as_of import (
    CLOCKS,
    STREAM,
    WIDTH,
    Basis,
    code_of,
    packed,
    parcels_of,
)
from carrierflow.audit.reports.calendar import TICK, day_of
from carrierflow.audit.reports.cash import aged_cash, is_held
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.errors import HistoryBroken
from carrierflow.storage.rows import ref_from
from carrierflow.storage.tables import fulfillments, history, shops, terms


__all__ = ["CashMove", "CashMovements", "CashRow", "GroupBy", "MoveKind", "cash_movements"]


class MoveKind(StrEnum):
    """Why a balance changed."""

    COLLECTED = "collected"
    REMITTED = "remitted"
    RETURNED = "returned"
    """The parcel came back or was cancelled: what was collected is owed to the customer."""
    CORRECTED = "corrected"
    """Somebody corrected where a parcel or its cash is."""
    REVISED = "revised"
    """The amount of a parcel was changed while its cash was held."""


class GroupBy(StrEnum):
    """What the rows of the answer are."""

    DAY = "day"
    """A day in Vietnam, all shops together."""
    SHOP = "shop"
    """A shop, the whole time together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CashMove:
    """One change of what is held, of one parcel."""

    ref: FulfillmentRef
    tracking_number: str | None
    kind: MoveKind
    amount: int
    """In đồng; below zero where less is held after it."""
    at: datetime
    """By the clock that was asked for."""
    entry: str
    """What proves it: an entry of history, such as `cod:3`, or a revision, such as `revision:1`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CashRow:
    """What moved on one day, at one shop, or altogether; amounts are whole đồng.

    `opening + collected - remitted - returned + corrected + revised == closing`.
    """

    day: str | None
    shop: str | None
    opening: int
    collected: int
    remitted: int
    returned: int
    corrected: int
    revised: int
    closing: int
    moves: int
    """How many movements that is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CashMovements:
    """All movements of cash from one moment to another, both included."""

    since: datetime
    until: datetime
    basis: Basis
    by: GroupBy
    rows: tuple[CashRow, ...]
    """Days without a movement, and shops without cash, are left out."""
    total: CashRow
    moves: tuple[CashMove, ...] | None = None
    """Each of them, in their order, where they were asked for."""


@dataclass(slots=True)
class Account:
    """A balance under way."""

    opening: int = 0
    sums: dict[MoveKind, int] = field(default_factory=lambda: dict.fromkeys(MoveKind, 0))
    moves: int = 0

    @property
    def closing(self) -> int:
        return self.opening + sum(self.sums.values())

    def add(self, move: CashMove) -> None:
        self.sums[move.kind] += move.amount
        self.moves += 1

    def row(self, *, day: str | None = None, shop: str | None = None) -> CashRow:
        return CashRow(
            day=day,
            shop=shop,
            opening=self.opening,
            collected=self.sums[MoveKind.COLLECTED],
            remitted=-self.sums[MoveKind.REMITTED],
            returned=-self.sums[MoveKind.RETURNED],
            corrected=self.sums[MoveKind.CORRECTED],
            revised=self.sums[MoveKind.REVISED],
            closing=self.closing,
            moves=self.moves,
        )


def cash_movements(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    basis: Basis,
    by: GroupBy,
    shop: int | None,
    named: bool,
) -> CashMovements:
    """Return what moved from one moment to another; `named` lists each movement.

    Opening and closing are asked of the history apart from the movements between them.

    Raises:
        HistoryBroken: if what moved is not what lies between the two.
    """
    before = _held(connection, since - TICK, basis, shop=shop)
    after = _held(connection, until, basis, shop=shop)
    moves = sorted(_moves(connection, since, until, basis, shop=shop), key=_in_order)
    by_shop = _accounts(moves, before, key=lambda move: move.ref.shop)
    for code in sorted({*before, *after, *by_shop}):
        closing = by_shop[code].closing
        if closing != after.get(code, 0):
            raise HistoryBroken(
                f"The cash of shop {code} moved to {closing} đồng, but its parcels hold "
                f"{after.get(code, 0)}; `carrierflow audit verify` says what was changed."
            )
    total = Account(opening=sum(before.values()))
    for move in moves:
        total.add(move)
    days = by is GroupBy.DAY
    rows = _days(moves, total.opening) if days else _shops(by_shop)
    return CashMovements(
        since=since,
        until=until,
        basis=basis,
        by=by,
        rows=tuple(rows),
        total=total.row(),
        moves=tuple(moves) if named else None,
    )


def _held(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Mapping[str, int]:
    """Return what was held for each shop, by its code."""
    held: defaultdict[str, int] = defaultdict(int)
    for aged in aged_cash(connection, at, basis, shop=shop):
        held[aged.shop] += aged.amount
    return held


def _in_order(move: CashMove) -> tuple[datetime, str, str, str]:
    return move.at, move.ref.shop, move.ref.fulfillment_id, move.entry


def _accounts(
    moves: Iterable[CashMove], opening: Mapping[str, int], *, key: Callable[[CashMove], str]
) -> defaultdict[str, Account]:
    accounts: defaultdict[str, Account] = defaultdict(Account)
    for name, amount in opening.items():
        accounts[name].opening = amount
    for move in moves:
        accounts[key(move)].add(move)
    return accounts


def _days(moves: Iterable[CashMove], opening: int) -> Iterator[CashRow]:
    """Yield the days on which something moved; each opens with what the one before closed with."""
    for day, account in _accounts(moves, {}, key=lambda move: day_of(move.at)).items():
        account.opening = opening
        yield account.row(day=day)
        opening = account.closing


def _shops(accounts: Mapping[str, Account]) -> Iterator[CashRow]:
    for code in sorted(accounts):
        account = accounts[code]
        if account.moves or account.opening:
            yield account.row(shop=code)


def _moves(
    connection: Connection, since: datetime, until: datetime, basis: Basis, *, shop: int | None
) -> Iterator[CashMove]:
    yield from _steps(connection, since, until, basis, shop=shop)
    yield from _revisions(connection, since, until, basis, shop=shop)


def _steps(
    connection: Connection, since: datetime, until: datetime, basis: Basis, *, shop: int | None
) -> Iterator[CashMove]:
    """Yield the movements by entries of history, of a parcel's delivery or of its cash.

    An entry counts where it came into force: an earlier one that is told late never did.
    """
    lives = _lives(until, basis, shop=shop)
    c = lives.c
    gained = is_held(c.cash, c.delivery)
    lost = is_held(c.cash_before, c.delivery_before)
    query = (
        _named(lives, c.fulfillment)
        .add_columns(
            *(c.at, c.machine, c.seq, c.to_status, c.amends),
            (c.cash_before % WIDTH).label("cash_before"),
            gained.label("gained"),
            _amount(c.fulfillment, c.at).label("amount"),
        )
        .where(c.at >= since, gained != lost)
    )
    for row in connection.execute(query.execution_options(yield_per=STREAM)):
        yield CashMove(
            ref=ref_from(row),
            tracking_number=row.tracking_number,
            kind=_kind(row),
            amount=row.amount if row.gained else -row.amount,
            at=row.at,
            entry=f"{row.machine}:{row.seq}",
        )


def _kind(row: Any) -> MoveKind:
    """Return why a step moved cash; what no step of a lifecycle does is a correction."""
    if row.amends is not None:
        return MoveKind.CORRECTED
    if row.machine == Machine.DELIVERY:
        return MoveKind.CORRECTED if row.gained else MoveKind.RETURNED
    if row.gained:
        back = row.cash_before == code_of(Status.CODRECEIPT)
        return MoveKind.CORRECTED if back else MoveKind.COLLECTED
    return MoveKind.REMITTED if row.to_status == Status.CODRECEIPT else MoveKind.CORRECTED


def _revisions(
    connection: Connection, since: datetime, until: datetime, basis: Basis, *, shop: int | None
) -> Iterator[CashMove]:
    """Yield the movements by amounts that changed while the cash was held already."""
    old = terms.alias("old")
    earlier = and_(old.c.fulfillment == terms.c.fulfillment, old.c.number == terms.c.number - 1)
    change = terms.c.cod_amount - old.c.cod_amount
    query = (
        _named(terms.join(old, earlier), terms.c.fulfillment)
        .add_columns(terms.c.recorded_at.label("at"), terms.c.number, change.label("change"))
        .where(
            terms.c.number > 0,
            terms.c.recorded_at >= since,
            terms.c.recorded_at <= until,
            change != 0,
            is_held(_before(Machine.COD, basis), _before(Machine.DELIVERY, basis)),
        )
    )
    if shop is not None:
        query = query.where(fulfillments.c.shop == shop)
    for row in connection.execute(query):
        yield CashMove(
            ref=ref_from(row),
            tracking_number=row.tracking_number,
            kind=MoveKind.REVISED,
            amount=int(row.change),
            at=row.at,
            entry=f"revision:{row.number}",
        )


def _lives(until: datetime, basis: Basis, *, shop: int | None) -> Subquery:
    """Return each entry, with those in force before it and after it, of both machines."""
    h, clock, mine = history.c, CLOCKS[basis], parcels_of(shop)

    def latest(machine: Machine, end: int) -> ColumnElement[int]:
        of = func.max(case((h.machine == machine, packed())))
        order = (clock, h.machine, h.seq)
        return of.over(partition_by=h.fulfillment, order_by=order, rows=(None, end))

    query = select(
        *(h.fulfillment, h.machine, h.seq, h.to_status, h.amends, clock.label("at")),
        latest(Machine.COD, 0).label("cash"),
        latest(Machine.COD, -1).label("cash_before"),
        latest(Machine.DELIVERY, 0).label("delivery"),
        latest(Machine.DELIVERY, -1).label("delivery_before"),
    ).where(clock <= until)
    if mine is not None:
        query = query.where(h.fulfillment.in_(mine))
    return query.subquery("lives")


def _before(machine: Machine, basis: Basis) -> Any:
    """Return the entry of a machine that was in force before some terms were written."""
    return (
        select(func.max(packed()))
        .where(
            history.c.fulfillment == terms.c.fulfillment,
            history.c.machine == machine,
            CLOCKS[basis] < terms.c.recorded_at,
        )
        .scalar_subquery()
    )


def _amount(fulfillment: ColumnElement[int], at: ColumnElement[datetime]) -> Any:
    """Return what a parcel was to bring at a moment."""
    return (
        select(terms.c.cod_amount)
        .where(
            terms.c.fulfillment == fulfillment, or_(terms.c.number == 0, terms.c.recorded_at <= at)
        )
        .order_by(terms.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _named(source: Any, fulfillment: ColumnElement[int]) -> Select[Any]:
    f = fulfillments.c
    return select(shops.c.code, f.order_id, f.fulfillment_id, f.tracking_number).select_from(
        source.join(fulfillments, f.id == fulfillment).join(shops, shops.c.id == f.shop)
    )
