"""What it costs to record: a scan, an opening in a host's transaction, many scans, journeys."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from databases import create

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.clock import now
from carrierflow.domain.model import Verdict
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.shops import add_shop

from .hand_written import HandWritten
from .journeys import ROWS_PER_JOURNEY, SHOP, at_picking, journeys, openings, scans
from .measure import Spread, race, rates, ratios
from .peers import PEERS, Base
from .results import Budget, Figure
from .servers import ServerTime, settle


__all__ = ["OURS", "Field", "recording"]

OURS, BY_HAND = "carrierflow", "Core by hand"
CHUNK = 2_000
"""Scans in a transaction, for everybody; what `record-file` does."""

MOST_OF_BY_HAND, MOST_OF_OPENING = 0.9, 1.25
LEAST_OF_PEERS = 20
LEAST_ROWS = {"sqlite": 30_000, "postgres": 17_000, "mariadb": 12_000}


class Work:
    """What everybody does in one round."""

    def __init__(self, name, events, *, parcels, chunk, known):
        self.name, self._events, self.parcels = name, events, parcels
        self.chunk, self.known = chunk, known

    @property
    def scans(self):
        """How many scans there are in one round."""
        return len(self._events(0, 1)) * self.parcels

    def before(self, first):
        """Return what brings the round's parcels to where its scans find them."""
        return at_picking(first, self.parcels) if self.known else []

    def events(self, first):
        """Return the scans of a round whose parcels are numbered from `first`."""
        return self._events(first, self.parcels)


class Contestant:
    """Somebody who records scans, of fresh parcels in every round."""

    def __init__(self, record, work, *, opener, place):
        self._record, self._work = record, work
        self._opener, self._place = opener, place

    def prepare(self, number):
        """Bring the round's parcels where they belong, and return what is to be timed."""
        first = (self._place + number) * 1_000_000
        _in_chunks(self._opener, self._work.before(first), CHUNK)
        events, chunk = self._work.events(first), self._work.chunk
        return lambda: _in_chunks(self._record, events, chunk)


class Host:
    """A backend that begins parcels, each in a transaction of its own."""

    def __init__(self, engine, opens, count, *, place):
        self._engine, self._opens, self._count, self._place = engine, opens, count, place

    def prepare(self, number):
        """Return what opens the round's parcels."""
        return partial(self._open, openings((self._place + number) * 1_000_000, self._count))

    def _open(self, openings):
        for opening in openings:
            with self._engine.begin() as connection:
                self._opens(connection, opening)


def recording(kinds, size, folder):
    """Run all contestants on all databases; yield figures and budgets."""
    for kind in kinds:
        with ExitStack() as stack:
            field = Field(kind, stack.enter_context(create(kind, folder)), stack)
            field.fill(size)
            yield from field.one_scan(size)
            yield from field.one_opening(size)
            yield from field.a_shift(size)
            yield from field.an_export(size)


class Field:
    """All contestants on one database."""

    def __init__(self, kind, database, stack):
        self.kind, self._places = kind, 1
        self._engine = engine = database.build()
        self.server = ServerTime(engine)
        settings = Settings(database_url=database.url, secret_key=generate_key())
        self.app = app = build(settings, engine=engine)
        stack.callback(engine.dispose)
        shop = {"code": SHOP, "platform": "haravan", "base_url": "http://127.0.0.1"}
        with app.store.begin() as connection:
            add_shop(connection, shop | {"carrier_code": "us", "token": b"-", "added_at": now()})
        Base.metadata.create_all(engine)
        self.ours = {OURS: Ours(app.ledger).record}
        by_hand = HandWritten(engine, SHOP)
        self.by_hand = {BY_HAND: by_hand.record}
        self.openers = {
            OURS: lambda connection, opening: app.joined(connection).open(opening),
            BY_HAND: by_hand.open,
        }
        self.peers = {name: peer(engine).record for name, peer in PEERS.items()}

    def record(self, events):
        """Record some events, in transactions of the usual size."""
        _in_chunks(self.ours[OURS], events, CHUNK)

    def fill(self, size):
        """Let there be parcels before, as in a ledger that is in use."""
        self.record(journeys(self._places * 1_000_000, size.export))
        self._places += 1
        settle(self._engine)

    def one_scan(self, size):
        """One scan, one transaction: what a backend does while its courier waits."""
        work = Work("one scan", scans, parcels=size.singles, chunk=1, known=True)
        timings = self._race(self.ours | self.by_hand | self.peers, work, size.rounds)
        for who, rounds in timings.items():
            micros = Spread.of([timing.busy / work.parcels * 1e6 for timing in rounds])
            yield self._figure(work, who, micros, "µs")
        ratio = ratios(timings[OURS], timings[BY_HAND])
        promise = "one scan, against Core by hand"
        yield Budget(promise=promise, where=self.kind, limit=MOST_OF_BY_HAND, spread=ratio)

    def one_opening(self, size):
        """One parcel that begins, in a transaction that is the host's own."""
        contestants = {}
        for who, opens in self.openers.items():
            contestants[who] = Host(self._engine, opens, size.singles, place=self._places)
            self._places += size.rounds
        timings = race(contestants, rounds=size.rounds, elsewhere=self.server)
        for who, rounds in timings.items():
            spread = Spread.of([timing.busy / size.singles * 1e6 for timing in rounds])
            yield Figure(bench="one opening", where=self.kind, who=who, spread=spread, unit="µs")
        yield Budget(
            promise="one opening in a host's transaction, against Core by hand",
            where=self.kind,
            limit=MOST_OF_OPENING,
            spread=ratios(timings[OURS], timings[BY_HAND]),
        )

    def a_shift(self, size):
        """The next scan of many known parcels: each is read, judged, moved."""
        work = Work("a shift", scans, parcels=size.shift, chunk=CHUNK, known=True)
        timings = self._race(self.ours | self.by_hand, work, size.rounds)
        for who, rounds in timings.items():
            yield self._figure(work, who, rates(rounds, work.parcels), "rows/s")

    def an_export(self, size):
        """Whole journeys of new parcels: what a first import or a nightly file brings."""
        work = Work("an export", journeys, parcels=size.export, chunk=CHUNK, known=False)
        rows = work.parcels * ROWS_PER_JOURNEY
        (timings,) = self._race(self.ours, work, size.rounds).values()
        yield self._figure(work, OURS, rates(timings, rows), "rows/s")
        if self.kind in LEAST_ROWS:
            yield Budget(
                promise="rows of whole journeys in a second",
                where=self.kind,
                limit=LEAST_ROWS[self.kind],
                spread=rates(timings, rows),
                unit="rows/s",
                at_least=True,
            )
        yield from self._against_peers(size)

    def _against_peers(self, size):
        work = Work("an export, in scans", journeys, parcels=size.peers, chunk=CHUNK, known=False)
        timings = self._race(self.ours | self.peers, work, size.peer_rounds)
        for who, rounds in timings.items():
            yield self._figure(work, who, rates(rounds, work.scans), "scans/s")
        slowness = [ratios(timings[peer], timings[OURS]) for peer in self.peers]
        yield Budget(
            promise="whole journeys, against the fastest peer",
            where=self.kind,
            limit=LEAST_OF_PEERS,
            spread=min(slowness, key=lambda spread: spread.value),
            at_least=True,
        )

    def _race(self, recorders, work, rounds):
        """Let everybody work, each round on parcels that nobody has seen."""
        contestants = {}
        for who, record in recorders.items():
            opener = self.ours[OURS] if who == BY_HAND else record
            contestants[who] = Contestant(record, work, opener=opener, place=self._places)
            self._places += rounds
        return race(contestants, rounds=rounds, elsewhere=self.server)

    def _figure(self, work, who, spread, unit):
        return Figure(bench=work.name, where=self.kind, who=who, spread=spread, unit=unit)


class Ours:
    """The library as a carrier's backend calls it."""

    def __init__(self, ledger):
        self._ledger = ledger

    def record(self, events):
        """Record one scan, or many; every one of them is legal."""
        if len(events) == 1:
            answers = [self._ledger.record(events[0])]
        else:
            answers = self._ledger.record_many(events, chunk=len(events))
        for answer in answers:
            if answer.verdict != Verdict.ACCEPTED:
                raise RuntimeError(answer.sentence)


def _in_chunks(record, events, chunk):
    for start in range(0, len(events), chunk):
        record(events[start : start + chunk])
