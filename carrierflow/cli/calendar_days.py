"""Days and times as options: a day in Vietnam stands for one of its ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import click

from carrierflow.audit.reports.calendar import begin_of, end_of
from carrierflow.cli.session import TIME


__all__ = ["SINCE", "WHEN"]

DAY = re.compile(r"\d{4}-\d\d-\d\d", flags=re.ASCII)


class When(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """A day in Vietnam, which stands for its end or its beginning, or a time with a zone."""

    name = "when"

    def __init__(self, edge: Callable[[date], datetime]) -> None:
        self._edge = edge

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a day or a time; anything else is a usage error."""
        if isinstance(value, str) and DAY.fullmatch(value):
            try:
                return self._edge(date.fromisoformat(value))
            except (ValueError, OverflowError):
                self.fail(f"There is no day {value}.", param, ctx)
        return TIME.convert(value, param, ctx)


WHEN = When(end_of)
SINCE = When(begin_of)
