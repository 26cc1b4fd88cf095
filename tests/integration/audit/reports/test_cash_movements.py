"""Opening, what came and went, closing: to the đồng, and by SQL that shares nothing with ours."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import insert, update

from carrierflow.audit.reports.as_of import Basis
from carrierflow.audit.reports.calendar import TICK, begin_of, day_of, end_of
from carrierflow.audit.reports.cash_movements import GroupBy, MoveKind
from carrierflow.domain.lifecycle import define
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Source, Status
from carrierflow.errors import HistoryBroken, InvalidInput
from carrierflow.storage.tables import fulfillments, terms


DAYS = 100
MONTH = 30
PARCELS = 10
COLUMNS = (
    *("opening", "collected", "remitted", "returned"),
    *("corrected", "revised", "closing", "moves"),
)
RETURNS = define(["return_after_delivery"])
SCANS = {
    Status.DELIVERING: 2,
    Status.DELIVERED: 5,
    Status.CODPAID: 1,
    Status.CODRECEIPT: 3,
    Status.RETURN: 1,
}
"""What scanners tell, and how often."""
CASH = (Status.CODPENDING, Status.CODPAID, Status.CODRECEIPT)
ENTRIES = """
SELECT f.fulfillment_id, h.seq, h.to_status, h.occurred_at AS was, h.recorded_at AS known, h.amends
FROM carrierflow_history h JOIN carrierflow_fulfillments f ON f.id = h.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND h.machine = '{machine}'
"""
AMOUNTS = """
SELECT f.fulfillment_id, t.number, t.cod_amount, t.recorded_at
FROM carrierflow_terms t JOIN carrierflow_fulfillments f ON f.id = t.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop WHERE s.code = :shop
"""


class Book:
    """What the tables say of one shop's cash, asked again for each moment, without any speed."""

    def __init__(self, store, shop, basis):
        with store.reading() as connection:
            clock = 3 if basis is Basis.WAS else 4
            entries, ways = (
                connection.exec_driver_sql(_named(ENTRIES.format(machine=machine), shop)).all()
                for machine in ("cod", "delivery")
            )
            amounts = connection.exec_driver_sql(_named(AMOUNTS, shop)).all()
        self.entries, self.ways, self.amounts = {}, {}, {}
        for found, rows in ((self.entries, entries), (self.ways, ways)):
            for row in rows:
                found.setdefault(row[0], []).append((row[1], row[2], _moment(row[clock])))
        for row in amounts:
            self.amounts.setdefault(row[0], []).append((row[1], row[2], _moment(row[3])))

    def held(self, at):
        """Add up what each parcel held at a moment."""
        return sum(self.held_of(parcel, at) for parcel in self.entries)

    def held_of(self, parcel, at):
        """Return what one parcel held at a moment."""
        cash, way = (
            max((entry for entry in book.get(parcel, ()) if entry[2] <= at), default=(0, ""))[1]
            for book in (self.entries, self.ways)
        )
        if cash != "codpaid" or way in {"return", "cancel"}:
            return 0
        return max(row for row in self.amounts[parcel] if row[0] == 0 or row[2] <= at)[1]


def _named(statement, shop):
    return statement.replace(":shop", f"'{shop}'")


def _moment(value):
    """Read a moment as a driver gives it: as text, with a zone or without one, which is UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@pytest.fixture
def store(engine, make_store):
    """A store of a carrier to whom parcels come back that were paid for."""
    return make_store(engine, RETURNS)


@pytest.fixture
def ledger(store, make_ledger):
    """That carrier's ledger."""
    return make_ledger(store, RETURNS)


@pytest.fixture
def season(ledger, store, make_shop, clock):
    """A function that gives two shops some days of cash, by chance, and returns their codes.

    Scans come late and twice, cash is corrected back and forth, amounts change.
    """

    def happen(seed, *, days=MONTH):
        chance, began = random.Random(seed), clock()
        codes = [make_shop(store), make_shop(store)]
        parcels = []
        for hour in range(0, days * 24, 6):
            clock.set(began + timedelta(hours=hour, microseconds=chance.randrange(10**6)))
            if len(parcels) < 2 * PARCELS and chance.random() < 0.4:
                parcels.append(_opened(ledger, chance, codes, len(parcels)))
            for code, number in chance.sample(parcels, min(2, len(parcels))):
                _happen(ledger, store, chance, clock(), code, number)
        return codes

    return happen


def _opened(ledger, chance, codes, number):
    ref = FulfillmentRef(shop=codes[number % 2], order_id=f"o{number}", fulfillment_id=f"{number}")
    ledger.open(Opening(ref=ref, cod_amount=chance.randrange(1, 10**6)))
    return ref.shop, ref.fulfillment_id


def _happen(ledger, store, chance, now, code, number):
    """Let one thing happen to a parcel; what is refused is refused."""
    late = timedelta(hours=chance.choice([0, 0, 1, 30, 200]), seconds=chance.randrange(3600))
    event = {"shop": code, "fulfillment_id": number, "occurred_at": now - late}
    what = chance.random()
    if what < 0.7:
        status = chance.choices([*SCANS], [*SCANS.values()])[0]
        ledger.record(Event(status=status, fill_gaps=True, **event))
        return
    if what < 0.85:
        who = {"actor": "lan", "reason": "counted again", "source": Source.OPERATOR}
        with suppress(InvalidInput):  # it stands there already
            ledger.amend(Event(status=chance.choice(CASH), **event, **who))
    else:
        _revise(store, code, number, chance.randrange(1, 10**6), now)


def _revise(store, code, number, amount, now, *, skip=0):
    """Change what a parcel is to bring, as a row of its terms; or as one that skips some."""
    with store.begin() as connection:
        of = store.shop(code).id
        mine = (fulfillments.c.shop == of) & (fulfillments.c.fulfillment_id == number)
        parcel = connection.execute(fulfillments.select().where(mine)).one()
        rows = connection.execute(terms.select().where(terms.c.fulfillment == parcel.id)).all()
        row = dict(max(rows, key=lambda each: each.number)._mapping)
        row |= {"number": row["number"] + 1 + skip, "cod_amount": amount, "recorded_at": now}
        row |= {"actor": "lan", "reason": "agreed anew", "source": "operator"}
        del row["id"]
        connection.execute(insert(terms), row)
        connection.execute(update(fulfillments).where(mine).values(cod_amount=amount))


def _days(seed, clock):
    """Return a hundred days, in their order, among them days before and after everything."""
    chance, last = random.Random(seed), clock().date()
    return sorted(last - timedelta(days=chance.randrange(-3, DAYS + 10)) for _ in range(100))


@pytest.mark.slow
@pytest.mark.parametrize("basis", Basis)
def test_a_hundred_days_tie_to_the_dong(reports, store, season, clock, basis):
    """Each day opens and closes with what the tables say, parcel by parcel, of those moments."""
    codes = season(1, days=DAYS)
    books = {code: Book(store, code, basis) for code in codes}
    for day in _days(2, clock):
        since, until = begin_of(day), end_of(day)
        for code, book in books.items():
            found = reports.cash_movements(since, until, basis=basis, shop=code, moves=True)
            total = found.total

            assert book.held(since - TICK) == total.opening
            assert book.held(until) == total.closing
            assert total.closing == (
                total.opening
                + (total.collected - total.remitted - total.returned)
                + (total.corrected + total.revised)
            )
            assert {day_of(since)} >= {row.day for row in found.rows}


@pytest.mark.parametrize("basis", Basis)
def test_each_movement_is_what_its_parcel_did(reports, store, season, clock, basis):
    """What a parcel held before and after its moments differs by what is named, and by no more."""
    code, _ = season(11, days=2 * MONTH)
    book = Book(store, code, basis)
    found = reports.cash_movements(
        clock() - timedelta(days=DAYS), basis=basis, shop=code, moves=True
    )
    named = {}
    for move in found.moves:
        key = move.ref.fulfillment_id, move.at
        named[key] = named.get(key, 0) + move.amount
    wanted = {}
    for parcel in book.entries:
        moments = {entry[2] for entry in (*book.entries[parcel], *book.ways[parcel])}
        moments |= {row[2] for row in book.amounts[parcel]}
        for at in moments:
            change = book.held_of(parcel, at) - book.held_of(parcel, at - TICK)
            if change:
                wanted[parcel, at] = change

    assert wanted == {key: amount for key, amount in named.items() if amount}
    assert {*MoveKind} == {move.kind for move in found.moves}
    assert sorted(move.at for move in found.moves) == [move.at for move in found.moves]


def test_days_and_shops_add_up_to_the_same(reports, season, clock):
    """Each day opens with what the day before closed with, and all shops are all days."""
    codes = season(4)
    since = clock() - timedelta(days=MONTH - 10)
    days = reports.cash_movements(since)
    shops = reports.cash_movements(since, by=GroupBy.SHOP)
    each = [reports.cash_movements(since, shop=code).total for code in codes]
    mine = [row for row in shops.rows if row.shop in codes]

    assert days.total == shops.total
    assert all(row.closing == after.opening for row, after in pairwise(days.rows))
    assert [row.day for row in days.rows] == sorted({row.day for row in days.rows})
    assert sorted(codes) == [row.shop for row in mine]
    for name in (
        "opening",
        "collected",
        "remitted",
        "returned",
        "corrected",
        "revised",
        "closing",
        "moves",
    ):
        assert sum(getattr(row, name) for row in mine) == sum(getattr(row, name) for row in each)


def test_what_was_recorded_never_changes(reports, ledger, season, clock):
    """By the clock of recording, a month that is over stays what it was; by the other it moves."""
    code, _ = season(5)
    month = (clock() - timedelta(days=20), clock() - timedelta(days=10))
    known = reports.cash_movements(*month, basis=Basis.KNOWN, shop=code, moves=True)
    was = reports.cash_movements(*month, shop=code, moves=True)
    moved = next(move for move in known.moves if move.kind is MoveKind.COLLECTED)
    who = {"actor": "lan", "reason": "never collected", "source": Source.OPERATOR}
    event = {"shop": code, "fulfillment_id": moved.ref.fulfillment_id}
    clock.advance(hours=1)
    for status in CASH[::-1]:
        with suppress(InvalidInput):
            ledger.amend(Event(status=status, occurred_at=month[0], **event, **who))

    again = reports.cash_movements(*month, basis=Basis.KNOWN, shop=code, moves=True)
    assert known == again
    assert was != reports.cash_movements(*month, shop=code, moves=True)


def test_the_parcels_own_row_is_not_believed(reports, store, season, clock):
    """An amount that somebody edited moves nothing: what was agreed stands in rows of its own."""
    code, _ = season(6)
    since, until = clock() - timedelta(days=MONTH), clock()
    before = reports.cash_movements(since, until, shop=code)
    with store.begin() as connection:
        mine = fulfillments.c.shop == store.shop(code).id
        connection.execute(update(fulfillments).where(mine).values(cod_amount=1))

    assert before == reports.cash_movements(since, until, shop=code)


def test_terms_with_a_gap_are_found(reports, store, season, clock):
    """Where the movements do not lead to what is held there is no answer, but who can say why."""
    code, _ = season(6)
    held = reports.cod(shop=code, parcels=True).held[0]
    clock.advance(hours=1)
    _revise(store, code, held.ref.fulfillment_id, held.amount + 1, clock(), skip=1)

    with pytest.raises(HistoryBroken, match="audit verify"):
        reports.cash_movements(clock() - timedelta(days=1), shop=code)


def test_an_end_before_the_beginning_is_refused(reports, clock):
    """A span the wrong way round is a mistake, not an empty answer."""
    with pytest.raises(InvalidInput, match="before"):
        reports.cash_movements(clock(), clock() - timedelta(days=1))
