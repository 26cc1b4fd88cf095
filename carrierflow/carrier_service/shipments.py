"""A parcel that a platform handed over: what was asked, what was answered, what is shown of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal

from carrierflow.carrier_service.carrier import AcceptRequest
from carrierflow.carrier_service.dialect import ShownParcel
from carrierflow.domain.canonical import digest
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import Machine, Status
from carrierflow.domain.publication import PublicationLog, PublicationState, PublishableStep


__all__ = [
    "ATTEMPTED",
    "Shipment",
    "ShipmentRecord",
    "create_answer",
    "detail_answer",
    "digest_of",
    "published_status",
    "shows_unknown_status",
]

UNPAID = frozenset({Status.NONE, Status.CODNOTRECEIPT})
"""What a platform says of cash that it does not expect, or no longer."""

ATTEMPTED = frozenset({PublicationState.SENT, PublicationState.UNKNOWN})
"""A telling that may have reached the platform, or may still."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipment:
    """The answer to a create order, for good: whoever asks again gets it again."""

    external_code: str
    digest: str
    """Of what was asked, with the amount that was agreed; the same code with another digest is
    another parcel's mistake."""
    tracking_number: str
    tracking_url: str | None
    shipping_fee: int
    accepted_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipmentRecord:
    """A parcel of the ledger, and the shipment that it came by; None if it came otherwise."""

    parcel: Fulfillment
    shipment: Shipment | None


def digest_of(asked: AcceptRequest, *, cod_amount: int | None = None) -> str:
    """Return the digest of a request's meaning; how it was spelled and ordered does not count.

    `cod_amount` stands in the place of the amount that it asks for.
    """
    if cod_amount is not None:
        asked = replace(asked, cod_amount=cod_amount)
    return digest(json.dumps(asdict(asked), sort_keys=True, default=_plain))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def create_answer(held: ShipmentRecord) -> ShownParcel:
    """Return what a create order is answered."""
    parcel, shipment = held.parcel, held.shipment
    return ShownParcel(
        tracking_number=shipment.tracking_number if shipment else parcel.tracking_number,
        tracking_url=shipment.tracking_url if shipment else None,
        shipping_fee=shipment.shipping_fee if shipment else None,
        cod_amount=parcel.cod_amount,
    )


def detail_answer(held: ShipmentRecord, publication_log: PublicationLog) -> ShownParcel:
    """Return what the platform is shown of a parcel when it asks."""
    carrier, cod = published_status(held.parcel, publication_log)
    answer = create_answer(held)
    return ShownParcel(
        tracking_number=answer.tracking_number,
        tracking_url=answer.tracking_url,
        shipping_fee=answer.shipping_fee,
        cod_amount=answer.cod_amount,
        carrier_status=carrier,
        cod_status=cod,
    )


def published_status(parcel: Fulfillment, publication_log: PublicationLog) -> tuple[Status, Status]:
    """Return where a parcel stands in front of the platform: the publication cursor.

    The platform takes the answer for news and would jump over the steps between, so it is told
    what it knows or what we are telling it just now, never the ledger's head. A frozen parcel
    waits for a person: there the platform hears its own last word, and nothing moves; where
    that is none of ours, it is not to be answered (`shows_unknown_status`). Of cash that is
    disputed, which freezes nothing, the platform hears its own last word too.
    """
    if parcel.frozen and parcel.remote is not None:
        carrier, cash = parcel.remote.statuses
        if carrier is not None and cash is not None:
            return carrier, cash
    delivery = _cursor(parcel, publication_log, Machine.DELIVERY)
    cod = _lifted(_cursor(parcel, publication_log, Machine.COD), publication_log, delivery)
    return delivery.to_status, _disputed(parcel, cod.to_status) or cod.to_status


def shows_unknown_status(parcel: Fulfillment) -> bool:
    """Tell whether a parcel is frozen where the platform shows a word that we cannot say.

    It takes an answer for news, so whatever we said, the word would be gone before a person saw it.
    """
    remote = parcel.remote
    if parcel.frozen is None or remote is None:
        return False
    return None in remote.statuses


def _disputed(parcel: Fulfillment, cod: Status) -> Status | None:
    """Return what the platform says of cash that it denies and that is due here; else None."""
    said = parcel.remote.cod.status if parcel.remote else None
    return said if said in UNPAID and cod not in UNPAID else None


def _cursor(
    parcel: Fulfillment, publication_log: PublicationLog, machine: Machine
) -> PublishableStep:
    """Return the last step of a machine that the platform shows, or that it was just told."""
    steps = [step for step in publication_log.steps if step.machine is machine]
    known = max(parcel.head(machine).confirmed, 1)
    path = [step for step in steps if step.seq > known]
    told = [
        step.seq for step in path if _is_attempted(publication_log, step, first=step is path[0])
    ]
    last = max(told, default=known)
    return next(step for step in steps if step.seq == last)


def _is_attempted(publication_log: PublicationLog, step: PublishableStep, *, first: bool) -> bool:
    """Tell whether the platform may have heard of a step.

    The next step counts even where its last attempt certainly failed: the platform may have
    asked while it was under way, and would be sent back. A cancel that a PUT tells does not
    count: the platform would cancel by this answer, and refuse the PUT that is under way.
    """
    publication = publication_log.publications.get((step.machine, step.seq))
    if publication is None:
        return False
    if step.to_status is Status.CANCEL:
        return publication.state in ATTEMPTED and not publication.attempts
    return publication.state in ATTEMPTED or (first and publication.attempts > 0)


def _lifted(
    cod: PublishableStep, publication_log: PublicationLog, delivery: PublishableStep
) -> PublishableStep:
    """Take the cash along that the platform itself lifts when it hears of the delivery."""
    for step in publication_log.steps:
        if step.machine is Machine.COD and step.seq == cod.seq + 1 and step.cause is not None:
            machine, _, seq = step.cause.partition(":")
            if machine == Machine.DELIVERY and int(seq) <= delivery.seq:
                return step
    return cod
