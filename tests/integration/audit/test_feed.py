"""The feed: what was committed comes once and in order, whoever writes, seals or reads."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Event as Flag

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carrierflow.audit.feed.feed import Feed
from carrierflow.audit.log.sql import SealLease
from carrierflow.domain.decision import DecisionKind
from carrierflow.domain.feed_entry import FeedKind
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import ConcurrentUpdate, InvalidInput, UnknownShop
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore
from carrierflow.storage.tables import decisions, fulfillments, history, log
from integration.storage.plans import rows_read, statements

from .every_kind import tell_everything


WRITERS = 8
SPAN = timedelta(seconds=60)


def feed_of(book, **options):
    """Return the feed of a ledger that nobody seals; without a key, unless one is named."""
    return Feed(book.store, book.sealer(key_file=False, **options).sequencer)


def read_on(feed, after=None, *, limit=1000, shop=None):
    """Read page after page until there is nothing more; return the entries, and where it ended."""
    found = []
    while True:
        page = feed.page(after=after, limit=limit, shop=shop)
        found += page.entries
        after = page.next
        if len(page.entries) < limit:
            return found, after


def committed(book):
    """Return the names of all steps and incidents' news of a ledger, by SQL of our own."""
    steps = select(fulfillments.c.fulfillment_id, history.c.machine, history.c.seq).join_from(
        history, fulfillments
    )
    news = select(decisions.c.incident, decisions.c.what)
    with book.store.reading() as connection:
        found = [("step", *row) for row in connection.execute(steps)]
        found += [
            ("incident", str(number), what)
            for number, what in connection.execute(news)
            if what in {"opened", "reopened", "closed", "resolved", "resumed"}
        ]
    return Counter(found)


def names(entries):
    """Name what entries of the feed tell of, as `committed` does."""
    return Counter(
        ("step", e.fulfillment_id, e.machine, e.seq)
        if e.kind is FeedKind.TRANSITION
        else ("incident", e.incident, e.what)
        for e in entries
    )


def assert_in_order(entries):
    """Places only grow, and of each machine of a parcel every step comes after the one before."""
    assert all(a.position < b.position for a, b in itertools.pairwise(entries))
    chains = {}
    for each in entries:
        if each.kind is FeedKind.TRANSITION:
            chain = (each.shop, each.fulfillment_id, each.machine)
            assert each.seq == chains.get(chain, 0) + 1, chain
            chains[chain] = each.seq


def test_everything_that_was_committed_comes_once(own_book):
    """Steps, and the beginnings and ends of incidents, with all that they say; nothing else."""
    tell_everything(own_book)

    found, end = read_on(feed_of(own_book))

    assert committed(own_book) == names(found)
    assert_in_order(found)
    with own_book.store.reading() as connection:
        places = list(connection.execute(select(log.c.position).order_by(log.c.position)).scalars())
    assert list(range(end + 1)) == places
    assert {e.position for e in found} < set(places)
    step = next(e for e in found if (e.machine, e.seq) == ("delivery", 2))
    assert (own_book.shop, "1", "readytopick", "picking", "carrier", None) == (
        *(step.shop, step.fulfillment_id, step.from_status, step.to_status),
        *(step.source, step.actor if step.fulfillment_id == "3" else None),
    )
    (incident,) = (e for e in found if e.kind is FeedKind.INCIDENT)
    assert ("stuck", DecisionKind.OPENED, "1", own_book.shop) == (
        *(incident.incident_kind, incident.what),
        *(incident.fulfillment_id, incident.shop),
    )


def test_a_second_look_finds_only_what_is_new(own_book):
    """Whoever reads on from where they were meets nothing twice, and an empty end stays an end."""
    feed = feed_of(own_book)
    own_book.record(2)
    first, after = read_on(feed)
    again, same = read_on(feed, after)
    assert ([], after) == (again, same)

    own_book.record(2, first=10)
    more, _ = read_on(feed, after)

    assert committed(own_book) == names(first + more)
    assert_in_order(first + more)


@pytest.mark.parametrize("has_key", [True, False])
def test_sealed_or_not_the_feed_is_the_same(own_book, has_key):
    """Whoever gives the places, the feed has them: there need be no key, and may be one."""
    own_book.record(3)
    sealer = own_book.sealer(key_file=None if has_key else False)
    sealer.seal()
    own_book.record(3, first=10)

    found, _ = read_on(Feed(own_book.store, sealer.sequencer))
    sealer.seal()

    assert committed(own_book) == names(found)
    assert found == read_on(Feed(own_book.store, sealer.sequencer))[0]


def test_while_somebody_seals_the_feed_ends_earlier_and_skips_nothing(own_book):
    """What a sealer is about to place is not waited for; once it died, its lease ends."""
    feed = feed_of(own_book)
    own_book.record(1)
    first, after = read_on(feed)
    own_book.record(1, first=10)
    lease = SealLease(own_book.store.database_clock)
    own_book.store.transact(lambda c: lease.claim(c, "another", SPAN))

    assert ([], after) == read_on(feed, after)

    own_book.clock.advance(SPAN + timedelta(seconds=1))
    more, _ = read_on(feed, after)
    assert committed(own_book) == names(first + more)


def test_readers_do_not_turn_a_sealer_away(own_book):
    """Four readers who place what they read never make a seal fail."""
    over = Flag()

    def follow():
        feed, after, found = feed_of(own_book), None, []
        while not over.is_set():
            more, after = read_on(feed, after)
            found += more
        return found + read_on(feed, after)[0]

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(follow) for _ in range(4)]
        try:
            sealer = own_book.sealer()
            for number in range(15):
                own_book.record(1, first=100 + number)
                sealer.seal()
        finally:
            over.set()
        everything = committed(own_book)
        for reader in readers:
            assert everything == names(reader.result())


def test_what_is_committed_late_comes_late(server_book):
    """A transaction that began before a reader looked and ends after it is not skipped."""
    book, feed = server_book, feed_of(server_book)
    book.record(1)
    with book.store.engine.connect() as host:
        joined = JoinedStore(host, DEFAULT, clock=book.clock)
        book.record(1, first=50, ledger=Ledger(joined, Lifecycle(DEFAULT), clock=book.clock))
        book.record(1, first=60)
        first, after = read_on(feed)
        assert "50" not in {e.fulfillment_id for e in first}
        host.commit()

    more, _ = read_on(feed, after)

    assert {"50"} == {e.fulfillment_id for e in more}
    assert committed(book) == names(first + more)


def test_under_eight_writers_every_committed_step_comes_once(own_book):
    """Some of them roll back, and a reader reads all the while: nothing is skipped or doubled."""
    book, feed = own_book, feed_of(own_book)
    parcels = [book.make_shop() for _ in range(WRITERS)]

    def write(number):
        book_of = Lifecycle(DEFAULT)
        for turn in range(6):
            with book.store.engine.connect() as host:
                store = JoinedStore(host, DEFAULT, clock=book.clock)
                ledger = Ledger(store, book_of, clock=book.clock)
                with suppress(ConcurrentUpdate):
                    for status in (Status.PICKING, Status.DELIVERING):
                        ledger.record(event(parcels[number], f"{number}-{turn}", status))
                    (host.rollback if turn % 3 == 2 else host.commit)()

    found, after = [], None
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, number) for number in range(WRITERS)]
        while not all(writer.done() for writer in writers):
            more, after = read_on(feed, after, limit=7)
            found += more
        for writer in writers:
            writer.result()
    found += read_on(feed, after, limit=7)[0]

    assert committed(book) == names(found)
    assert_in_order(found)
    assert len(found) >= WRITERS * 4


def event(shop, fulfillment_id, status):
    """Return a step of a parcel that it may open."""
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=fulfillment_id)
    return Event(shop=shop, fulfillment_id=fulfillment_id, status=status, opening=Opening(ref=ref))


@pytest.fixture
def told(book):
    """A ledger of two shops with every kind of entry, its feed, and all that is in it."""
    tell_everything(book)
    other = book.make_shop()
    book.record(3, first=500, shop=other)
    feed = feed_of(book)
    return book, other, feed, read_on(feed)[0]


@given(limits=st.lists(st.integers(1, 9), min_size=1), of_shop=st.sampled_from([None, 0, 1]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_however_it_is_paged_it_is_the_same_feed(told, limits, of_shop):
    """Pages of any sizes, end to end, are the whole; of one shop, what the whole has of it."""
    book, other, feed, whole = told
    shop = None if of_shop is None else (book.shop, other)[of_shop]
    found, after, sizes = [], None, itertools.cycle(limits)
    while True:
        limit = next(sizes)
        page = feed.page(after=after, limit=limit, shop=shop)
        assert after is None or after <= page.next
        assert len(page.entries) <= limit
        found += page.entries
        after = page.next
        if len(page.entries) < limit:
            break

    assert [e for e in whole if shop in {None, e.shop}] == found
    assert whole[-1].position <= after


@given(after=st.integers(0, 99), upto=st.integers(0, 99), limit=st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_page_between_two_places_holds_what_stands_there(told, after, upto, limit):
    """A page that has an end holds the first entries up to it, and leads no further."""
    _, _, feed, whole = told
    after %= whole[-1].position

    page = feed.page(after=after, upto=upto, limit=limit)

    between = [e for e in whole if after < e.position <= upto]
    assert tuple(between[:limit]) == page.entries
    assert page.next <= max(after, upto)


def test_a_page_costs_what_it_holds(own_book):
    """However long the log is, a page in the middle of it reads some rows for each entry."""
    own_book.record(400)
    feed, engine = feed_of(own_book), own_book.store.engine
    whole, _ = read_on(feed)
    analyze(engine)

    with statements(engine) as asked:
        page = feed.page(after=900, limit=20)

    assert tuple(e for e in whole if e.position > 900)[:20] == page.entries
    assert sum(rows_read(engine, *each) for each in asked) < len(whole) / 4


def analyze(engine):
    """Let a database count what is in its tables, as each does by itself now and then."""
    statement = "ANALYZE"
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        statement = "ANALYZE TABLE carrierflow_log, carrierflow_history, carrierflow_fulfillments"
    with engine.connect() as connection:
        connection.exec_driver_sql(statement).close()
        connection.commit()


@pytest.mark.parametrize("limit", [0, 10_001])
def test_a_page_has_a_size(book, limit):
    """A page of nothing, or of too much, is refused."""
    with pytest.raises(InvalidInput, match="1 to 10000"):
        feed_of(book).page(limit=limit)


def test_a_place_that_was_never_given_is_refused(own_book):
    """Whoever comes from another database, or from a later copy of it, is told so."""
    own_book.record(1)
    feed = feed_of(own_book)
    _, end = read_on(feed)

    assert () == feed.page(after=end).entries
    with pytest.raises(InvalidInput, match="another database"):
        feed.page(after=end + 1)
    with pytest.raises(UnknownShop):
        feed.page(shop="nobody")
