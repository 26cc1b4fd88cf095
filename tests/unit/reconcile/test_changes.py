"""Reading a shop while it changes: nothing is left out for good, nothing comes twice."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import RemoteOrder
from carrierflow.reconcile.changes import BATCH, OrderQueue, changed_orders
from carrierflow.reconcile.ports import OrderWithWork

from .making import T0, at


class ShiftingShop:
    """Orders by their last change; before each read some of them may change once more."""

    def __init__(self, times, moves=()):
        self.times = {f"{number:04}": at(second) for number, second in enumerate(times)}
        self.moves = list(moves)
        self.moved = set()
        self.pages = []
        self.now = at(10_000)

    def orders_changed(self, since, *, page=1):
        """Return a page of what changed at or after a time, oldest change first."""
        if self.moves:
            self.touch(self.moves.pop(0))
        self.pages.append((since, page))
        found = sorted((moment, name) for name, moment in self.times.items() if moment >= since)
        wanted = found[BATCH * (page - 1) : BATCH * page]
        return tuple(
            RemoteOrder(order_id=name, updated_at=moment, cancelled=False, fulfillments=())
            for moment, name in wanted
        )

    def touch(self, numbers):
        """Let some orders change now."""
        for number in numbers:
            name = f"{number % max(len(self.times), 1):04}"
            if name in self.times:
                self.now += timedelta(milliseconds=1)
                self.times[name] = self.now
                self.moved.add(name)


def swept(shop, since=T0):
    """Sweep a shop; return what came, change by change."""
    pages = list(changed_orders(shop, since))
    assert all(0 < len(page) <= BATCH for page in pages)
    return [(order.order_id, order.updated_at) for page in pages for order in page]


crowds = st.lists(st.tuples(st.integers(0, 130), st.integers(0, 3)), max_size=4).map(
    lambda groups: [second for count, second in groups for _ in range(count)]
)
moves = st.lists(st.lists(st.integers(0, 400), max_size=60), max_size=6)
few_moves = st.lists(st.lists(st.integers(0, 400), max_size=5), max_size=6)


@given(crowds, st.integers(0, 3))
def test_a_quiet_shop_is_read_once_and_whole(times, since):
    """Every change at or after the time comes exactly once, however many bear one time."""
    shop = ShiftingShop(times)
    expected = sorted(item for item in shop.times.items() if item[1] >= at(since))

    assert expected == sorted(swept(shop, at(since)))


@given(crowds)
def test_a_quiet_shop_costs_a_few_requests_more_than_its_pages(times):
    """Nothing is read again but pages that bear one time, and those once."""
    shop = ShiftingShop(times)
    swept(shop)

    spread = len(times) // BATCH + len(set(times)) + 1
    assert len(shop.pages) <= 2 * spread
    if max(map(times.count, times), default=0) < BATCH:
        assert len(shop.pages) <= spread


@given(crowds, few_moves)
def test_a_busy_shop_loses_nothing(times, moved):
    """While less than a page changes, what stays comes, and what changes comes now or next time."""
    shop = ShiftingShop(times, moved)
    came = swept(shop)
    newest = max((moment for _, moment in came), default=T0)

    assert len(came) == len(set(came))
    assert {item for item in shop.times.items() if item[0] not in shop.moved} <= set(came)
    for name, moment in shop.times.items():
        assert (name, moment) in came or moment >= newest


@given(crowds, moves)
def test_every_sweep_comes_to_its_end(times, moved):
    """However the shop shifts, a sweep reads each page a bounded number of times.

    Pages of one time are read until a pass brings nothing new: at least twice.
    """
    shop = ShiftingShop(times, moved)
    swept(shop)

    assert len(shop.pages) <= (len(moved) + 1) * (2 * (len(times) // BATCH) + 12)


def test_the_first_and_the_last_moment_are_inclusive():
    """What changed at the very time that the sweep begins from is read too."""
    shop = ShiftingShop([-1, 0, 1])

    assert ["0001", "0002"] == [name for name, _ in swept(shop)]


def test_a_page_of_one_time_is_followed_by_its_second_page():
    """More orders of one time than a page holds are counted through page by page, twice."""
    shop = ShiftingShop([5] * (2 * BATCH + 1))

    assert 2 * BATCH + 1 == len(swept(shop))
    assert [1, *[1, 2, 3] * 2] == [page for _, page in shop.pages]


def test_an_order_drawn_over_the_edge_of_a_page_is_read_after_all():
    """Where one of many orders of one time goes away, the others move up, and none is skipped."""
    shop = ShiftingShop([0] * (2 * BATCH), moves=[[], [0]])

    names = {name for name, _ in swept(shop)}
    assert {f"{number:04}" for number in range(2 * BATCH)} == names


def test_a_sweep_does_not_chase_its_own_tail():
    """Orders that change as often as they are read do not keep a sweep from ending."""
    shop = ShiftingShop([0] * BATCH, moves=[range(BATCH)] * 1000)

    assert len(shop.pages) <= len(swept(shop))
    assert len(shop.pages) < 10


works = st.dictionaries(st.integers(0, 200), st.integers(1, 12), max_size=120).map(
    lambda puts: [OrderWithWork(order_id=f"{number}", puts=count) for number, count in puts.items()]
)
dues = st.lists(st.integers(0, 250).map(str), max_size=200, unique=True)


@given(works, dues, st.lists(st.integers(0, 80), min_size=1))
def test_a_pool_gives_every_order_once(work, due, allowances):
    """Each order with work and each that is due comes in exactly one batch of at most 50."""
    queue = OrderQueue(work, due)
    expected = len({each.order_id for each in work} | set(due))
    came = []
    evaluations = 0
    while queue:
        has_work = queue.has_work
        batch = queue.take(requests=allowances[evaluations % len(allowances)])
        assert has_work == (batch[0] in {each.order_id for each in work})
        assert 0 < len(batch) <= BATCH
        came += batch
        evaluations += 1

    assert expected == len(came) == len(set(came))
    assert [] == queue.take(requests=10)


@given(works, dues, st.integers(0, 80))
def test_a_pool_takes_work_first_and_no_more_than_can_be_written(work, due, puts):
    """Work comes first, oldest first; beside orders that are due, only its last may overrun."""
    batch = OrderQueue(work, due).take(requests=puts)
    costs = {each.order_id: each.puts for each in work}
    taken = [order_id for order_id in batch if order_id in costs]

    assert [each.order_id for each in work][: len(taken)] == taken
    assert batch[: len(taken)] == taken
    assert bool(work) == bool(taken)
    if set(due) - set(costs):
        assert sum(costs[order_id] for order_id in taken[:-1]) <= max(puts - 1, 0)
    else:
        assert min(BATCH, len(work)) == len(taken)


@given(works, dues, st.integers(0, 80))
def test_a_pool_takes_no_more_than_can_be_read_and_written_one_by_one(work, due, requests):
    """One request an order: only the last of a batch may overrun, and nothing fills it up."""
    batch = OrderQueue(work, due).take(requests=requests, one_by_one=True)
    costs = {each.order_id: each.puts + 1 for each in work}

    assert not work or {*batch} <= {*costs}
    assert sum(costs.get(order_id, 0) for order_id in batch[:-1]) <= max(requests - 1, 0)


@given(works, dues, st.sets(st.integers(0, 250).map(str)))
def test_a_pool_forgets_what_was_looked_at_otherwise(work, due, gone):
    """What the sweep brought is not asked for once more."""
    queue = OrderQueue(work, due)
    queue.drop(gone)
    came = []
    while queue:
        came += queue.take(requests=50)

    assert ({each.order_id for each in work} | set(due)) - gone == set(came)


def test_a_pool_takes_an_order_back_once_and_first():
    """An order whose reading grew too old comes next, once, whichever parcels asked for it."""
    queue = OrderQueue(
        [OrderWithWork(order_id="1", puts=1), OrderWithWork(order_id="2", puts=1)], ["3"]
    )
    assert ["1", "3"] == queue.take(requests=1)
    for _ in range(2):
        queue.again([OrderWithWork(order_id="1", puts=1)])

    assert ["1", "2"] == queue.take(requests=50)
    assert [] == queue.take(requests=50)


def test_a_pool_takes_an_order_back_after_it_was_dropped():
    """An order that the sweep brought again may still be asked for again."""
    queue = OrderQueue([], [])
    queue.again([OrderWithWork(order_id="1", puts=1)])
    queue.drop(["1"])
    queue.again([OrderWithWork(order_id="1", puts=1)])

    assert ["1"] == queue.take(requests=50)


def test_a_pool_says_about_how_many_orders_are_left():
    """What is left is counted without reading the orders that are due before they are wanted."""
    queue = OrderQueue([OrderWithWork(order_id="w", puts=1)], map(str, range(120)), expected=120)
    left = [queue.left]
    while queue.take(requests=1):
        left.append(queue.left)

    assert [121, 71, 21, 0] == left
