"""One thing of a platform's and how it looked before, for reads that come from the past."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import Generic, TypeVar


__all__ = ["Versions"]

T = TypeVar("T")
_moment = itemgetter(0)


class Versions(Generic[T]):
    """One thing and how it looked at every earlier moment."""

    __slots__ = ("_versions",)

    def __init__(self, at: int, first: T) -> None:
        self._versions: list[tuple[int, T]] = [(at, first)]

    @property
    def now(self) -> T:
        """The newest version."""
        return self._versions[-1][1]

    def as_of(self, moment: int | None) -> T | None:
        """Return the version that stood at a moment, or None if the thing was not there yet."""
        if moment is None:
            return self.now
        found = bisect_right(self._versions, moment, key=_moment)
        return self._versions[found - 1][1] if found else None

    def add(self, at: int, version: T) -> None:
        """Put a newer version on top."""
        self._versions.append((at, version))
