"""What was agreed about parcels at a moment: the last terms that had been written by then."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, Subquery, func, or_, select

from carrierflow.storage.tables import terms


__all__ = ["agreed_at"]


def agreed_at(at: datetime, *, of: Select[tuple[int]] | None = None) -> Subquery:
    """Return the terms of each parcel at a moment: `fulfillment`, `cod_amount`, `tracking_number`.

    What a parcel was opened with counts from its beginning, also where it was written later: a
    parcel that is told of late was agreed upon before. `of` says which parcels; all by default.
    """
    t = terms.c
    numbers = select(t.fulfillment, func.max(t.number).label("number")).where(
        or_(t.number == 0, t.recorded_at <= at)
    )
    if of is not None:
        numbers = numbers.where(t.fulfillment.in_(of))
    last = numbers.group_by(t.fulfillment).subquery("last_terms")
    same = (t.fulfillment == last.c.fulfillment) & (t.number == last.c.number)
    return (
        select(t.fulfillment, t.cod_amount, t.tracking_number)
        .join_from(last, terms, same)
        .subquery("agreed")
    )
