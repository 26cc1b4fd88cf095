"""What a carrier does when a platform asks: quote, take a parcel, show it, give it up.

Nobody calls the carrier's own code or the network inside a transaction: the carrier decides
first, then everything is written at once, or not at all. A crash in between leaves no half
shipment here, and the platform's next try finds the carrier's answer again by its code.
"""

from __future__ import annotations

from dataclasses import replace

from carrierflow.carrier_service.carrier import (
    Accepted,
    AcceptRequest,
    CancelRequest,
    Carrier,
    Declined,
)
from carrierflow.carrier_service.dialect import Dialect
from carrierflow.carrier_service.exchange import Reply, Request
from carrierflow.carrier_service.shipments import (
    ATTEMPTED,
    Held,
    Shipment,
    digest_of,
    is_beyond_words,
    made,
    shown,
)
from carrierflow.carrier_service.store import CallbackStore, CallbackTransaction
from carrierflow.clock import Clock
from carrierflow.errors import InvalidInput, ShopRevoked
from carrierflow.ledger import Ledger
from carrierflow.lifecycle import LABELS
from carrierflow.model import Event, FulfillmentRef, Machine, Opening, Source, Status, Verdict
from carrierflow.parcel import Parcel
from carrierflow.shop import Shop, ShopState
from carrierflow.track import Publication, PublicationState, Track


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
    ) -> None:
        self._carrier = carrier
        self._dialect = dialect
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def rates(self, code: str, request: Request) -> Reply:
        """Answer what the carrier would ask for carrying something."""
        asked = self._dialect.quote_request(self._shop(code).code, request)
        rates = self._carrier.quote(asked)
        if isinstance(rates, Declined):
            raise InvalidInput(rates.reason)
        return self._dialect.rates(rates)

    def create(self, code: str, request: Request) -> Reply:
        """Take a parcel; the same code again gets the same answer, however often it comes."""
        shop = self._shop(code)
        asked = self._dialect.accept_request(shop.code, request)
        held = self._taken_before(shop, asked) or self._taken(shop, asked)
        if held.shipment is None or held.shipment.digest != digest_of(asked):
            raise InvalidInput("This code stands for another parcel, which was taken before.")
        return self._dialect.shipment(made(held))

    def detail(self, code: str, request: Request) -> Reply:
        """Show a parcel as the platform is to see it now."""
        shop = self._shop(code)
        number = self._dialect.tracking_number(request)
        return self._shown(self._store.by_tracking_number(shop, number))

    def by_external_code(self, code: str, request: Request) -> Reply:
        """Show a parcel by the platform's own code for it."""
        shop = self._shop(code)
        external_code = self._dialect.external_code(request)
        return self._shown(self._store.by_external_code(shop, external_code))

    def cancel(self, code: str, request: Request) -> Reply:
        """Give a parcel up where the lifecycle and the carrier allow it.

        Where it is cancelled already, or we are telling the platform so at this moment, the call
        is the echo of what we know: it writes nothing and succeeds. A no is kept as evidence: a
        seller may ask later who said it, and when.
        """
        shop = self._shop(code)
        number = self._dialect.tracking_number(request)
        held = _known(self._store.by_tracking_number(shop, number))
        if not self._is_cancelled(held.parcel):
            held = replace(held, parcel=self._given_up(shop, held))
        track = self._store.tracks([held.parcel])[held.parcel.id]
        answer = shown(held, track)
        return self._dialect.shipment(replace(answer, carrier_status=Status.CANCEL))

    def _shop(self, code: str) -> Shop:
        shop = self._store.shop(code)
        if shop.state is ShopState.REVOKED:
            raise ShopRevoked(code)
        return shop

    def _taken_before(self, shop: Shop, asked: AcceptRequest) -> Held | None:
        """Return what was taken under this code; None where the carrier is to be asked.

        What could not be written afterwards is refused before the carrier is asked.
        """
        held = self._store.by_external_code(shop, asked.external_code)
        if held is not None:
            return held
        held = self._store.by_fulfillment(shop, asked.fulfillment_id)
        if held is None or held.shipment is None:
            self._ledger.check(_opening(asked))
            return None
        if held.shipment.external_code != asked.external_code:
            raise InvalidInput("This fulfillment was handed over before, under another code.")
        return held

    def _taken(self, shop: Shop, asked: AcceptRequest) -> Held:
        """Let the carrier decide, then open the parcel and keep the answer, all at once."""
        answer = self._carrier.accept(asked)
        if isinstance(answer, Declined):
            raise InvalidInput(answer.reason)
        shipment = self._shipment(asked, answer)
        opening = replace(_opening(asked), tracking_number=answer.tracking_number)

        def work(tx: CallbackTransaction) -> Held:
            first = tx.by_external_code(shop, asked.external_code)
            if first is not None:
                return first
            if tx.by_tracking_number(shop, answer.tracking_number) is not None:
                raise InvalidInput("The carrier gave out the tracking number of another parcel.")
            parcel = self._ledger.open_within(tx, opening)
            tx.add_shipment(shipment, parcel)
            return Held(parcel=parcel, shipment=shipment)

        return self._store.run_callback(work)

    def _shipment(self, asked: AcceptRequest, answer: Accepted) -> Shipment:
        return Shipment(
            external_code=asked.external_code,
            digest=digest_of(asked),
            tracking_number=answer.tracking_number,
            tracking_url=answer.tracking_url,
            shipping_fee=answer.shipping_fee,
            accepted_at=self._clock(),
        )

    def _shown(self, held: Held | None) -> Reply:
        held = _known(held)
        if is_beyond_words(held.parcel):
            raise InvalidInput("This parcel waits for a person's decision; please ask again later.")
        track = self._store.tracks([held.parcel])[held.parcel.id]
        return self._dialect.shipment(shown(held, track))

    def _is_cancelled(self, parcel: Parcel) -> bool:
        if parcel.delivery.status == Status.CANCEL:
            return True
        return _tells_cancel(self._store.tracks([parcel])[parcel.id])

    def _given_up(self, shop: Shop, held: Held) -> Parcel:
        try:
            self._check_cancellable(held.parcel)
            self._ask_carrier(held)
            return self._cancelled(shop, held.parcel)
        except InvalidInput as refusal:
            reason, now = str(refusal), self._clock()
            self._store.run_callback(lambda tx: tx.keep_refusal(held.parcel, reason, now=now))
            raise

    def _check_cancellable(self, parcel: Parcel) -> None:
        probed = self._ledger.probe(self._cancel_event(parcel))
        if probed.verdict is not Verdict.ACCEPTED:
            raise InvalidInput(_too_late(parcel))

    def _ask_carrier(self, held: Held) -> None:
        ref = held.parcel.ref
        answer = self._carrier.cancel(
            CancelRequest(
                shop=ref.shop,
                order_id=ref.order_id,
                fulfillment_id=ref.fulfillment_id,
                tracking_number=made(held).tracking_number,
            )
        )
        if isinstance(answer, Declined):
            raise InvalidInput(answer.reason)

    def _cancelled(self, shop: Shop, parcel: Parcel) -> Parcel:
        """Record the cancel, and that our answer is about to tell the platform of it.

        The answer is a telling like a PUT: the platform may hear it or not. So until it had time
        to settle nothing is PUT, and if the platform did not hear it, a run tells it again.
        """
        fulfillment_id = parcel.ref.fulfillment_id

        def work(tx: CallbackTransaction) -> tuple[Parcel, Verdict]:
            now = tx.parcels(shop.code, [fulfillment_id])[fulfillment_id]
            if now.delivery.status == Status.CANCEL:
                return now, Verdict.DUPLICATE
            answer = self._ledger.record_within(tx, self._cancel_event(now))
            if answer.verdict is Verdict.ACCEPTED:
                tx.save_publication(self._telling(answer.entries[-1].seq), now)
            return tx.parcels(shop.code, [fulfillment_id])[fulfillment_id], answer.verdict

        after, verdict = self._store.run_callback(work)
        if verdict not in {Verdict.ACCEPTED, Verdict.DUPLICATE}:
            raise InvalidInput(_too_late(after))
        return after

    def _cancel_event(self, parcel: Parcel) -> Event:
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

    def _telling(self, seq: int) -> Publication:
        now = self._clock()
        return Publication(
            machine=Machine.DELIVERY,
            seq=seq,
            state=PublicationState.SENT,
            first_sent_at=now,
            sent_at=now,
            over_at=now,
        )


def _opening(asked: AcceptRequest) -> Opening:
    ref = FulfillmentRef(
        shop=asked.shop, order_id=asked.order_id, fulfillment_id=asked.fulfillment_id
    )
    return Opening(ref=ref, cod_amount=asked.cod_amount)


def _known(held: Held | None) -> Held:
    if held is None:
        raise InvalidInput("This carrier has no such parcel of this shop.")
    return held


def _tells_cancel(track: Track) -> bool:
    """Tell whether the platform is being told a cancel at this moment."""
    return any(
        step.to_status is Status.CANCEL
        and (publication := track.publications.get((step.machine, step.seq))) is not None
        and publication.state in ATTEMPTED
        for step in track.steps
    )


def _too_late(parcel: Parcel) -> str:
    label = LABELS[Status(parcel.delivery.status)]
    return f"The parcel can no longer be cancelled: {label.en} ({label.vi})."
