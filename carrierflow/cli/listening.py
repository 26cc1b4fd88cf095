"""A port of one's own: what to say where somebody else has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from carrierflow.errors import ConfigurationError


__all__ = ["listening"]


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Say why nobody can listen at an address, where a try to do so fails.

    Raises:
        ConfigurationError: if it is taken, or none of this machine's.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "it cannot be had").split(" (")[0].lower()
        raise ConfigurationError(f"Nobody can listen at {host}:{port}: {reason}.") from error
