"""Shops whose host does not answer: when they are tried again, and whom they keep waiting."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from types import SimpleNamespace

import pytest

from carrierflow.domain.hearing import Hearing
from carrierflow.errors import PlatformUnavailable
from carrierflow.reconcile.crew import SPARE, Attention, Crew, Turn
from carrierflow.reconcile.run_report import EndReason
from carrierflow.reconcile.silence import HostBreaker, Patience, answered, pause_after, rests

from .active_shops import BEGIN as NOW
from .active_shops import shop


PARALLEL = 4
PATIENCE = Patience(least=1, most=13)


class Town:
    """Shops whose answers take a while of virtual time, and some that never answer.

    Time passes with each answer; by waiting only where hung shops alone are left, or `stands`.
    """

    def __init__(self):
        self.time = 0.0
        self.healthy_left = 0
        self.stands = False
        self.takes = 0.1
        self.most_at_once = self._at_once = 0
        self.ended = {}
        self._lock = threading.Lock()

    def pass_over(self, shops, *, as_they_are_due=False):
        """Look after some shops, and return how long that took."""
        began = self.time
        self.healthy_left = sum(not each.code.startswith("hung") for each in shops)
        crew, more = Crew(PARALLEL, patience=PATIENCE), None
        if as_they_are_due:
            shops, more = (), Due(shops)
        for each, said in crew.work(shops, self._look, deque(), more=more):
            self.ended[each.code] = said
        return self.time - began

    def _look(self, turn):
        with turn.listening() as connected:
            hearing = Hearing(lambda: self.time)
            connected(SimpleNamespace(hearing=hearing))
            return self._hang(turn, hearing) if "hung" in turn.shop.code else self._answer(hearing)

    def _answer(self, hearing):
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        with hearing.question():
            self._pass(self.takes)
            threading.Event().wait(0.002)
        with self._lock:
            self._at_once -= 1
            self.healthy_left -= 1
        return "done"

    def _hang(self, turn, hearing):
        try:
            with hearing.question():
                for _ in range(5000):
                    turn.check()
                    threading.Event().wait(0.001)
                    if self.stands or not self.healthy_left:
                        self._pass(0.001)
        except PlatformUnavailable as error:
            return str(error)
        return "waited for"

    def _pass(self, seconds):
        with self._lock:
            self.time += seconds


class Due:
    """Shops that are given out a few at a time, until there are no more."""

    def __init__(self, shops):
        self._left, self._over = deque(shops), False

    def take(self, most, *, idle):
        found = [self._left.popleft() for _ in range(min(most, len(self._left)))]
        self._over = idle and not found
        return found

    def is_over(self):
        return self._over


@pytest.fixture
def town(monkeypatch):
    monkeypatch.setattr("carrierflow.reconcile.crew.LOOK", 0.01)
    return Town()


def healthy(count):
    return [shop(f"shop{number:03}") for number in range(count)]


def test_pauses_grow_and_end():
    """After the first silence a shop only comes last; then it rests longer and longer, an hour."""
    pauses = [pause_after(times) for times in range(30)]

    assert pauses == sorted(pauses)
    assert [0, 1, 2, 4] == [pause / timedelta(minutes=1) for pause in pauses[1:5]]
    assert timedelta(hours=1) == pauses[-1]
    assert rests(shop("a", retry_at=NOW + timedelta(seconds=1)), NOW)
    assert not rests(shop("a", retry_at=NOW), NOW)


@pytest.mark.parametrize("reason", EndReason)
def test_only_a_host_that_was_asked_has_answered_or_not(reason):
    """No ending that says nothing of the host makes a shop rest, and none frees it."""
    silent = {EndReason.UNAVAILABLE}
    unknown = {
        EndReason.RESTING,
        EndReason.LEASE_LOST,
        EndReason.SHOP_HELD,
        EndReason.NOT_ACTIVE,
        EndReason.FAILED,
        EndReason.INTERRUPTED,
    }
    assert answered(reason) is (False if reason in silent else None if reason in unknown else True)


def test_a_breaker_opens_for_its_host_alone():
    """Three in a row are enough, an answer between them begins anew, and others are not meant."""
    breaker = HostBreaker()
    for reason in (EndReason.UNAVAILABLE, EndReason.UNAVAILABLE, EndReason.DONE):
        breaker.learn(shop("a"), reason)
    for _ in range(2):
        breaker.learn(shop("a"), EndReason.UNAVAILABLE)
    assert not breaker.is_open(shop("b"))
    breaker.learn(shop("a"), EndReason.UNAVAILABLE)

    assert breaker.is_open(shop("b"))
    assert not breaker.is_open(shop("c", host="b.example"))


@pytest.mark.parametrize("unanswered", [0, 1])
def test_a_pass_beside_hung_shops_ends_as_soon_as_without(town, unanswered):
    """Eight hang beside two hundred, evenly between them: no tenth is added, known or not."""
    shops = healthy(200)
    alone = town.pass_over(shops)
    for number in range(8):
        shops.insert((number + 1) * 26 - 1, shop(f"hung{number}", unanswered=unanswered))

    beside = town.pass_over(shops)

    assert beside <= 1.1 * alone
    assert {"done"} == {said for code, said in town.ended.items() if "hung" not in code}
    assert 8 == sum("no answer came" in said for said in town.ended.values())


@pytest.mark.parametrize("unanswered", [0, 1])
def test_hung_shops_starve_no_healthy_one_in_the_loop(town, unanswered):
    """Shops come as they are due, hung ones between them: the others take no tenth longer."""
    shops = healthy(200)
    alone = town.pass_over(shops, as_they_are_due=True)
    for number in range(8):
        shops.insert((number + 1) * 26 - 1, shop(f"hung{number}", unanswered=unanswered))

    beside = town.pass_over(shops, as_they_are_due=True)

    assert beside <= 1.1 * alone
    assert {"done"} == {said for code, said in town.ended.items() if "hung" not in code}
    assert 208 == len(town.ended)


def test_more_hung_hosts_than_threads_keep_no_healthy_shop_from_its_turn(town):
    """All threads wait, and first in the queue: they have the time of one request, and no more."""
    hung = [shop(f"hung{number}") for number in range(PARALLEL + SPARE + 20)]
    town.stands = True

    town.pass_over([*hung, *healthy(50)])

    assert 50 == sum(said == "done" for said in town.ended.values())
    assert len(hung) == sum("no answer came" in said for said in town.ended.values())


def test_shops_that_answer_again_keep_to_the_number_at_once(town):
    """After an outage all were silent: one of them is tried beside the others, and not all."""
    town.takes = 0
    before = [shop(f"back{number}", unanswered=1) for number in range(50)]

    town.pass_over([*before, *healthy(50)])

    assert PARALLEL + 1 >= town.most_at_once


def test_patience_is_learnt_from_the_others():
    """Where all are slow, slow is not silent; where nobody answers, it is one request's time."""
    assert (13, 1, 6, 13) == tuple(map(PATIENCE.after_others, (None, 0.2, 2.0, 9.0)))
    assert 1 == PATIENCE.before_others(None)
    assert 6 == PATIENCE.before_others(2.0)


def test_who_answers_after_all_is_not_dropped():
    """A host that was given up while a write was under way, and answers it, has all its time."""
    turn = Turn(shop("a"))
    with turn.hearing.question():
        turn.dropped = True
    turn.check()

    with turn.hearing.question():
        turn.check()


@pytest.mark.parametrize(("lost", "longest"), [(False, 13), (True, 6.5)])
def test_where_nobody_watches_a_silent_host_is_dropped_all_the_same(lost, longest):
    """A worker that has one shop ends by itself what a crew would end, and no sooner."""
    time = [0.0]
    attention = Attention(longest=13)
    attention.hearing = Hearing(lambda: time[0])
    attention.hearing.lost = lost
    with attention.hearing.question():
        time[0] = longest - 0.1
        attention.check()
        time[0] = longest
        with pytest.raises(PlatformUnavailable):
            attention.check()


def test_a_pause_between_two_passes_is_no_silence():
    """Who waits for a settle window after a lost write asks nobody: nobody is silent."""
    turn = Turn(shop("a"))
    with pytest.raises(TimeoutError), turn.listening(), turn.hearing.question():
        raise TimeoutError

    assert not turn.waits(0)
    assert not turn.is_over(0, once_lost=0)
