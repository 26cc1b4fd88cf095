"""Which parcel an event is about: by the platform's id, or by the waybill where one bears it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from carrierflow.domain.model import Event
from carrierflow.errors import AmbiguousTrackingNumber, UnknownFulfillment, UnknownTrackingNumber
from carrierflow.ledger.ports import Borne, LedgerTransaction
from carrierflow.ledger.verdicts import Draft


__all__ = ["NamedDrafts"]

Drafts = Mapping[str, Draft]
"""Drafts of one shop, by fulfillment id."""

_NOBODY = Borne(count=0, fulfillment_id=None)


class NamedDrafts:
    """The drafts that some events are about, found by whichever name an event gives.

    All tracking numbers of a shop are asked for at once, and where there are none, nothing is.
    """

    def __init__(self, tx: LedgerTransaction, events: Iterable[Event]) -> None:
        asked: dict[str, set[str]] = defaultdict(set)
        for event in events:
            if event.tracking_number is not None:
                asked[event.shop].add(event.tracking_number)
        self._borne = {shop: tx.bearers(shop, numbers) for shop, numbers in asked.items()}
        self.by_shop: dict[str, Drafts] = {}

    def ids(self, events: Iterable[Event]) -> list[str]:
        """Return the fulfillments that some events are about, as far as the ledger knows them."""
        return list(dict.fromkeys(filter(None, map(self._id_of, events))))

    def add(self, shop: str, drafts: Drafts) -> None:
        """Take in the drafts of a shop, before anything is decided on them.

        What an event of the same transaction opens with a tracking number bears it, too.
        """
        self.by_shop[shop] = drafts
        borne = self._borne.get(shop)
        if borne is None:
            return
        known = dict(borne)
        for fulfillment_id, draft in drafts.items():
            number = draft.parcel.tracking_number
            if number is not None and _is_another(draft, fulfillment_id, known.get(number)):
                count = borne.get(number, _NOBODY).count + 1
                borne[number] = Borne(count=count, fulfillment_id=fulfillment_id)

    def of(self, event: Event) -> Draft:
        """Return the draft that an event is about.

        Raises:
            UnknownFulfillment, UnknownTrackingNumber: if the ledger knows none by that name.
            AmbiguousTrackingNumber: if it knows several.
        """
        number, shop = event.tracking_number, event.shop
        if number is not None:
            count = self._borne_by(shop, number).count
            if count > 1:
                raise AmbiguousTrackingNumber(shop, number, count=count)
        fulfillment_id = self._id_of(event)
        draft = self.by_shop[shop].get(fulfillment_id) if fulfillment_id else None
        if draft is not None:
            return draft
        if number is not None:
            raise UnknownTrackingNumber(shop, number)
        raise UnknownFulfillment(shop, event.fulfillment_id or "")

    def _id_of(self, event: Event) -> str | None:
        """Return the one fulfillment that an event names; None if there is none, or several."""
        if event.tracking_number is None:
            return event.fulfillment_id
        borne = self._borne_by(event.shop, event.tracking_number)
        return borne.fulfillment_id if borne.count == 1 else None

    def _borne_by(self, shop: str, number: str) -> Borne:
        return self._borne[shop].get(number, _NOBODY)


def _is_another(draft: Draft, fulfillment_id: str, known: Borne | None) -> bool:
    """Tell whether a draft that bears a number is not among those that the ledger knew by it."""
    if known is None:
        return True
    return draft.is_new or (known.count == 1 and known.fulfillment_id != fulfillment_id)
