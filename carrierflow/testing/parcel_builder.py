"""Parcels that stand where a test needs them, with a legal history that led them there."""

from __future__ import annotations

from datetime import datetime, timedelta

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status, Verdict
from carrierflow.errors import InvalidInput
from carrierflow.ledger.ledger import Ledger


__all__ = ["bring", "open_at"]

BEGINNING = Status.READYTOPICK


def open_at(
    ledger: Ledger,
    ref: FulfillmentRef,
    status: Status = BEGINNING,
    *,
    at: datetime,
    cod_amount: int | None = None,
    tracking_number: str | None = None,
    lifecycle: Lifecycle | None = None,
) -> None:
    """Open a parcel and bring it to a status of its delivery or of its cash, as `bring` does.

    `at` is when it was taken up; each step on its road happens an hour after the one before. The
    ledger may be one that joined a transaction: if that is rolled back, there is no parcel.

    Raises:
        InvalidInput: if no road leads there.
    """
    ledger.open(Opening(ref=ref, at=at, cod_amount=cod_amount, tracking_number=tracking_number))
    if status is not BEGINNING:
        bring(ledger, ref, status, after=at, lifecycle=lifecycle)


def bring(
    ledger: Ledger,
    ref: FulfillmentRef,
    status: Status,
    *,
    after: datetime,
    lifecycle: Lifecycle | None = None,
) -> datetime:
    """Bring a parcel that was just opened to a status by the shortest road; return when it came.

    A cash status brings the delivery that it needs along. The lifecycle is the default one, if
    none is given.

    Raises:
        InvalidInput: if no road leads there.
    """
    legal = lifecycle or Lifecycle(DEFAULT)
    moment = after
    for step in _road(legal, status):
        moment += timedelta(hours=1)
        answer = ledger.record(
            Event(
                shop=ref.shop,
                fulfillment_id=ref.fulfillment_id,
                status=step,
                occurred_at=moment,
            )
        )
        if answer.verdict is not Verdict.ACCEPTED:
            raise InvalidInput(f"No parcel comes to {status} like that: {answer.sentence}")
    return moment


def _road(legal: Lifecycle, status: Status) -> tuple[Status, ...]:
    if status.machine is Machine.DELIVERY:
        road = legal.road(BEGINNING, status)
        if not road:
            raise InvalidInput(f"No road leads from {BEGINNING} to {status}.")
        return road
    cash = legal.road(Status.CODPENDING, status)
    needed = next((need for each in cash if (need := legal.needs(each)) is not None), None)
    if not cash or needed is None:
        raise InvalidInput(f"No road leads from {Status.CODPENDING} to {status}.")
    follows = legal.follower(needed)
    return (*_road(legal, needed), *(each for each in cash if each is not follows))
