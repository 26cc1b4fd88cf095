"""The door of an embedder: what it builds is imported when it is built.

So a host that imports its scanner's events and this does not wait for a database's libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carrierflow.domain import clock


if TYPE_CHECKING:
    from carrierflow.app.carrierflow import Carrierflow
    from carrierflow.app.settings import Settings
    from carrierflow.domain.lifecycle import Definition
    from carrierflow.platforms.profile import PlatformProfile
    from carrierflow.storage import DatabaseClock, Engine


__all__ = ["build"]


def build(
    settings: Settings | None = None,
    *,
    engine: Engine | None = None,
    definition: Definition | None = None,
    platforms: Sequence[PlatformProfile] = (),
    now: clock.Clock = clock.now,
    sleep: clock.Sleep = clock.sleep,
    database_clock: DatabaseClock | None = None,
) -> Carrierflow:
    """Build everything from settings; an embedder may hand over its own engine.

    `platforms` are those that its shops may be on beside ours; the command line knows ours alone.

    Nothing is read or written yet: the first use opens the database.

    Raises:
        ConfigurationError: if a setting, or the engine, cannot be used.
    """
    from carrierflow.app.assembly import assemble  # noqa: PLC0415 - all that is heavy

    return assemble(
        settings,
        engine=engine,
        definition=definition,
        platforms=platforms,
        now=now,
        sleep=sleep,
        database_clock=database_clock,
    )
