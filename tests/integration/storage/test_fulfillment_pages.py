"""Lists of fulfillments: what is on them, what a page reads, and what moves meanwhile."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text, update

from carrierflow.domain.listing import FulfillmentQuestion
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status
from carrierflow.errors import InvalidInput, UnknownShop
from carrierflow.storage import upgrade
from carrierflow.storage.fulfillment_pages import fulfillment_page
from carrierflow.storage.ledger import NEW_HEADS
from carrierflow.storage.migrate import VERSION_TABLE
from carrierflow.storage.migrations.versions import r0019_listing
from carrierflow.storage.tables import fulfillments, history, shops

from .plans import rows_read, statements


ON_THE_ROAD = [Status.PICKING, Status.DELIVERING, Status.DELIVERED]
ORDERS = 7
WAYBILLS = 5


def pages(store, *, limit=3, most=None, between=lambda: None, **asked):
    """Return the pages of a list, from the first to the last, or so many of them at most."""
    question, after, found = FulfillmentQuestion(**asked), None, []
    while True:
        with store.reading() as connection:
            page = fulfillment_page(connection, question, after=after, limit=limit)
        found.append(page.fulfillments)
        after = page.next
        if after is None or len(found) == most:
            return found
        between()


def ids(found):
    """Return the fulfillment ids on some pages."""
    return [parcel.ref.fulfillment_id for page in found for parcel in page]


@pytest.fixture
def town(store, ledger, make_shop, clock):
    """Two shops whose parcels got as far as chance had it; some are frozen, some told."""
    chance, codes = random.Random(17), [make_shop(store), make_shop(store)]
    for number in range(60):
        shop = chance.choice(codes)
        ref = FulfillmentRef(
            shop=shop, order_id=f"o{number % ORDERS}", fulfillment_id=f"{shop}-{number}"
        )
        cash, waybill = chance.choice([None, 7]), chance.choice([None, f"VN-{number % WAYBILLS}"])
        ledger.open(Opening(ref=ref, cod_amount=cash, tracking_number=waybill))
        for status in ON_THE_ROAD[: chance.randrange(4)]:
            clock.advance(minutes=chance.choice([0, 0, 30]))
            event = Event(shop=shop, fulfillment_id=ref.fulfillment_id, status=status)
            ledger.record(event)
    with store.begin() as connection:
        mine = connection.execute(_of(codes)).scalars().all()
        for number in chance.sample(mine, 20):
            values = chance.choice([{"frozen": "diverged"}, {"unpublished": 0}])
            connection.execute(
                update(fulfillments).where(fulfillments.c.id == number).values(values)
            )
    return codes


def _of(codes):
    f = fulfillments.c
    return select(f.id).join(shops, shops.c.id == f.shop).where(shops.c.code.in_(codes))


QUESTIONS = [
    {},
    {"status": Status.READYTOPICK},
    {"status": Status.DELIVERING},
    {"status": Status.DELIVERED},
    {"cod_status": Status.CODPAID},
    {"frozen": True},
    {"frozen": False},
    {"unpublished": True},
    {"unpublished": False},
    {"order_id": "o3"},
    {"tracking_number": "VN-1"},
    {"tracking_number": "nobody's"},
    {"since_before": timedelta(hours=5)},
    {"since_before": timedelta(hours=5), "status": Status.DELIVERED},
    {"status": Status.PICKING, "frozen": True},
    {"status": Status.DELIVERING, "tracking_number": "VN-2"},
]


def test_a_list_holds_what_is_asked_for_once_each_in_its_order(store, town, clock):
    """Page by page it is what one finds by going through all parcels, whatever a page's length.

    Who is asked for is said here in words of Python, and in no SQL.
    """
    unpublished = _unpublished(store, town)
    for shop in town:
        (every,) = pages(store, limit=1_000, shop=shop)
        for question, limit in itertools.product(QUESTIONS, (1, 4, 100)):
            asked = {name: _moment(value, clock) for name, value in question.items()}
            wanted = [parcel for parcel in every if _is_asked(parcel, unpublished, **asked)]
            by = _standing if {"status", "since_before"} & set(asked) else _name

            found = pages(store, limit=limit, shop=shop, **asked)

            told = f"{question}, {limit} on a page"
            assert ids([sorted(wanted, key=by)]) == ids(found), told
            assert all(len(page) == limit for page in found[:-1]), told


def _moment(value, clock):
    return clock() - value if isinstance(value, timedelta) else value


def _unpublished(store, codes):
    """Return how much of each parcel counts as unpublished, by its id; a head says more."""
    f = fulfillments.c
    query = select(f.id, f.unpublished).where(f.id.in_(_of(codes)))
    with store.reading() as connection:
        return {row.id: row.unpublished for row in connection.execute(query)}


def _standing(parcel):
    return parcel.entered_at, parcel.id


def _name(parcel):
    return parcel.ref.fulfillment_id


def _is_asked(
    parcel,
    of,
    *,
    status=None,
    cod_status=None,
    since_before=None,
    frozen=None,
    unpublished=None,
    order_id=None,
    tracking_number=None,
):
    return (
        status in {None, parcel.delivery.status}
        and cod_status in {None, parcel.cod.status}
        and (since_before is None or parcel.entered_at <= since_before)
        and (since_before is None or status or parcel.delivery.status != Status.DELIVERED)
        and frozen in {None, parcel.frozen is not None}
        and unpublished in {None, of[parcel.id] > 0}
        and order_id in {None, parcel.ref.order_id}
        and tracking_number in {None, parcel.tracking_number}
    )


@pytest.mark.parametrize("asked", [{}, {"status": Status.PICKING}], ids=str)
def test_what_stays_comes_once_whatever_the_others_do(asked, store, ledger, make_parcel, clock):
    """Between any two pages parcels come, move on and end; of what stays, none is missed."""
    parcels = [make_parcel(fulfillment_id=f"p{number:02}") for number in range(20)]
    shop = parcels[0].ref.shop
    for parcel in parcels:
        clock.advance(minutes=1)
        record(ledger, parcel.ref, Status.PICKING, clock)
    moving, fresh = iter(parcels[::2]), itertools.count(50)

    def bustle():
        clock.advance(minutes=1)
        if (parcel := next(moving, None)) is not None:
            record(ledger, parcel.ref, Status.DELIVERING, clock)
            come = make_parcel(fulfillment_id=f"p{next(fresh)}")
            record(ledger, come.ref, Status.PICKING, clock)

    found = ids(pages(store, limit=2, shop=shop, between=bustle, **asked))

    assert len(found) == len(set(found))
    assert {parcel.ref.fulfillment_id for parcel in parcels[1::2]} <= set(found)


def record(ledger, ref, status, clock):
    """Record a step that happens now."""
    event = Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=status)
    return ledger.record(event)


def test_a_list_goes_through_all_shops(store, town):
    """Without a shop those of all are on it, each once; one that is not there is named."""
    found = [parcel.ref for page in pages(store, limit=50) for parcel in page]
    with store.reading() as connection:
        mine = connection.execute(_of(town)).scalars().all()

    assert len(found) == len(set(found))
    assert len(mine) == sum(ref.shop in town for ref in found)
    with pytest.raises(UnknownShop):
        pages(store, shop="nowhere")


def test_a_cursor_of_another_list_is_refused(store, town):
    """A page that would leave parcels out is none."""
    question = FulfillmentQuestion(shop=town[0])
    with store.reading() as connection:
        page = fulfillment_page(connection, question, after=None, limit=2)
        with pytest.raises(InvalidInput, match="goes on with another list"):
            fulfillment_page(connection, FulfillmentQuestion(), after=page.next, limit=2)


def test_a_parcel_stands_where_it_is_since_its_last_step(store, ledger, town, clock):
    """That is the time of the delivery's last entry: of the opening, a scan, or a correction."""
    shop = town[0]
    (first,) = pages(store, limit=1_000, shop=shop, status=Status.PICKING)
    told = clock() - timedelta(hours=1)
    correction = {"actor": "lan", "reason": "misread", "occurred_at": told}
    name = first[0].ref.fulfillment_id
    ledger.amend(Event(shop=shop, fulfillment_id=name, status=Status.READYTOPICK, **correction))
    h, f = history.c, fulfillments.c
    last = (
        select(f.id, h.occurred_at)
        .join_from(fulfillments, history, h.fulfillment == f.id)
        .where(h.machine == Machine.DELIVERY, f.id.in_(_of(town)))
        .order_by(f.id, h.seq)
    )
    with store.reading() as connection:
        wanted = {row.id: row.occurred_at for row in connection.execute(last)}

    found = {parcel.id: parcel for page in pages(store, limit=500) for parcel in page}

    assert wanted == {number: found[number].entered_at for number in wanted}
    assert told == found[first[0].id].entered_at


def test_an_upgrade_fills_in_since_when_parcels_stand(
    own_database, make_engine, make_store, make_ledger, make_shop, clock
):
    """A ledger of before is listed as one of now, once it was upgraded."""
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    for number in range(4):
        ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=str(number))
        ledger.open(Opening(ref=ref))
        clock.advance(hours=1)
        if number % 2:
            record(ledger, ref, Status.PICKING, clock)
    wanted = [p.entered_at for page in pages(store) for p in page]
    with engine.begin() as connection:
        connection.execute(update(fulfillments).values(entered_at=None))
        connection.execute(
            text(f"UPDATE {VERSION_TABLE} SET version_num = '{r0019_listing.down_revision}'")
        )

    upgrade(engine)

    assert wanted == [p.entered_at for page in pages(store) for p in page]
    assert None not in wanted


MANY = 4_000
RARE = 100
"""One of so many is on its way, and of these one in ten waits for a person."""

LIMIT = 20
MOST_READ = 50 * (LIMIT + 1)
"""Rows, also of indexes; a list for each status is read and merged."""

READ = [
    {"status": Status.DELIVERED},
    {"status": Status.DELIVERING},
    {"status": Status.DELIVERED, "since_before": timedelta(days=3)},
    {"status": Status.PICKING, "since_before": timedelta(days=3)},
    {"since_before": timedelta(days=3)},
    {"frozen": True},
    {"order_id": "o77"},
    {"tracking_number": "VN-77"},
    {"unpublished": True},
    {},
]


@pytest.fixture
def crowd(own_database, make_engine, make_store, make_shop, clock):
    """A database of many parcels, nearly all delivered, most of them in the same second."""
    engine = make_engine(own_database)
    store = make_store(engine)
    numbers = [store.shop(make_shop(store, code=code)).id for code in ("alpha", "beta")]
    rows = [_row(number, numbers[number % 2], clock()) for number in range(MANY)]
    with store.begin() as connection:
        connection.execute(insert(fulfillments), rows)
    _count(engine)
    return store


def _row(number, shop, now):
    rare = number % RARE == 0
    return NEW_HEADS | {
        "shop": shop,
        "order_id": f"o{number}",
        "fulfillment_id": f"p{number}",
        "tracking_number": f"VN-{number}",
        "cod_amount": 0,
        "opened_at": now,
        "delivery_status": Status.DELIVERING if rare else Status.DELIVERED,
        "cod_status": Status.NONE,
        "entered_at": now - timedelta(days=5 if number % 3 else number % 9),
        "frozen": "diverged" if number % (10 * RARE) == 0 else None,
        "unpublished": int(rare),
    }


def _count(engine):
    """Let the servers count what is in the table, as they do by themselves within a minute."""
    word = {"postgresql": "ANALYZE", "sqlite": None}.get(engine.dialect.name, "ANALYZE TABLE")
    if word is not None:
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            found = connection.exec_driver_sql(f"{word} carrierflow_fulfillments")
            if found.returns_rows:
                found.all()


def test_a_page_reads_little_more_than_it_holds(crowd, clock):
    """Whichever list and page it is, an index leads there: few rows are read, of all there are."""
    engine, whole = crowd.engine, "SELECT opened_at FROM carrierflow_fulfillments"
    for asked in READ:
        question = {name: _moment(value, clock) for name, value in asked.items()}
        with statements(engine) as found:
            pages(crowd, limit=LIMIT, most=2, **question)
        for statement, parameters in found:
            if "carrierflow_fulfillments" in statement:
                read = rows_read(engine, statement, parameters)
                assert read <= MOST_READ, f"{asked} read {read}"

    assert MANY <= rows_read(engine, whole, ())
