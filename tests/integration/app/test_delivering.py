"""What happened is pushed: at least once, in order, signed, each destination by itself."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from receiver import OTHER_SECRET, SECRET, receiving
from sqlalchemy import func, select

from carrierflow import (
    ConfigurationError,
    DeliveryEnd,
    DeliveryFailed,
    Event,
    FulfillmentRef,
    InvalidInput,
    Opening,
    Settings,
    Status,
    build,
    generate_key,
)
from carrierflow.audit.feed.passage import LONGEST_PAUSE, pause_after
from carrierflow.storage.destinations import SqlDestinations
from carrierflow.storage.tables import destinations


ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)


class World:
    """A ledger whose changes are pushed, under a clock that stands, near the machine's own."""

    def __init__(self, database, clock, *receivers, **settings):
        clock.set(datetime.now(UTC))
        self.clock = clock
        self.settings = {
            "database_url": database.url,
            "secret_key": generate_key(),
            "destinations": tuple(f"{each.url} {SECRET}" for each in receivers),
            "request_timeout": 0.3,
            **settings,
        }
        self.apps = []
        self.app = self.another_app()
        self.app.shops.add("alpha", token="t", base_url="https://api.example")
        self.numbers = itertools.count(1)

    def another_app(self, **settings):
        self.apps.append(
            build(Settings(**self.settings | settings), now=self.clock, sleep=self.clock.sleep)
        )
        return self.apps[-1]

    def record(self, count, road=ROAD):
        """Record the life of some parcels."""
        for number in itertools.islice(self.numbers, count):
            ref = FulfillmentRef(shop="alpha", order_id="1", fulfillment_id=f"{number}")
            for status in road:
                event = Event(
                    shop="alpha",
                    fulfillment_id=f"{number}",
                    status=status,
                    opening=Opening(ref=ref),
                )
                assert "accepted" == self.app.ledger.record(event).verdict

    def deliver(self, **options):
        """Deliver to the only destination."""
        (done,) = self.app.deliver(**options)
        return done

    def whole(self):
        """Return the whole feed, as documents."""
        return [dict(entry.document()) for entry in self.app.changes(limit=10_000).entries]

    def close(self):
        for app in self.apps:
            app.store.engine.dispose()


@pytest.fixture
def receiver():
    """A receiver on loopback."""
    with receiving() as made:
        yield made


@pytest.fixture
def make_world(clock):
    """Build worlds, and let their databases go."""
    made = []

    def make(database, *receivers, **settings):
        made.append(World(database, clock, *receivers, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def world(own_database, receiver, make_world):
    """A world on each database, with one destination."""
    return make_world(own_database, receiver)


@pytest.fixture
def lite(sqlite_database, receiver, make_world):
    """A world on SQLite, where the database makes no difference."""
    return make_world(sqlite_database, receiver)


def assert_everything_came(world, receiver):
    """The receiver took the whole feed, each message under its own signature, in order."""
    assert [] == receiver.unsigned
    assert world.whole() == receiver.entries
    positions = [entry["position"] for entry in receiver.entries]
    assert sorted(set(positions)) == positions


def test_a_destination_gets_everything_in_order(world, receiver):
    """More than a message holds, then nothing, then what is new: each entry once, signed."""
    world.record(70)
    first = world.deliver()
    again = world.deliver()
    world.record(2)
    more = world.deliver()

    assert_everything_came(world, receiver)
    assert 5 == len(receiver.came) == len(set(receiver.ids))
    assert [DeliveryEnd.DONE] * 3 == [each.end for each in (first, again, more)]
    assert (70 * 5, 0, 2 * 5) == (first.delivered, again.delivered, more.delivered)
    assert (0, world.app.changes().next) == (more.standing.behind, more.standing.position)


def test_a_receiver_that_fails_for_a_while_gets_everything(world, receiver):
    """The same message comes again, under the same id, later and later, until it is taken.

    What happens meanwhile makes it no longer.
    """
    world.record(3)
    receiver.answers += [500, 302, 400, 503]
    ends, pauses = [], []
    for _ in range(5):
        done = world.deliver()
        ends.append(done.end)
        if done.standing.retry_at:
            pauses.append(done.standing.retry_at - world.clock())
            assert DeliveryEnd.RESTING == world.deliver().end
            world.clock.advance(done.standing.retry_at - world.clock())
        world.record(1)

    assert [DeliveryEnd.FAILED] * 4 + [DeliveryEnd.DONE] == ends
    assert 1 == len(set(receiver.ids[:5]))
    assert all(entries == receiver.came[0][1] for _, entries in receiver.came[:5])
    assert world.deliver().end is DeliveryEnd.DONE
    assert_everything_came(world, receiver)
    for number, pause in enumerate(pauses):
        assert timedelta(seconds=5 * 2**number) <= pause <= timedelta(seconds=10 * 2**number)


def answers_late(handler):
    """Take a message, and say so when nobody listens any more."""
    time.sleep(0.6)
    return 200


def dies(handler):
    """Take a message, and die without a word."""
    handler.close_connection = True
    handler.connection.close()


def test_what_was_taken_and_not_answered_for_comes_again_under_its_id(world, receiver):
    """A receiver that answers late, or dies in the middle, can tell what it has already."""
    world.record(5)
    receiver.answers += [answers_late, dies]

    late = world.deliver()
    world.record(1)
    died = world.deliver(to=receiver.url)
    done = world.deliver(to=receiver.url)

    assert [DeliveryEnd.FAILED, DeliveryEnd.FAILED, DeliveryEnd.DONE] == [
        *(late.end, died.end),
        done.end,
    ]
    assert receiver.ids[0] == receiver.ids[1] == receiver.ids[2] != receiver.ids[3]
    assert receiver.came[0][1] == receiver.came[2][1]
    assert_everything_came(world, receiver)


def test_each_destination_has_a_place_of_its_own(sqlite_database, make_world):
    """One that fails keeps nobody else waiting, and gets later what the other has."""
    with receiving() as good, receiving() as bad:
        world = make_world(sqlite_database, bad, good)
        world.record(3)
        bad.answers += [500]

        failed, done = world.app.deliver()

        assert (DeliveryEnd.FAILED, DeliveryEnd.DONE) == (failed.end, done.end)
        assert_everything_came(world, good)
        assert {} == bad.taken
        world.clock.advance(seconds=11)
        world.app.deliver()
        assert_everything_came(world, bad)
        assert set(good.ids).isdisjoint(bad.ids)


def test_one_that_is_gone_is_left_alone_until_it_is_named(world, receiver):
    """410 ends it: nothing is sent any more, which is seen; whoever names it tries again."""
    world.record(2)
    receiver.answers += [410]

    gone = world.deliver()
    world.clock.advance(minutes=4)
    left = world.deliver()

    assert (DeliveryEnd.GONE, DeliveryEnd.GONE) == (gone.end, left.end)
    assert 1 == len(receiver.came)
    (standing,) = world.app.destinations()
    assert standing.needs_somebody(world.clock(), longest=timedelta(days=9))
    assert "HTTP status 410" == standing.problem

    back = world.deliver(to=receiver.url)
    assert (DeliveryEnd.DONE, None, 0) == (
        back.end,
        back.standing.gone_at,
        back.standing.failures,
    )
    assert_everything_came(world, receiver)


def drips(handler):
    """Take a message, and answer letter by letter for as long as anybody listens."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        time.sleep(0.02)
        handler.wfile.write(b"x")
        handler.wfile.flush()


def test_an_answer_has_an_end_however_it_drips(lite, receiver):
    """What is not answered in full within the time that a request has is not taken."""
    lite.record(1)
    receiver.answers += [drips]
    began = time.monotonic()

    done = lite.deliver()

    assert DeliveryEnd.FAILED == done.end
    assert time.monotonic() - began < 2
    assert DeliveryEnd.DONE == lite.deliver(to=receiver.url).end
    assert_everything_came(lite, receiver)


def test_two_processes_do_not_deliver_there_at_once(world, receiver):
    """While one delivers another one is told so, and what came is in order."""
    world.record(50)
    inside, go_on = threading.Event(), threading.Event()

    def slow(handler):
        inside.set()
        go_on.wait(10)
        return 200

    receiver.answers += [slow]
    other = world.another_app(request_timeout=20)
    thread = threading.Thread(target=other.deliver)
    thread.start()
    assert inside.wait(10)
    held = world.deliver()
    go_on.set()
    thread.join()

    assert DeliveryEnd.HELD == held.end
    assert_everything_came(world, receiver)
    assert len(receiver.came) == len(receiver.taken)


def test_who_died_while_it_delivered_is_followed_after_a_while(world, receiver, monkeypatch):
    """What it had begun is sent again as it was, when it cannot be under way any more."""
    world.record(5)
    monkeypatch.setattr(SqlDestinations, "release", lambda *_: None)
    receiver.answers += [dies]
    assert DeliveryEnd.FAILED == world.deliver().end
    monkeypatch.undo()
    other = world.another_app()
    world.record(1)

    (held,) = other.deliver(to=receiver.url)
    assert DeliveryEnd.HELD == held.end

    with world.app.store.begin() as connection:
        now = world.app.store.database_clock.now(connection)
        connection.execute(destinations.update().values(claimed_until=now))
    (done,) = other.deliver(to=receiver.url)
    assert DeliveryEnd.DONE == done.end
    assert receiver.ids[0] == receiver.ids[1]
    assert_everything_came(world, receiver)


def test_it_can_go_on_behind_another_place(lite, receiver):
    """Again from a place, or without what is before; only where the destination is named."""
    lite.record(4)
    whole = lite.whole()
    place = whole[7]["position"]

    lite.deliver(to=receiver.url, after=place)
    assert whole[8:] == receiver.entries
    lite.deliver(to=receiver.url, after=place)
    assert whole[8:] == receiver.entries  # the same messages, under the same ids
    assert 2 == len(receiver.came)
    end = lite.app.changes().next
    assert DeliveryEnd.DONE == lite.deliver(to=receiver.url, after=end).end
    beyond = lite.deliver(to=receiver.url, after=end + 1)
    assert DeliveryEnd.FAILED == beyond.end
    assert "another database" in str(beyond.problem)
    with pytest.raises(InvalidInput):
        lite.app.deliver(after=place)


def test_a_share_of_time_ends_it_between_two_messages(lite, receiver):
    """What is left is for the next delivery; so it is where somebody asks to stop."""
    lite.record(50)

    none = lite.deliver(seconds=0)
    stopped = lite.app.stopped_by(lambda: bool(lite.app.destinations()[0].position)).deliver()
    rest = lite.deliver()

    assert (DeliveryEnd.LATER, 0) == (none.end, none.delivered)
    assert (DeliveryEnd.LATER, 100) == (stopped[0].end, stopped[0].delivered)
    assert (DeliveryEnd.DONE, 150) == (rest.end, rest.delivered)
    assert_everything_came(lite, receiver)


def test_who_asks_to_stop_does_not_wait_for_an_answer(lite, receiver):
    """A message under way is given up, and comes again under its id."""
    lite.record(1)
    inside = threading.Event()

    def silent(handler):
        inside.set()
        time.sleep(3)

    receiver.answers += [silent]
    patient = lite.another_app(request_timeout=20)
    began = time.monotonic()

    (done,) = patient.stopped_by(inside.is_set).deliver()

    assert time.monotonic() - began < 2
    assert (DeliveryEnd.LATER, 0) == (done.end, done.standing.failures)
    lite.deliver()
    assert receiver.ids[0] == receiver.ids[1]
    assert_everything_came(lite, receiver)


def test_while_a_secret_is_exchanged_both_count(sqlite_database, receiver, make_world):
    """A destination with two secrets gets each message signed with both."""
    both = (f"{receiver.url} {OTHER_SECRET} {SECRET}",)
    world = make_world(sqlite_database, destinations=both)
    world.record(1)
    world.deliver()
    receiver.secret = OTHER_SECRET
    world.record(1)
    world.deliver()

    assert_everything_came(world, receiver)


def test_another_secret_is_seen(lite, receiver):
    """A receiver that knows another secret takes nothing: its library says so."""
    receiver.secret = OTHER_SECRET
    lite.record(1)

    done = lite.deliver()

    assert ["No matching signature found"] == receiver.unsigned
    assert "HTTP status 401" in str(done.problem)


@pytest.mark.parametrize(
    "written",
    [
        "https://backend.example/hook",
        f"http://backend.example/hook {SECRET}",
        f"https://user:password@backend.example/ {SECRET}",
        f"https://backend.example/#part {SECRET}",
        "https://backend.example/hook whsec_c2hvcnQ=",
        "https://backend.example/hook whsec_!!!!",
        f"https://backend.example/hook {SECRET.removeprefix('whsec_')}",
        f"{SECRET} https://backend.example/hook",
        f"https://backend.example/hook {SECRET},",
    ],
)
def test_a_destination_that_cannot_be_used_is_refused(sqlite_database, written):
    """An address that anybody could read along, no secret, or none of the specification's."""
    key = generate_key()
    settings = Settings(database_url=sqlite_database.url, secret_key=key, destinations=(written,))

    if written.endswith(","):
        settings = Settings(database_url=sqlite_database.url, secret_key=key, destinations=written)
        assert 1 == len(settings.destinations)
        return
    with pytest.raises(ConfigurationError) as raised:
        build(settings)
    assert written.split()[-1] not in str(raised.value)


def test_neither_address_nor_secret_is_told(lite, receiver, caplog):
    """Logs, errors and reports name a destination by its host alone."""
    lite.record(1)
    receiver.answers += [500]
    with caplog.at_level(logging.DEBUG):
        done = lite.deliver()

    ours = [each for each in caplog.records if each.name.startswith("carrierflow")]
    told = " ".join([str(done), str(done.problem), str(lite.app.settings)])
    told += " ".join(str(vars(record)) for record in ours)
    assert isinstance(done.problem, DeliveryFailed)
    assert "carrierflow.delivery_failed" in caplog.text
    assert "canary-in-the-query" not in told
    assert SECRET not in told
    with lite.app.store.reading() as connection:
        row = connection.execute(select(destinations)).one()
    assert "canary" not in str(row)
    assert "canary" not in str(asdict(done.standing))


def test_a_destination_that_nobody_named_has_no_row(lite):
    """To ask how far destinations are writes nothing, and an unknown address is refused."""
    lite.record(1)
    places = lite.app.changes().next + 1
    (standing,) = lite.app.destinations()

    assert (None, places) == (standing.position, standing.behind)
    with lite.app.store.reading() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(destinations)).scalar()
    with pytest.raises(ConfigurationError, match="No such destination"):
        lite.app.deliver(to="https://nobody.example/")


@pytest.mark.parametrize("failures", [1, 2, 5, 10, 30, 10_000])
def test_pauses_grow_and_end(failures):
    """However often it failed, it is tried again within an hour, and not at once."""
    assert timedelta(seconds=5) <= pause_after(failures) <= LONGEST_PAUSE
