"""A span of time as an option: a number and its unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click


__all__ = ["SPAN"]

UNITS = {"d": "days", "h": "hours", "m": "minutes"}

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([dhm])", flags=re.ASCII)

_LONGEST = timedelta(days=36_525)


class SpanParam(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """Days, hours or minutes: 3d, 36h, 90m."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read a span; one without a unit is a usage error."""
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no span; write days, hours or minutes: 3d, 36h, 90m.")
        span = timedelta(**{UNITS[found[2]]: float(found[1])})
        if span > _LONGEST:
            self.fail(f"{value!r} is longer than a hundred years.", param, ctx)
        return span


SPAN = SpanParam()
