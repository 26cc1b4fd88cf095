"""Bugs put in on purpose: the simulation must find each, or its silence proves nothing."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock


@dataclass(frozen=True)
class Bug:
    """One planted bug: what it does wrong, and the patches that do it."""

    name: str
    patches: object
    platform: str = "haravan"

    @contextmanager
    def planted(self):
        """Have the bug for a while."""
        with ExitStack() as stack:
            for patch in self.patches():
                stack.enter_context(patch)
            yield


BUGS = []

SURVIVABLE = []
"""Not bugs: what safety may not rest on. The simulation must stay silent about them."""


def bug(function):
    """Collect a function that returns the patches of one bug."""
    BUGS.append(Bug(function.__doc__.rstrip(".").lower(), function))
    return function


def bug_at(platform):
    """Collect a function that returns the patches of one bug, to be found at a platform."""

    def collect(function):
        BUGS.append(Bug(function.__doc__.rstrip(".").lower(), function, platform))
        return function

    return collect


def survivable(function):
    """Collect a change that must break nothing."""
    SURVIVABLE.append(Bug(function.__doc__.rstrip(".").lower(), function))
    return function


def changed_property(owner, name, value):
    """Return a patch of a property."""
    return mock.patch.object(owner, name, property(value))


def wrapped(owner, name, make):
    """Return a patch that puts something around a function."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def hunt(one, seeds, play):
    """Play seeds until one catches the bug; return that seed and what broke, or None."""
    with one.planted():
        for seed in seeds:
            played = play(seed, one.platform)
            if played.broken is not None:
                return seed, played.broken
    return None
