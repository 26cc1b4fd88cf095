"""An import brings everything that a platform has, or names what it could not bring."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    Opening,
    RemoteOrder,
    RemoteWord,
    Status,
    Unreadable,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile import changes
from carrierflow.reconcile.backfill import import_shop
from carrierflow.storage.queries import known_ids
from carrierflow.storage.reconcile import SqlReconcileStore


PAGE = 3
TICK = timedelta(milliseconds=1)
OURS, THEIRS = "carrier", "ghn2018"
TOO_LONG = "9" * 200


@dataclass
class Parcel:
    """A fulfillment as the platform keeps it."""

    company: str = OURS
    tracking: str = "AB1"
    status: Status = Status.PICKING
    readable: bool = True


@dataclass
class Order:
    """An order as the platform keeps it."""

    updated_at: object
    parcels: dict = field(default_factory=dict)


class Platform:
    """Haravan's list of orders, as its reference has it: filtered, sorted, and cut into pages.

    `updated_at_min` is inclusive, `order=updated_at asc` says nothing of orders of one time, and
    each request sees the orders of its moment. Between two requests people do things: a plan
    says what, a list for each request.
    """

    def __init__(self, shop, clock, seed):
        self.shop, self.now = shop, clock()
        self.orders, self.requests, self.ever, self.before = {}, 0, set(), set()
        self.plan = []
        self._chance = random.Random(seed)
        self._numbers = count(1)
        self._ties = self._chance.choice([1, -1])

    def is_ours(self, seen):
        """Tell whether a fulfillment is this carrier's."""
        return seen.tracking_company_code == OURS

    def orders_changed(self, since, *, page=1):
        """Answer one request for a page."""
        self.requests += 1
        if self.plan:
            for act in self.plan.pop(0):
                act()
        found = [(o.updated_at, int(name) * self._ties, name) for name, o in self.orders.items()]
        wanted = sorted(each for each in found if each[0] >= since)
        return tuple(self._shown(name) for *_, name in wanted[PAGE * (page - 1) : PAGE * page])

    def add(self, updated_at=None):
        """Make an order with a parcel or two, one in ten of which are odd in some way."""
        name = str(next(self._numbers))
        order = self.orders[name] = Order(updated_at or self.stamp())
        for number in range(self._chance.choice([1, 1, 1, 2])):
            odd = self._chance.choice([{}] * 12 + [{"company": THEIRS}] * 2 + ODDITIES)
            order.parcels[f"{name}{number}"] = Parcel(**odd)
        self.ever |= self.ours()

    def stamp(self):
        """Return the time of a change: no two have the same but those of one bulk edit."""
        self.now += TICK
        return self.now

    def edit(self, share):
        """Change some orders at one time, as a bulk edit does; odd parcels may be mended by it."""
        moment = self.stamp()
        for order in self.orders.values():
            if self._chance.random() < share:
                order.updated_at = moment
                for parcel in order.parcels.values():
                    if self._chance.random() < 0.3 and parcel.company == OURS:
                        parcel.tracking, parcel.readable = "AB1", True

    def delete(self, share):
        """Delete some orders."""
        for name in [name for name in self.orders if self._chance.random() < share]:
            del self.orders[name]

    def ours(self):
        """Return the ids of this carrier's fulfillments, those that cannot be read among them."""
        return {
            name
            for order in self.orders.values()
            for name, parcel in order.parcels.items()
            if parcel.company == OURS
        }

    def _shown(self, name):
        order = self.orders[name]
        parcels = order.parcels.items()
        return RemoteOrder(
            order_id=name,
            updated_at=order.updated_at,
            cancelled=False,
            fulfillments=tuple(
                self._seen(name, number, parcel, order.updated_at)
                for number, parcel in parcels
                if parcel.readable
            ),
            unreadable=tuple(
                Unreadable(place="", reason="odd", digest=n, order_id=name, fulfillment_id=n)
                for n, parcel in parcels
                if not parcel.readable
            ),
        )

    def _seen(self, name, number, parcel, moment):
        ref = FulfillmentRef(shop=self.shop, order_id=name, fulfillment_id=number)
        return Observation(
            ref=ref,
            asked_at=self.now,
            seen_at=self.now,
            carrier=RemoteWord(raw=str(parcel.status), status=parcel.status),
            cod=RemoteWord(raw="none", status=Status.NONE),
            updated_at=moment,
            updated_at_raw=moment.isoformat(),
            created_at=moment - timedelta(hours=2),
            dates={Status.PICKING: moment - timedelta(hours=1)},
            tracking_number=parcel.tracking,
            tracking_company_code=parcel.company,
        )


ODDITIES = [{"tracking": TOO_LONG}, {"readable": False}]


@pytest.fixture
def run(sqlite_store, make_shop, clock, monkeypatch):
    """Import a shop, and return the platform, what was found, and what the ledger knows then."""
    monkeypatch.setattr(changes, "BATCH", PAGE)
    lifecycle = Lifecycle(DEFAULT)
    ledger = Ledger(sqlite_store, lifecycle, clock=clock)

    def run(seed, prepare):
        code = make_shop(sqlite_store)
        platform = Platform(code, clock, seed)
        prepare(platform, random.Random(seed), ledger)
        *_, found = import_shop(
            sqlite_store.shop(code),
            platform=platform,
            store=SqlReconcileStore(sqlite_store),
            ledger=ledger,
            lifecycle=lifecycle,
            clock=clock,
        )
        with sqlite_store.reading() as connection:
            return platform, found, known_ids(connection, code, sorted(platform.ever))

    return run


def a_busy_shop(platform, chance, ledger):
    """Fill a shop, of which the ledger knows a little, and plan what happens between pages."""
    began = platform.now - timedelta(days=10)
    for _ in range(chance.randrange(16)):
        platform.add(began + timedelta(days=chance.choice([0, 0, 0, 1, 2, 3])))
    for number in sorted(platform.ours())[: chance.randrange(3)]:
        ref = FulfillmentRef(shop=platform.shop, order_id=number[:-1], fulfillment_id=number)
        ledger.open(Opening(ref=ref))
        platform.before.add(number)
    acts = [
        platform.add,
        lambda: [platform.add() for _ in range(4)],
        lambda: platform.edit(1),
        lambda: platform.edit(0.5),
        lambda: platform.delete(0.2),
    ]
    for _ in range(chance.randrange(8)):
        platform.plan.append([chance.choice(acts) for _ in range(chance.choice([0, 1, 1, 2]))])


def accounted(platform, found, known):
    """Check that what a platform has at the end was brought in or is named, each thing once."""
    named = {each.fulfillment_id for each in found.unopened}
    assert found.settled
    assert found.imported == len(known - platform.before)
    assert len(platform.before & platform.ours()) <= found.skipped <= len(platform.before)
    assert len(named) == len(found.unopened)
    assert not named & known
    assert platform.ours() <= named | known <= platform.ever


def some_imports(run, seeds):
    """Import shops that change all the while."""
    for seed in seeds:
        try:
            accounted(*run(seed, a_busy_shop))
        except AssertionError as error:
            raise AssertionError(f"with the seed {seed}") from error


def test_what_is_imported_and_what_is_named_is_all_there_is(run):
    """Under edits, deletions and insertions between any two pages nothing is left out."""
    some_imports(run, range(25))


@pytest.mark.slow
def test_a_thousand_imports_leave_nothing_out(run):
    """The same a thousand times."""
    some_imports(run, range(1_000, 2_000))


def test_a_bulk_edit_between_two_pages_leaves_nothing_out(run):
    """All orders are changed at one time while the second page is asked for."""

    def prepare(platform, _chance, _ledger):
        for day in range(12):
            platform.add(platform.now - timedelta(days=20 - day))
        platform.plan = [[], [lambda: platform.edit(1)]]

    accounted(*run(1, prepare))


def test_a_deletion_between_two_pages_of_one_time_leaves_nothing_out(run):
    """Where orders of one time go, the others move up over the edges of pages."""

    def prepare(platform, _chance, _ledger):
        moment = platform.now - timedelta(days=1)
        for _ in range(12):
            platform.add(moment)
        platform.plan = [[], [], [], lambda: None, []]
        platform.plan[2] = [lambda: platform.orders.pop(min(platform.orders, key=int))]
        platform.plan[3] = [lambda: platform.orders.pop(max(platform.orders, key=int))]

    accounted(*run(2, prepare))


def test_a_change_that_surfaces_late_is_brought_by_the_next_pass(run):
    """An order that appears behind where a pass is, is read when what came since is read again."""

    def prepare(platform, _chance, _ledger):
        for minute in range(9):
            platform.add(platform.now - timedelta(minutes=9 - minute))
        late = platform.now - timedelta(minutes=4)
        platform.plan = [[], [], [], [lambda: platform.add(late)]]

    accounted(*run(6, prepare))


def test_a_parcel_that_cannot_be_taken_costs_only_itself(run):
    """A waybill of 200 characters and a row that cannot be read are named, each with its why."""

    def prepare(platform, _chance, _ledger):
        for _ in range(7):
            platform.add()
        for order in platform.orders.values():
            order.parcels = {name: Parcel() for name in order.parcels}
        platform.orders["2"].parcels = {"20": Parcel(tracking=TOO_LONG)}
        platform.orders["6"].parcels = {"60": Parcel(readable=False), "61": Parcel()}
        platform.ever |= platform.ours()

    platform, found, known = run(3, prepare)

    accounted(platform, found, known)
    assert [
        ("2", "20", "The tracking number must have 1 to 128 characters."),
        ("6", "60", "It cannot be read: odd."),
    ] == [(each.order_id, each.fulfillment_id, each.why) for each in found.unopened]
    assert "61" in known


def test_a_shop_that_never_stands_still_is_said_to(run):
    """Where each page is all new changes of known orders, the import ends, and says so."""

    def prepare(platform, _chance, _ledger):
        for _ in range(9):
            platform.add()
        platform.plan = [[lambda: platform.edit(1)] for _ in range(10_000)]

    platform, found, _ = run(4, prepare)

    assert not found.settled
    assert platform.requests < 1_000


def test_imported_parcels_were_taken_up_when_the_platform_says(run, sqlite_store):
    """An opening bears the platform's date, and all of it is inferred."""

    def prepare(platform, _chance, _ledger):
        platform.add(platform.now - timedelta(days=3))
        platform.orders["1"].parcels = {"10": Parcel()}

    platform, _, _ = run(5, prepare)

    updated = platform.orders["1"].updated_at
    with sqlite_store.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT to_status, occurred_at, inferred FROM carrierflow_history ORDER BY machine, seq"
        ).all()
    created, picked = (updated - timedelta(hours=hours) for hours in (2, 1))
    assert [("none", created, 1), ("readytopick", created, 1), ("picking", picked, 1)] == [
        (status, created if text[:19] == f"{created:%Y-%m-%dT%H:%M:%S}" else picked, guess)
        for status, text, guess in rows
    ]
