"""What a report asks about: one shop or all, and a while or all of the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select


__all__ = ["bounded"]


def bounded(
    query: Select[Any],
    shop: int | str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    of: ColumnElement[Any],
    at: ColumnElement[datetime],
) -> Select[Any]:
    """Leave of a query what is of a shop and of a while, both ends included; None bounds nothing.

    `of` is the column that says whose a row is, `at` the one that says when it was.
    """
    if shop is not None:
        query = query.where(of == shop)
    if since is not None:
        query = query.where(at >= since)
    if until is not None:
        query = query.where(at <= until)
    return query
