"""What a carrier does when a platform asks: quote, take a parcel, show it, give it up.

Nobody calls the carrier's own code or the network inside a transaction: the carrier decides
first, then everything is written at once, or not at all. A crash in between leaves no half
shipment here, and the platform's next try finds the carrier's answer again by its code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from carrierflow.carrier_service.carrier import (
    Accepted,
    AcceptRequest,
    CancelRequest,
    Carrier,
    Declined,
    Rate,
)
from carrierflow.carrier_service.dialect import Dialect
from carrierflow.carrier_service.messages import Request, Response
from carrierflow.carrier_service.ports import AlreadyUsed, CallbackStore, CallbackTransaction
from carrierflow.carrier_service.shipments import (
    ATTEMPTED,
    Shipment,
    ShipmentRecord,
    create_answer,
    detail_answer,
    digest_of,
    shows_unknown_status,
)
from carrierflow.domain.amounts import AMOUNTS_DIFFER, differing_amounts
from carrierflow.domain.clock import Clock
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding
from carrierflow.domain.lifecycle import LABELS
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    Machine,
    Opening,
    Source,
    Status,
    Verdict,
)
from carrierflow.domain.publication import Publication, PublicationLog, PublicationState
from carrierflow.errors import InvalidInput, TermsDiffer
from carrierflow.ledger.ledger import Ledger
from carrierflow.ledger.validation import check_opening, check_order


__all__ = ["Callbacks"]

CANCEL_REASON = "cancelled through the cancel callback"


class Callbacks:
    """The calls about parcels; each takes the shop that the path names, and a signed request.

    Every one raises `InvalidInput` where the answer is no.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        dialect: Dialect,
        store: CallbackStore,
        ledger: Ledger,
        clock: Clock,
        delivery: timedelta,
    ) -> None:
        self._carrier = carrier
        self._delivery = delivery
        self._dialect = dialect
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def rates(self, code: str, request: Request) -> Response:
        """Answer what the carrier would ask for carrying something."""
        self._store.read(lambda tx: tx.check_shop(code))
        rates = self._carrier.quote(self._dialect.quote_request(code, request))
        if isinstance(rates, Declined):
            raise InvalidInput(rates.reason)
        return self._dialect.rates([self._dated(rate) for rate in rates])

    def create(self, code: str, request: Request) -> Response:
        """Take a parcel; the same code again gets the same answer, however often it comes.

        So it does with another amount of cash, which becomes an incident: the ledger is changed
        by a revision alone.
        """
        asked = self._dialect.accept_request(code, request)
        held = self._store.read(lambda tx: _taken_before(tx, asked)) or self._taken(asked)
        if held.shipment is None or held.shipment.digest != digest_of(asked):
            self._asked_otherwise(asked, held)
        return self._dialect.shipment(create_answer(held))

    def detail(self, code: str, request: Request) -> Response:
        """Show a parcel as the platform is to see it now."""
        number = self._dialect.tracking_number(request)
        return self._shown(code, lambda tx: tx.by_tracking_number(code, number))

    def by_external_code(self, code: str, request: Request) -> Response:
        """Show a parcel by the platform's own code for it."""
        external_code = self._dialect.external_code(request)
        return self._shown(code, lambda tx: tx.by_external_code(code, external_code))

    def cancel(self, code: str, request: Request) -> Response:
        """Give a parcel up where the lifecycle and the carrier allow it.

        Where it is cancelled already, or we are telling the platform so at this moment, the call
        is the echo of what we know: it writes nothing and succeeds. A no is kept as evidence: a
        seller may ask later who said it, and when.
        """
        number = self._dialect.tracking_number(request)
        held, publication_log = self._found(code, lambda tx: tx.by_tracking_number(code, number))
        if held.parcel.delivery.status != Status.CANCEL and not _tells_cancel(publication_log):
            self._give_up(held)
        return self._dialect.shipment(
            replace(detail_answer(held, publication_log), carrier_status=Status.CANCEL)
        )

    def _dated(self, rate: Rate) -> Rate:
        """Give a rate both dates: of one that has none, those of the carrier's settings."""
        if rate.earliest is not None or rate.latest is not None:
            earliest, latest = rate.earliest or rate.latest, rate.latest or rate.earliest
        else:
            earliest = self._clock()
            latest = earliest + self._delivery
        return replace(rate, earliest=earliest, latest=latest)

    def _taken(self, asked: AcceptRequest) -> ShipmentRecord:
        """Let the carrier decide, then open the parcel and keep the answer, all at once."""
        at = self._clock()
        answer = self._carrier.accept(asked)
        if isinstance(answer, Declined):
            raise InvalidInput(answer.reason)
        opening = replace(_opening(asked), tracking_number=answer.tracking_number, at=at)

        def work(tx: CallbackTransaction) -> ShipmentRecord:
            code, number = asked.external_code, answer.tracking_number
            already_used = tx.already_used(asked.shop, code, number)
            if already_used is AlreadyUsed.CODE:
                return _known(tx, asked.shop, tx.by_external_code(asked.shop, code))
            if already_used is AlreadyUsed.NUMBER:
                raise InvalidInput("The carrier gave out the tracking number of another parcel.")
            parcel = self._open(tx, opening)
            shipment = self._shipment(asked, answer, cod_amount=parcel.cod_amount)
            tx.add_shipment(shipment, parcel)
            return ShipmentRecord(parcel=parcel, shipment=shipment)

        return self._store.run_callback(work)

    def _open(self, tx: CallbackTransaction, opening: Opening) -> Fulfillment:
        """Open a parcel, or take up one that is open, with whatever amount was agreed."""
        try:
            return self._ledger.open_within(tx, opening)
        except TermsDiffer:
            return self._ledger.open_within(tx, replace(opening, cod_amount=None))

    def _asked_otherwise(self, asked: AcceptRequest, held: ShipmentRecord) -> None:
        """Take in that a parcel is handed over once more, if nothing but its amount is another.

        Raises:
            InvalidInput: if more is, for then it is another parcel.
        """
        ref, shipment = held.parcel.ref, held.shipment

        def work(tx: CallbackTransaction) -> None:
            parcel = tx.parcels(ref.shop, [ref.fulfillment_id])[ref.fulfillment_id]
            amounts = {agreed.terms.cod_amount for agreed in tx.terms(parcel)}
            same = {digest_of(asked, cod_amount=amount) for amount in amounts}
            if shipment is None or shipment.digest not in same:
                raise InvalidInput("This code stands for another parcel, which was taken before.")
            if asked.cod_amount not in amounts:
                finding = _other_amount(parcel, asked.cod_amount)
                tx.open_incident(parcel, finding, now=self._clock())

        self._store.run_callback(work)

    def _shipment(self, asked: AcceptRequest, answer: Accepted, *, cod_amount: int) -> Shipment:
        return Shipment(
            external_code=asked.external_code,
            digest=digest_of(asked, cod_amount=cod_amount),
            tracking_number=answer.tracking_number,
            tracking_url=answer.tracking_url,
            shipping_fee=answer.shipping_fee,
            accepted_at=self._clock(),
        )

    def _found(
        self, code: str, find: Callable[[CallbackTransaction], ShipmentRecord | None]
    ) -> tuple[ShipmentRecord, PublicationLog]:
        """Return a parcel that must be known, with what was recorded and told of it."""

        def work(tx: CallbackTransaction) -> tuple[ShipmentRecord, PublicationLog]:
            held = _known(tx, code, find(tx))
            return held, tx.publication_log(held.parcel)

        return self._store.read(work)

    def _shown(
        self, code: str, find: Callable[[CallbackTransaction], ShipmentRecord | None]
    ) -> Response:
        held, publication_log = self._found(code, find)
        if shows_unknown_status(held.parcel):
            raise InvalidInput("This parcel waits for a person's decision; please ask again later.")
        return self._dialect.shipment(detail_answer(held, publication_log))

    def _give_up(self, held: ShipmentRecord) -> None:
        try:
            self._ask_carrier(held)
            self._record_cancel(held.parcel)
        except InvalidInput as refusal:
            reason, now = str(refusal), self._clock()
            self._store.run_callback(lambda tx: tx.keep_refusal(held.parcel, reason, now=now))
            raise

    def _ask_carrier(self, held: ShipmentRecord) -> None:
        """Raise where the lifecycle or the carrier says no."""
        parcel, ref = held.parcel, held.parcel.ref
        if not self._ledger.allows(parcel, Status.CANCEL):
            raise InvalidInput(_too_late(parcel.delivery.status))
        answer = self._carrier.cancel(
            CancelRequest(
                shop=ref.shop,
                order_id=ref.order_id,
                fulfillment_id=ref.fulfillment_id,
                tracking_number=create_answer(held).tracking_number,
            )
        )
        if isinstance(answer, Declined):
            raise InvalidInput(answer.reason)

    def _record_cancel(self, parcel: Fulfillment) -> None:
        """Record the cancel, and that our answer is about to tell the platform of it.

        The answer is a telling like a PUT: the platform may hear it or not. So until it had time
        to settle nothing is PUT, and if the platform did not hear it, a run tells it again.
        """
        shop, fulfillment_id = parcel.ref.shop, parcel.ref.fulfillment_id

        def work(tx: CallbackTransaction) -> Status:
            here = tx.parcels(shop, [fulfillment_id])[fulfillment_id]
            if here.delivery.status == Status.CANCEL:
                return Status.CANCEL
            answer = self._ledger.record_within(tx, self._cancel_event(here))
            if answer.verdict is Verdict.ACCEPTED:
                tx.add_publication(self._told_publication(answer.entries[-1].seq), here)
            return answer.carrier_status

        status = self._store.run_callback(work)
        if status is not Status.CANCEL:
            raise InvalidInput(_too_late(status))

    def _cancel_event(self, parcel: Fulfillment) -> Event:
        now, since = self._clock(), parcel.delivery.since
        return Event(
            shop=parcel.ref.shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=Status.CANCEL,
            # A scanner's clock may be ahead of ours; what the seller asks comes after it.
            occurred_at=max(now, since) if since else now,
            reason=CANCEL_REASON,
            source=Source.PLATFORM,
        )

    def _told_publication(self, seq: int) -> Publication:
        now = self._clock()
        return Publication(
            machine=Machine.DELIVERY,
            seq=seq,
            state=PublicationState.SENT,
            first_sent_at=now,
            sent_at=now,
            ended_at=now,
        )


def _taken_before(tx: CallbackTransaction, asked: AcceptRequest) -> ShipmentRecord | None:
    """Return what was taken under this code; None where the carrier is to be asked.

    What could not be written afterwards is refused before the carrier is asked.
    """
    held = tx.by_external_code(asked.shop, asked.external_code)
    if held is not None:
        return held
    tx.check_shop(asked.shop)
    held = tx.by_fulfillment(asked.shop, asked.fulfillment_id)
    if held is None or held.shipment is None:
        opening = _opening(asked)
        check_opening(opening)
        if held is not None:
            check_order(held.parcel, opening.ref)
        return None
    if held.shipment.external_code != asked.external_code:
        raise InvalidInput("This fulfillment was handed over before, under another code.")
    return held


def _other_amount(parcel: Fulfillment, told: int) -> Finding:
    """Return what is told of an amount that was never agreed, as a run tells it that meets it."""
    sentence, amounts = differing_amounts(ledger=parcel.cod_amount, platform=told)
    evidence = {**amounts, "row": "20"}
    return Finding(kind=AMOUNTS_DIFFER, sentence=sentence, ref=parcel.ref, evidence=evidence)


def _opening(asked: AcceptRequest) -> Opening:
    ref = FulfillmentRef(
        shop=asked.shop, order_id=asked.order_id, fulfillment_id=asked.fulfillment_id
    )
    return Opening(ref=ref, cod_amount=asked.cod_amount)


def _known(tx: CallbackTransaction, shop: str, held: ShipmentRecord | None) -> ShipmentRecord:
    if held is None:
        tx.check_shop(shop)
        raise InvalidInput("This carrier has no such parcel of this shop.")
    return held


def _tells_cancel(publication_log: PublicationLog) -> bool:
    """Tell whether the platform is being told a cancel at this moment."""
    return any(
        step.to_status is Status.CANCEL
        and (publication := publication_log.publications.get((step.machine, step.seq))) is not None
        and publication.state in ATTEMPTED
        for step in publication_log.steps
    )


def _too_late(status: str) -> str:
    label = LABELS[Status(status)]
    return f"The parcel can no longer be cancelled: {label.en} ({label.vi})."
