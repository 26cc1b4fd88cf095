"""The shops' rows as a queue: who is offered, to whom, how often, and what brings one forward."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from counting import counted
from databases import every_database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_runs import Leases
from sqlalchemy import insert, select, update

from carrierflow.errors import UnknownShop
from carrierflow.reconcile.pace import UNCOUNTED
from carrierflow.storage.hinted import SqlHintStore
from carrierflow.storage.shop_queue import LOOK_FOR_WORK, SqlShopQueue
from carrierflow.storage.tables import fulfillments, shops

from .plans import scanned, statements


SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)

ON_SERVERS = pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)
ON_POSTGRES = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)


@pytest.fixture
def database(own_database):
    """Nobody else's shops are in it: whoever asks is offered all there are."""
    return own_database


@pytest.fixture
def queue(store):
    return SqlShopQueue(store)


@pytest.fixture
def leases(store):
    return Leases(store)


def put(store, code, **values):
    """Write something about a shop."""
    store.transact(lambda c: c.execute(update(shops).where(shops.c.code == code).values(**values)))


def row(store, code):
    with store.reading() as connection:
        return connection.execute(select(shops).where(shops.c.code == code)).one()


def offered(queue, clock, *, limit=100, hold=MINUTE):
    return [shop.code for shop in queue.due(limit, hold, now=clock())]


MOMENTS = st.sampled_from([None, -DAY, -MICROSECOND, timedelta(0), MICROSECOND, DAY])
ROWS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["active", "active", "active", "paused", "revoked"]),
        "next_due": MOMENTS.filter(lambda it: it is not None),
        "queued_until": MOMENTS,
        "lease_until": MOMENTS,
    }
)


def reached(moment):
    return moment is None or moment <= timedelta(0)


def is_due(it):
    """Say who is due, as the design has it: active, its time come, nobody has it."""
    return it["state"] == "active" and all(
        reached(it[name]) for name in ("next_due", "queued_until", "lease_until")
    )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(ROWS, min_size=6, max_size=6), limit=st.integers(1, 7))
def test_whoever_is_due_is_offered_in_the_order_of_waiting(store, make_shop, clock, rows, limit):
    """Active, due, neither claimed nor held, to the microsecond; the longest waiting first."""
    codes = [f"s{number}" for number in range(6)]
    with store.reading() as connection:
        there = set(connection.execute(select(shops.c.code)).scalars())
    for code, it in zip(codes, rows, strict=True):
        if code not in there:
            make_shop(store, code=code)
        moments = {n: v if v is None else clock() + v for n, v in it.items() if n != "state"}
        put(store, code, state=it["state"], **moments)
    due = [(it["next_due"], code) for code, it in zip(codes, rows, strict=True) if is_due(it)]

    first = offered(SqlShopQueue(store), clock, limit=limit)
    rest = offered(SqlShopQueue(store), clock)

    assert [code for _, code in sorted(due)] == first + rest
    assert min(limit, len(due)) == len(first)
    assert [] == offered(SqlShopQueue(store), clock)


def test_a_claim_runs_out_to_the_microsecond(queue, shop, clock):
    """What was claimed and not begun is offered again after the hold, and not before."""
    assert [shop] == offered(queue, clock)
    clock.advance(MINUTE - MICROSECOND)
    assert [] == offered(queue, clock)
    clock.advance(MICROSECOND)
    assert [shop] == offered(queue, clock)


def test_a_run_takes_the_mark_of_the_queue_back(queue, leases, store, shop, clock):
    """Outstanding are those that were claimed, until their run begins or the claim is over."""
    offered(queue, clock)
    assert 1 == queue.outstanding()
    hold = leases.claim(store.shop(shop), "a", MINUTE)
    assert (0, None) == (queue.outstanding(), row(store, shop).queued_until)
    assert [] == offered(queue, clock)

    leases.release(hold)
    assert [shop] == offered(queue, clock)
    clock.advance(MINUTE)
    assert 0 == queue.outstanding()


def test_a_paused_shop_is_not_outstanding(queue, store, shop, clock):
    """Nobody waits for a worker to come to it."""
    offered(queue, clock)
    put(store, shop, state="paused")
    assert 0 == queue.outstanding()


@ON_SERVERS
def test_two_who_claim_at_once_get_different_shops(
    own_database, store, make_shop, make_engine, make_store, clock
):
    """Each shop is claimed once, however many ask at the same time, and none is left."""
    codes = {make_shop(store) for _ in range(60)}
    queues = [SqlShopQueue(make_store(make_engine(own_database))) for _ in range(4)]
    gate = threading.Barrier(4)

    def drain(mine):
        found, empty = [], 0
        gate.wait()
        while empty < 3:
            some = offered(mine, clock, limit=3)
            found += some
            empty += not some
        return found

    with ThreadPoolExecutor(4) as pool:
        claimed = [code for found in pool.map(drain, queues) for code in found]

    assert sorted(codes) == sorted(claimed)


@ON_POSTGRES
def test_a_host_that_opens_a_parcel_keeps_its_shop_from_nobody(queue, store, shop, clock):
    """Its transaction holds the shop's key until it commits; the shop is claimed all the same."""
    with store.begin() as connection:
        (mine,) = connection.execute(select(shops.c.id).where(shops.c.code == shop)).one()
        connection.exec_driver_sql(
            "SELECT 1 FROM carrierflow_shops WHERE id = %s FOR KEY SHARE", (mine,)
        )
        with ThreadPoolExecutor(1) as other:
            claimed = other.submit(offered, queue, clock).result(timeout=30)

    assert [shop] == claimed


def test_waking_lets_an_idle_shop_be_due_and_one_that_rests(queue, store, shop, clock):
    """Now, and not in its own time; a host that was silent is asked again if somebody says so."""
    put(store, shop, next_due=clock() + DAY, retry_at=clock() + DAY)
    assert [] == offered(queue, clock)
    queue.wake(shop, now=clock())
    assert [shop] == offered(queue, clock)
    assert row(store, shop).retry_at is None


def test_waking_one_that_is_due_leaves_it_its_place(queue, store, shop, make_shop, clock):
    """Whoever wakes it again and again does not send it to the end, nor to the front."""
    put(store, shop, next_due=clock() - MINUTE)
    other = make_shop(store)
    queue.wake(shop, now=clock())
    assert [shop, other] == offered(queue, clock)


def test_nobody_wakes_a_shop_that_there_is_not(queue, clock):
    """A wrong code is said, and not passed over."""
    with pytest.raises(UnknownShop):
        queue.wake("nobody", now=clock())


@pytest.mark.parametrize("later", [timedelta(0), MICROSECOND, SECOND])
@pytest.mark.parametrize("how", ["wake", "hint"])
def test_what_wakes_a_shop_during_a_run_outlives_it(
    queue, leases, store, shop, make_parcel, clock, how, later
):
    """The run may have looked before: another follows at once, whatever the run wanted."""
    make_parcel(order_id="71")
    offered(queue, clock)
    hold = leases.claim(store.shop(shop), "a", MINUTE)
    clock.advance(later)
    if how == "wake":
        queue.wake(shop, now=clock())
    else:
        SqlHintStore(store, platform="haravan").hint(shop, "71", now=clock() - SECOND)
    assert [] == offered(queue, clock)
    clock.advance(SECOND)
    leases.release(hold, next_due=clock() + DAY)

    assert row(store, shop).next_due == clock()
    assert [shop] == offered(queue, clock)


def test_a_run_before_its_time_says_itself_when_the_next_one_is(queue, leases, store, shop, clock):
    """Somebody named a shop that was not due: what was planned before is past."""
    put(store, shop, next_due=clock() + DAY)
    hold = leases.claim(store.shop(shop), "a", MINUTE)
    leases.release(hold, next_due=clock() + SECOND)
    assert clock() + SECOND == row(store, shop).next_due


def test_a_hint_does_not_shorten_the_pause_of_a_silent_host(
    queue, leases, store, shop, make_parcel, clock
):
    """It came while the run found out that nobody answers."""
    make_parcel(order_id="71")
    hold = leases.claim(store.shop(shop), "a", MINUTE)
    SqlHintStore(store, platform="haravan").hint(shop, "71", now=clock())
    until = clock() + 2 * MINUTE
    leases.release(hold, next_due=until, retry_at=until, unanswered=3)
    assert until == row(store, shop).next_due


def test_a_run_that_dies_leaves_its_shop_due(queue, leases, store, shop, clock):
    """As soon as its lease is over, woken meanwhile or not."""
    put(store, shop, next_due=clock() + DAY)
    leases.claim(store.shop(shop), "a", MINUTE)
    queue.wake(shop, now=clock())
    clock.advance(MINUTE)
    assert [shop] == offered(queue, clock)
    leases.claim(store.shop(shop), "b", MINUTE)
    clock.advance(MINUTE)
    assert [shop] == offered(queue, clock)


def test_held_is_not_done(queue, leases, store, shop, clock):
    """Who finds a shop held lets it be offered when that lease ends, long before the claim does."""
    mine = store.shop(shop)
    put(store, shop, lease_until=clock() - SECOND)
    offered(queue, clock, hold=DAY)
    leases.claim(mine, "another", MINUTE)
    put(store, shop, queued_until=clock() + DAY)
    queue.put_back(shop)

    clock.advance(MINUTE - MICROSECOND)
    assert [] == offered(queue, clock)
    clock.advance(MICROSECOND)
    assert [shop] == offered(queue, clock)


def test_nothing_is_put_back_that_nobody_holds(queue, store, shop, clock):
    """The other run was over before it was said: the claim stands, or there is none."""
    queue.put_back(shop)
    assert row(store, shop).queued_until is None
    offered(queue, clock)
    queue.put_back(shop)
    assert clock() + MINUTE == row(store, shop).queued_until


def test_what_is_given_back_is_offered_at_once(queue, store, shop, make_shop, clock):
    """And nobody else's claim is."""
    other = make_shop(store)
    assert {shop, other} == set(offered(queue, clock))
    queue.give_back([shop])
    queue.give_back([])
    assert [shop] == offered(queue, clock)


NEW_WORK = {
    "nothing": ({"unpublished": 0}, {}, False),
    "a step that was told": ({"unpublished": 1}, {}, True),
    "one that waits": ({"unpublished": 1, "not_before": SECOND}, {}, False),
    "one that has waited": ({"unpublished": 1, "not_before": timedelta(0)}, {}, True),
    "one that is frozen": ({"unpublished": 1, "frozen": "refused"}, {}, False),
    "one that is over": ({"unpublished": 1, "open": False}, {}, False),
    "what the last run left": ({"unpublished": 1}, {"unpublished_left": 1}, False),
    "what nobody counted": ({"unpublished": 1}, {"unpublished_left": UNCOUNTED}, False),
    "a silent host": ({"unpublished": 1}, {"retry_at": SECOND}, False),
    "a host that was silent": ({"unpublished": 1}, {"retry_at": timedelta(0)}, True),
    "a paused shop": ({"unpublished": 1}, {"state": "paused"}, False),
    "a held shop": ({"unpublished": 1}, {"lease_until": SECOND}, False),
}


@pytest.mark.parametrize("which", NEW_WORK)
def test_new_work_brings_a_shop_forward(queue, store, shop, make_parcel, clock, which):
    """What may be published now and the last run did not leave does so, and nothing else."""
    parcel, its_shop, forward = NEW_WORK[which]
    make_parcel()

    def at(values):
        return {n: clock() + v if isinstance(v, timedelta) else v for n, v in values.items()}

    store.transact(lambda c: c.execute(update(fulfillments).values(**at(parcel))))
    put(store, shop, **({"next_due": clock() + DAY} | at(its_shop)))

    assert int(forward) == queue.bring_forward(now=clock())
    assert ([shop] if forward else []) == offered(queue, clock)


def test_work_beyond_what_was_left_brings_a_shop_forward(queue, store, shop, make_parcel, clock):
    """One more than the last run left is news; the same ones are not, at any later look."""
    for _ in range(2):
        make_parcel()
    store.transact(lambda c: c.execute(update(fulfillments).values(unpublished=1)))
    put(store, shop, next_due=clock() + DAY, unpublished_left=2)
    for _ in range(3):
        clock.advance(LOOK_FOR_WORK)
        assert [] == offered(queue, clock)
    make_parcel()
    store.transact(lambda c: c.execute(update(fulfillments).values(unpublished=1)))
    assert [] == offered(queue, clock)
    clock.advance(LOOK_FOR_WORK)
    assert [shop] == offered(queue, clock)


def test_a_hint_lets_its_shop_be_due(queue, store, shop, make_parcel, clock):
    """Not one of an order that nobody knows, and not one that is left alone."""
    make_parcel(order_id="71")
    hints = SqlHintStore(store, platform="haravan")
    put(store, shop, next_due=clock() + DAY, retry_at=clock() + SECOND)
    hints.hint(shop, "99", now=clock())
    hints.hint(shop, "71", now=clock())
    assert [] == offered(queue, clock)
    clock.advance(SECOND)
    hints.hint(shop, "71", now=clock())
    assert [shop] == offered(queue, clock)


MANY = 10_000


def test_the_queue_of_ten_thousand_shops_is_read_by_index(
    database, store, engine, queue, shop, clock
):
    """Who is due, and how many are claimed: no statement goes through all shops."""
    like = {n: v for n, v in row(store, shop)._mapping.items() if n not in {"id", "code"}}
    far = [like | {"code": f"f{n}", "next_due": clock() + DAY} for n in range(MANY)]
    with store.begin() as connection:
        connection.execute(insert(shops), far)
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE TABLE carrierflow_shops").all()
    with statements(engine) as found:
        queue.due(20, MINUTE, now=clock())
        queue.outstanding()

    plans = [(s, scanned(engine, s, p)) for s, p in found if "queued_until" in s]
    assert 2 == len(plans)
    assert [set()] * 2 == [tables for _, tables in plans]


def test_claiming_asks_a_handful_of_questions(queue, engine, shop, make_shop, store, clock):
    """Two transactions and four statements, and two statements where it looks for new work."""
    for _ in range(5):
        make_shop(store)
    counts = []
    for _ in range(2):
        with counted(engine) as found:
            queue.due(20, MINUTE, now=clock())
        counts.append((len(found.statements), found.transactions))
        clock.advance(MICROSECOND)
    assert counts[0][0] <= 4
    assert counts[0][1] <= 2
    assert counts[1][0] <= 2
    assert counts[1][1] <= 1
