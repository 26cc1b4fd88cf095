"""What a process counts about itself."""

from __future__ import annotations

import sys
from threading import Thread

import pytest

from carrierflow.domain.counters import Counters


def test_counts_are_kept_by_name_and_labels():
    """Two results of one kind are two counts, and an unknown name counts nothing."""
    counters = Counters()
    counters.count("callbacks", kind="rates", result="ok")
    counters.count("callbacks", result="ok", kind="rates")
    counters.count("callbacks", 3, kind="rates", result="refused")

    counts = counters.counts("callbacks")

    assert 2 == counts[("kind", "rates"), ("result", "ok")]
    assert 3 == counts[("kind", "rates"), ("result", "refused")]
    assert {} == counters.counts("webhooks")


@pytest.fixture
def hasty():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_lose_no_count(hasty):
    """Many threads may count at once."""
    counters = Counters()

    def work():
        for _ in range(5_000):
            counters.count("verdicts", verdict="accepted")

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {(("verdict", "accepted"),): 20_000} == counters.counts("verdicts")
