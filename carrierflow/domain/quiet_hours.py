"""Hours of each day in which nobody is told anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, tzinfo

from carrierflow.errors import ConfigurationError


__all__ = ["QuietHours"]

SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", flags=re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """From one time of the day up to another one, over midnight where that is earlier."""

    begin: time
    end: time
    zone: tzinfo

    @classmethod
    def read(cls, text: str, zone: tzinfo) -> QuietHours | None:
        """Read `22:00-06:00`; None if nothing is written.

        Raises:
            ConfigurationError: if it cannot be read, or is no span.
        """
        if not text:
            return None
        found = SPAN.fullmatch(text)
        if found is None or found.group(1, 2) == found.group(3, 4):
            raise ConfigurationError(
                "quiet_hours must be two different times of the day, like 22:00-06:00."
            )
        hour, minute, end_hour, end_minute = map(int, found.groups())
        return cls(begin=time(hour, minute), end=time(end_hour, end_minute), zone=zone)

    def covers(self, moment: datetime) -> bool:
        """Tell whether a moment lies in them; the end itself does not."""
        at = moment.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end
