"""Shops whose host does not answer: when they are tried again, and whom they keep waiting."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest

from carrierflow.domain.shop import Shop, ShopState
from carrierflow.errors import PlatformUnavailable
from carrierflow.reconcile.crew import Crew, Turn
from carrierflow.reconcile.run_report import EndReason
from carrierflow.reconcile.silence import HostBreaker, answered, pause_after, rests


NOW = datetime(2026, 3, 1, tzinfo=UTC)


def shop(code, *, host="a.example", **more):
    return Shop(
        id=1,
        code=code,
        platform="haravan",
        base_url=f"https://{host}/",
        carrier_code="c",
        state=ShopState.ACTIVE,
        added_at=NOW,
        encrypted_token=b"t",
        **more,
    )


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


def test_hung_shops_keep_no_healthy_one_waiting(monkeypatch):
    """More hung shops than threads, and first in the queue: all healthy ones are done meanwhile."""
    monkeypatch.setattr("carrierflow.reconcile.crew.SILENT", 0.02)
    monkeypatch.setattr("carrierflow.reconcile.crew.LOOK", 0.01)
    healthy, over = {f"h{number}" for number in range(200)}, threading.Event()
    finished = []

    def do(turn):
        if turn.shop.code not in healthy:
            assert over.wait(30), "the healthy ones are kept waiting"
        return turn.shop.code

    shops = [shop(f"hung{number}") for number in range(8)] + [shop(code) for code in healthy]
    for found, _ in Crew(4, patience=30).work(shops, do, deque()):
        finished.append(found.code)
        if healthy <= set(finished):
            over.set()

    assert healthy == set(finished[:200])
    assert 208 == len(finished)


def test_a_host_that_was_silent_before_is_not_waited_for_at_the_end(monkeypatch):
    """When all else is done, a shop known as silent has the time of one request, and no more."""
    monkeypatch.setattr("carrierflow.reconcile.crew.LOOK", 0.01)
    never = threading.Event()

    def do(turn):
        for _ in range(3000):
            try:
                turn.check()
            except PlatformUnavailable as error:
                return str(error)
            never.wait(0.01)
        return "waited"

    ((_, said),) = Crew(4, patience=0.05).work([shop("a", unanswered=1)], do, deque())
    assert "no answer came" in said


def test_who_answers_is_not_dropped():
    """A host that has said something has all its time."""
    turn = Turn(shop("a"), dropped=True, heard=True)
    turn.check()
