"""No process outlives the test that started it."""

from __future__ import annotations

import pytest

from .processes import Worker


@pytest.fixture(autouse=True)
def no_survivors():
    """Kill what a test left running: a failed one leaves much."""
    yield
    while Worker.started:
        Worker.started.pop().kill()
