from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrierflow.domain.clock import now, seconds
from carrierflow.errors import Throttled
from carrierflow.storage import BudgetRate, DatabaseClock, ShopBudget
from carrierflow.storage.shops import change_shop


RATE = BudgetRate(bucket=20, leak=4, unused=2, interactive=5)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("spend"), st.integers(0, 2)),
        st.tuples(st.just("pass"), st.integers(0, 5_000_000)),
        st.tuples(st.just("learn"), st.integers(0, 25)),
        st.tuples(st.just("pause"), st.integers(0, 3)),
    ),
    max_size=40,
)


class Waited(Exception):  # noqa: N818 - says what happened
    """Somebody would have had to wait."""

    def __init__(self, seconds):
        self.seconds = seconds
        super().__init__(seconds)


def no_waiting(seconds):
    """Refuse to wait."""
    raise Waited(seconds)


class Bucket:
    """The reference: a leaky bucket as the platform's manual tells of it, in microseconds."""

    def __init__(self, rate):
        self.interval = 1_000_000 // int(rate.leak)
        self.size = rate.bucket
        self.level = 0
        self.paused = 0
        self.moment = 0

    def pass_time(self, span):
        """Let the bucket leak."""
        self.moment += span
        self.level = max(0, self.level - span)

    def spend(self, room):
        """Pour one request in if it stays within a level."""
        fits = self.level + self.interval <= room * self.interval
        if fits and self.paused <= self.moment:
            self.level += self.interval
            return True
        return False

    def learn(self, used):
        """Raise the level to so many requests, and never beyond the rim."""
        self.level = max(self.level, min(used, self.size) * self.interval)

    def pause(self, seconds):
        """Close the bucket for a while."""
        self.paused = max(self.paused, self.moment + seconds * 1_000_000)


@pytest.fixture
def budgets(database, make_engine, make_store, store, shop, clock):
    """Three budgets of one shop: two of batch work on two stores, and one for people."""
    second = make_store(make_engine(database))
    parts = {"rate": RATE, "clock": DatabaseClock(clock), "sleep": no_waiting}
    row = store.shop(shop)
    return [
        ShopBudget(row, store.begin, **parts),
        ShopBudget(row, second.begin, **parts),
        ShopBudget(row, store.begin, interactive=True, **parts),
    ]


def spends(budget):
    """Tell whether a request may leave now."""
    try:
        budget.spend()
    except (Waited, Throttled):
        return False
    return True


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_the_budget_is_the_platforms_bucket(budgets, store, shop, clock, acts):
    """Any number of stores share one leaky bucket, which lets out what the platform would."""
    with store.begin() as connection:
        change_shop(connection, shop, rate_until_us=0, paused_until_us=0)
    bucket, found, wanted = Bucket(RATE), [], []
    for act, number in acts:
        if act == "spend":
            found.append(spends(budgets[number]))
            wanted.append(bucket.spend(18 if number == 2 else 13))
        elif act == "pass":
            clock.advance(microseconds=number)
            bucket.pass_time(number)
        elif act == "learn":
            budgets[0].learn_used(number)
            bucket.learn(number)
        else:
            budgets[1].pause(number)
            bucket.pause(number)

    assert wanted == found
    assert 18 - -(-bucket.level // bucket.interval) == budgets[2].room(0)


def test_waiting_is_as_long_as_it_must_be(budgets, clock):
    """Who must wait is told to the microsecond how long, and may go then."""
    for _ in range(13):
        budgets[0].spend()

    with pytest.raises(Waited) as wait:
        budgets[1].spend()

    assert 0.25 == wait.value.seconds
    clock.advance(seconds=0.25)
    assert spends(budgets[1])
    assert not spends(budgets[0])


def test_people_have_room_that_batches_leave(budgets):
    """Batch work leaves some room, which interactive requests use up; nobody uses the last."""
    assert 13 == sum(spends(budgets[0]) for _ in range(30))
    assert 5 == sum(spends(budgets[2]) for _ in range(30))


def test_a_pause_stands_above_all(budgets, clock):
    """After a Retry-After nobody sends, however empty the bucket; a shorter one changes nothing."""
    budgets[0].pause(7)
    budgets[1].pause(2)

    clock.advance(seconds=6.999)
    assert [False, False, False] == [spends(budget) for budget in budgets]
    with pytest.raises(Waited) as wait:
        budgets[2].spend()
    assert pytest.approx(0.001) == wait.value.seconds
    clock.advance(seconds=0.001)
    assert [True, True, True] == [spends(budget) for budget in budgets]


def test_learning_only_raises(budgets):
    """The platform's count is taken over where it is higher than ours, and never where lower."""
    budgets[0].learn_used(12)
    budgets[0].learn_used(3)

    assert spends(budgets[1])
    assert not spends(budgets[1])


def test_budgets_of_two_shops_are_apart(budgets, store, make_shop, clock):
    """What one shop uses up leaves the other one's budget whole."""
    other = ShopBudget(
        store.shop(make_shop(store)),
        store.begin,
        rate=RATE,
        clock=DatabaseClock(clock),
        sleep=no_waiting,
    )
    while spends(budgets[0]):
        pass

    assert 13 == sum(spends(other) for _ in range(30))


def test_the_databases_own_clock_is_close_to_ours(store):
    """Without another clock, the database's own is asked, and says UTC."""
    with store.begin() as connection:
        said = DatabaseClock().now(connection)

    assert seconds(0) == said.utcoffset()
    assert abs(said - now()) < seconds(60)


ABSURD = st.one_of(
    st.integers(0, 10**18),
    st.floats(0, allow_nan=False, allow_infinity=True),
)
SAID = st.lists(
    st.one_of(
        st.tuples(st.just("learn_used"), st.integers(0, 10**18)),
        st.tuples(st.just("pause"), ABSURD),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=SAID)
def test_nothing_that_is_said_blocks_a_shop_for_longer_than_the_setting(
    budgets, store, shop, clock, said
):
    """Whatever counts and pauses a platform names, after the longest pause a request may leave."""
    with store.begin() as connection:
        change_shop(connection, shop, rate_until_us=0, paused_until_us=0)
    for act, number in said:
        getattr(budgets[0], act)(number)

    clock.advance(seconds=RATE.longest_pause)

    assert [True, True] == [spends(budgets[2]), spends(budgets[0])]


@pytest.mark.parametrize("column", ["rate_until_us", "paused_until_us"])
def test_a_shop_that_was_blocked_for_days_comes_back(budgets, store, shop, clock, column):
    """What an earlier version let a header write into the row holds nobody up any longer."""
    now = int(clock().timestamp() * 1_000_000)
    with store.begin() as connection:
        change_shop(connection, shop, **{column: now + 69 * 3600 * 1_000_000})
    assert not spends(budgets[0])

    clock.advance(seconds=RATE.longest_pause)

    assert spends(budgets[0])
    assert 0 <= budgets[0].room(0)


def test_one_request_waits_no_longer_than_a_run_does(store, shop, clock):
    """A wait that would take too long is not begun: whoever asks is told when to come again."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        clock.advance(seconds=seconds)

    rate = BudgetRate(bucket=14, leak=4, longest_pause=100, longest_wait=60)
    budget = ShopBudget(
        store.shop(shop), store.begin, rate=rate, clock=DatabaseClock(clock), sleep=sleep
    )
    budget.pause(60)
    budget.spend()
    budget.pause(1e9)

    with pytest.raises(Throttled) as throttled:
        budget.spend()

    assert (100, [60]) == (throttled.value.retry_after, slept)
