"""What was agreed about a parcel: the amount to collect, its waybill, whose parcel it is.

Number 0 is what the parcel was opened with; each further number is a revision, by whom and why.
The parcel's own row says what holds now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from carrierflow.domain.fulfillment import Change, Fulfillment
from carrierflow.domain.revision import AgreedTerms, Terms
from carrierflow.storage.tables import fulfillments, terms


__all__ = ["add_revision", "agreed_terms", "opening_rows"]

READ_TERMS = (
    select(terms).where(terms.c.fulfillment == bindparam("parcel")).order_by(terms.c.number)
)
HOLDS_NOW = (
    update(fulfillments)
    .where(fulfillments.c.id == bindparam("parcel"))
    .values(
        cod_amount=bindparam("amount"),
        tracking_number=bindparam("waybill"),
        hinted_at=bindparam("now"),
    )
)


def agreed_terms(connection: Connection, parcel: Fulfillment) -> list[AgreedTerms]:
    """Return all that was agreed about a parcel, oldest first."""
    return [
        AgreedTerms(
            number=row.number,
            terms=Terms(cod_amount=row.cod_amount, tracking_number=row.tracking_number),
            source=row.source,
            actor=row.actor,
            reason=row.reason,
            recorded_at=row.recorded_at,
        )
        for row in connection.execute(READ_TERMS, {"parcel": parcel.id})
    ]


def add_revision(connection: Connection, change: Change, carrier_code: str) -> None:
    """Write what is agreed from now on about a parcel whose row is held, beside what was.

    The next run compares it with what the platform has.
    """
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
        "source": agreed.source,
        "actor": agreed.actor,
        "reason": agreed.reason,
        "recorded_at": agreed.recorded_at,
    }
    connection.execute(insert(terms), row)
    holds = {"parcel": parcel, "amount": amount, "waybill": waybill, "now": agreed.recorded_at}
    connection.execute(HOLDS_NOW, holds)


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
