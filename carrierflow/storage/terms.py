"""What was agreed about a parcel: the amount to collect, its waybill, whose parcel it is.

Number 0 is what the parcel was opened with; each further number is a revision, by whom and why.
The parcel's own row says what holds now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from carrierflow.domain.fulfillment import Change, Fulfillment
from carrierflow.domain.revision import Terms
from carrierflow.storage.tables import fulfillments, terms


__all__ = ["UPGRADE", "add_revision", "opening_rows", "terms_of"]

UPGRADE = "upgrade"
"""The source of terms that were written by an upgrade: what held then, of a parcel of before."""

READ_TERMS = (
    select(terms.c.number, terms.c.cod_amount, terms.c.tracking_number)
    .where(terms.c.fulfillment == bindparam("parcel"))
    .order_by(terms.c.number)
)
HOLDS_NOW = (
    update(fulfillments)
    .where(fulfillments.c.id == bindparam("parcel"))
    .values(cod_amount=bindparam("amount"), tracking_number=bindparam("waybill"))
)


def terms_of(connection: Connection, parcel: Fulfillment) -> dict[int, Terms]:
    """Return all that was agreed about a parcel, by its number."""
    rows = connection.execute(READ_TERMS, {"parcel": parcel.id})
    return {
        number: Terms(cod_amount=amount, tracking_number=waybill)
        for number, amount, waybill in rows
    }


def add_revision(connection: Connection, change: Change, carrier_code: str) -> None:
    """Write what is agreed from now on about a parcel whose row is held, beside what was."""
    agreed = change.agreed
    if agreed is None:
        return
    amount, waybill = agreed.terms.cod_amount, agreed.terms.tracking_number
    parcel = change.before.id
    row = {
        "fulfillment": parcel,
        "number": agreed.number,
        "tracking_number": waybill,
        "cod_amount": amount,
        "carrier_code": carrier_code,
        "source": str(agreed.source),
        "actor": agreed.actor,
        "reason": agreed.reason,
        "recorded_at": agreed.recorded_at,
    }
    connection.execute(insert(terms), row)
    connection.execute(HOLDS_NOW, {"parcel": parcel, "amount": amount, "waybill": waybill})


def opening_rows(
    changes: Collection[Change], carrier_codes: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield, as rows of `terms`, what parcels are opened with whose history begins here.

    `carrier_codes` are by the shops' codes. A row is as old as its parcel's first entry, and is
    told by the same.
    """
    for change in changes:
        before = change.before
        if not change.entries:
            continue
        first = change.entries[0]
        yield {
            "fulfillment": before.id,
            "number": 0,
            "tracking_number": before.tracking_number,
            "cod_amount": before.cod_amount,
            "carrier_code": carrier_codes[before.ref.shop],
            "source": str(first.source),
            "actor": first.actor,
            "reason": first.reason,
            "recorded_at": first.recorded_at,
        }
