"""Telling people of new incidents: once each, all that are new in one message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from carrierflow.domain.clock import Clock
from carrierflow.domain.foreign_text import shown
from carrierflow.domain.incident import Incident
from carrierflow.domain.limits import cut
from carrierflow.domain.quiet_hours import QuietHours
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import NotificationFailed


__all__ = ["IncidentNotifier", "Messenger", "Notified", "Telling"]

SENTENCE = 160
"""Letters of an incident's sentence that are told; the rest is in `incidents show`."""

LONGEST = 1800
"""Letters of a message; some chats take no more than two thousand."""


class Messenger(Protocol):
    """A way of telling people."""

    name: str

    def send(self, subject: str, text: str) -> None:
        """Send one message.

        Raises:
            NotificationFailed: if it was not taken.
        """
        ...


class NotificationStore(Protocol):
    """Remembers who was told of what; each call is a transaction of its own."""

    def untold(self, channel: str) -> list[Incident]:
        """Return the open incidents that nobody was told of, oldest first."""
        ...

    def claim(self, channel: str) -> list[Incident]:
        """Return them too, and give them to nobody else for a while."""
        ...

    def told(self, channel: str, found: Sequence[Incident]) -> None:
        """Write that somebody was told."""
        ...

    def release(self, channel: str, found: Sequence[Incident]) -> None:
        """Give back what was claimed: nobody was told."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """One message on one way; without incidents there was none."""

    channel: str
    incidents: int
    subject: str = ""
    text: str = ""
    problem: NotificationFailed | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Notified:
    """What became of one notification."""

    quiet: bool
    """Whether nothing was sent because these are quiet hours."""
    tellings: tuple[Telling, ...] = ()


@guarded_methods
class IncidentNotifier:
    """Tells of new incidents on each way that the settings name."""

    def __init__(
        self,
        store: NotificationStore,
        messengers: Sequence[Messenger],
        *,
        quiet_hours: QuietHours | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._messengers = messengers
        self._quiet_hours = quiet_hours
        self._clock = clock

    @property
    def can_notify(self) -> bool:
        """Whether the settings name anybody to tell."""
        return bool(self._messengers)

    def preview(self) -> Notified:
        """Return what `notify` would tell now; nothing is sent and nothing is written."""
        quiet = self._is_quiet()
        return Notified(
            quiet=quiet,
            tellings=tuple(_telling(m.name, self._store.untold(m.name)) for m in self._messengers),
        )

    def notify(self, *, even_quiet: bool = False) -> Notified:
        """Tell of every open incident that was not told of yet, in one message on each way.

        In quiet hours nothing is sent, and told when they are over. A message that was not taken
        is a `problem` of its telling, and its incidents are told the next time; so they are, after
        five minutes, if this process dies while it sends.
        """
        if self._is_quiet() and not even_quiet:
            return Notified(quiet=True)
        return Notified(quiet=False, tellings=tuple(self._tell(it) for it in self._messengers))

    def _is_quiet(self) -> bool:
        return self._quiet_hours is not None and self._quiet_hours.covers(self._clock())

    def _tell(self, messenger: Messenger) -> Telling:
        found = self._store.claim(messenger.name)
        telling = _telling(messenger.name, found)
        if not found:
            return telling
        try:
            messenger.send(telling.subject, telling.text)
        except NotificationFailed as problem:
            self._store.release(messenger.name, found)
            return replace(telling, problem=problem)
        self._store.told(messenger.name, found)
        return telling


def _telling(channel: str, found: Sequence[Incident]) -> Telling:
    if not found:
        return Telling(channel=channel, incidents=0)
    return Telling(
        channel=channel, incidents=len(found), subject=_subject(found), text=_text(found)
    )


def _subject(found: Sequence[Incident]) -> str:
    shops = len({incident.shop for incident in found})
    return f"carrierflow: {_count(len(found), 'new incident')} in {_count(shops, 'shop')}"


def _text(found: Sequence[Incident]) -> str:
    """Return a line for each shop and kind, as many as there is room for."""
    lines, length = [f"{_subject(found)}."], 0
    groups = list(_groups(found))
    for number, group in enumerate(groups):
        line = _line(group)
        length += len(line)
        if length > LONGEST:
            lines.append(f"And {_count(len(groups) - number, 'further line')}.")
            break
        lines.append(line)
    return "\n".join([*lines, f"Look: carrierflow incidents show {found[0].id}"])


def _groups(found: Sequence[Incident]) -> Iterator[list[Incident]]:
    def place(incident: Incident) -> tuple[str, str]:
        return incident.shop, incident.kind

    for _, group in groupby(sorted(found, key=place), key=place):
        yield list(group)


def _line(group: Sequence[Incident]) -> str:
    first = group[0]
    count = f"{len(group)} x " if len(group) > 1 else ""
    sentence = cut(shown(first.sentence), SENTENCE)
    return f"- {first.shop}: {count}{first.kind} (incident {first.id}): {sentence}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
