"""Who follows what happened dies again and again, and so do writers: nothing is skipped."""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest
from receiver import SECRET, receiving
from sqlalchemy import select

from carrierflow.domain import clock
from carrierflow.errors import TryLater
from carrierflow.storage.tables import decisions, fulfillments, history

from .busy_carrier import busy
from .processes import Worker, recording


WRITERS = 8
KILLS = int(os.environ.get("CARRIERFLOW_TEST_FOLLOWER_KILLS", "40"))
SOON = 0.01


def following(app, tell, after):
    """Read on from a place again and again, and hand over each page with where it ends."""
    tell("begun")
    while True:
        try:
            page = app.changes(after=after, limit=17)
        except TryLater as error:
            tell(type(error).__name__)
        else:
            if page.entries or page.next != after:
                tell((page.next, [name_of(entry) for entry in page.entries]))
            after = page.next
        clock.sleep(SOON)


def delivering(app, tell):
    """Push what is new again and again; a destination that failed is tried at once."""
    tell("begun")
    (to,) = (text.get_secret_value().split()[0] for text in app.settings.destinations)
    while True:
        try:
            (done,) = app.deliver(to=to)
            tell(str(done.end))
        except TryLater as error:
            tell(type(error).__name__)
        clock.sleep(SOON)


def name_of(entry):
    """Name a step or an incident's news, with its place."""
    if entry.kind == "transition":
        return entry.position, (entry.fulfillment_id, str(entry.machine), entry.seq)
    return entry.position, (entry.incident, str(entry.what))


def committed(engine):
    """Count all that is committed, by SQL of our own."""
    steps = select(fulfillments.c.fulfillment_id, history.c.machine, history.c.seq).join_from(
        history, fulfillments
    )
    news = select(decisions.c.incident, decisions.c.what).where(
        decisions.c.what.in_(["opened", "reopened", "closed", "resolved", "resumed"])
    )
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(steps)]
        found += [(str(number), what) for number, what in connection.execute(news)]
    return Counter(found)


def assert_in_order(found):
    """Places only grow, and each machine of a parcel has its steps in their order."""
    positions = [position for position, _ in found]
    assert sorted(set(positions)) == positions
    last = {}
    for _, name in found:
        if len(name) == 3:
            assert name[2] == last.get(name[:2], 0) + 1, name
            last[name[:2]] = name[2]


class Crowd:
    """Eight processes that write, each killed now and then; what was not told is told again."""

    def __init__(self, real, rng):
        self._real, self._rng = real, rng
        events = real.happenings("alpha", 250, seed=5)
        parcels = sorted({event.fulfillment_id for event in events})
        of = {parcel: number % WRITERS for number, parcel in enumerate(parcels)}
        self._shares = [[e for e in events if of[e.fulfillment_id] == n] for n in range(WRITERS)]
        self._workers = [self._writer(number) for number in range(WRITERS)]

    def _writer(self, number):
        share = self._shares[number]
        chunks = self._rng.choices((1, 1, 4, 16), k=len(share))
        return Worker(recording, self._real.settings, share, chunks)

    def kill_one(self):
        """Kill a writer that works, and have another one begin from the start."""
        number = self._rng.randrange(WRITERS)
        if self._workers[number].lives:
            self._workers[number].kill()
            self._workers[number] = self._writer(number)

    @property
    def writes(self):
        """Whether anybody still writes."""
        return any(worker.lives for worker in self._workers)

    def end(self):
        """Let everybody come to an end."""
        for worker in self._workers:
            worker.end()


@pytest.mark.slow
def test_a_reader_that_dies_goes_on_where_it_was(own_database):
    """Eight writers and a reader are killed at random: every committed entry is read once."""
    rng, found, after, deaths = random.Random(11), [], None, 0
    with busy(own_database.url) as real:
        crowd = Crowd(real, rng)
        reader = Worker(following, real.settings, None)
        while crowd.writes or deaths < KILLS:
            time.sleep(rng.uniform(0, 0.15))
            if rng.random() < 0.3:
                crowd.kill_one()
            reader.check()
            reader.kill()
            deaths += 1
            after, more = heard(reader, after)
            found += more
            reader = Worker(following, real.settings, after)
        crowd.end()
        reader.kill()
        after, more = heard(reader, after)
        found += more
        clock.sleep(real.settings.lease_seconds)
        while (page := real.app.changes(after=after)).entries:
            found += [name_of(entry) for entry in page.entries]
            after = page.next

        assert committed(real.app.store.engine) == Counter(name for _, name in found)
        assert_in_order(found)
        assert real.app.verify().ok
        print(f"{deaths} deaths of the reader, {len(found)} entries")


def heard(reader, after):
    """Return what a reader handed over before it died, and up to where."""
    said = [each for each in reader.heard if isinstance(each, tuple)]
    return (said[-1][0] if said else after), [name for _, names in said for name in names]


@pytest.mark.slow
def test_a_push_that_dies_brings_everything(own_database):
    """Whoever pushes is killed at random, and the receiver fails at times: all comes, in order."""
    rng, deaths = random.Random(13), 0
    with receiving() as receiver:
        settings = {"destinations": (f"{receiver.url} {SECRET}",), "lease_seconds": 0.2}
        settings |= {"request_timeout": 0.3, "connect_timeout": 0.2}
        with busy(own_database.url, **settings) as real:
            crowd = Crowd(real, rng)
            while crowd.writes or deaths < KILLS // 2:
                sender = Worker(delivering, real.settings)
                time.sleep(rng.uniform(0.1, 0.5))
                receiver.answers += rng.choices([500, 204, dies, late], k=rng.randrange(3))
                if rng.random() < 0.3:
                    crowd.kill_one()
                sender.check()
                sender.kill()
                deaths += 1
            crowd.end()
            receiver.answers.clear()
            until_delivered(real.app, receiver)

            found = [document_name(entry) for entry in receiver.entries]
            assert [] == receiver.unsigned
            assert committed(real.app.store.engine) == Counter(name for _, name in found)
            assert_in_order(found)
            print(f"{deaths} deaths of the sender, {len(receiver.came)} messages came")


def dies(handler):
    """Take a message, and die without a word."""
    handler.close_connection = True
    handler.connection.close()


def late(handler):
    """Take a message, and say so when nobody listens any more."""
    time.sleep(0.5)
    return 200


def document_name(entry):
    """Name an entry that was pushed."""
    if entry["kind"] == "transition":
        return entry["position"], (entry["fulfillment_id"], entry["machine"], entry["seq"])
    return entry["position"], (entry["incident"], entry["what"])


def until_delivered(app, receiver):
    """Push until the receiver has everything; who died may hold the destination for a while."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        (done,) = app.deliver(to=receiver.url)
        if done.end == "done":
            return
        clock.sleep(0.1)
    raise AssertionError(f"not delivered: {done}")
