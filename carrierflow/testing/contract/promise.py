"""One promise: a sentence, and how to find out whether a platform keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.under_test import PlatformUnderTest


__all__ = ["Promise", "promise", "promises_in", "slow_promise"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """Something that every platform keeps."""

    name: str
    says: str
    """The promise, in a sentence or two."""
    check: Callable[[Trial], None]
    slow: bool = False
    """Whether it takes more than a few seconds."""

    def __str__(self) -> str:
        return self.name

    def keep(self, make: Callable[[ManualClock], PlatformUnderTest], folder: Path) -> None:
        """Try whether a platform keeps it, with a ledger in a folder that holds none yet.

        Raises:
            AssertionError: it does not, with what was seen.
        """
        with Trial(make, folder) as trial:
            try:
                self.check(trial)
            except AssertionError:
                raise
            except Exception as error:
                raise AssertionError(f"An error came through: {error!r}") from error


def promise(check: Callable[[Trial], None]) -> Promise:
    """Make a promise of a function, which raises where it is broken."""
    return Promise(name=check.__name__, says=(check.__doc__ or "").strip(), check=check)


def slow_promise(check: Callable[[Trial], None]) -> Promise:
    """Make a promise that takes its time."""
    return Promise(name=check.__name__, says=(check.__doc__ or "").strip(), check=check, slow=True)


def promises_in(module: ModuleType) -> Iterator[Promise]:
    """Yield the promises of a module, in their order."""
    yield from (each for each in vars(module).values() if isinstance(each, Promise))
