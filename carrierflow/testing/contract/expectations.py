"""What is expected, and the sentence where it is not so; nothing here is lost under `python -O`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from carrierflow.domain.model import Observation, Status


__all__ = ["equal", "expect", "is_kind", "outcome_of", "status_of"]


def expect(truth: object, sentence: str) -> None:
    """Raise `AssertionError` with a sentence where something is not so."""
    if not truth:
        raise AssertionError(sentence)


def equal(expected: object, found: object, what: str) -> None:
    """Expect one thing to be another."""
    expect(expected == found, f"{what}: expected {expected!r}, found {found!r}")


def is_kind(found: object, kinds: type | tuple[type, ...], what: str) -> None:
    """Expect an outcome to be of a kind, or of one of some."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    names = " or ".join(kind.__name__ for kind in wanted)
    expect(isinstance(found, wanted), f"{what}: expected {names}, found {found!r}")


def outcome_of(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is judged)
        return error


def status_of(found: object) -> Status | None:
    """Return the status of the delivery that was read; None where none was."""
    return found.carrier.status if isinstance(found, Observation) else None
