"""A ledger inside a host's transaction: it records there, and reads what was just written."""

from __future__ import annotations

from carrierflow.audit.reports.timeline import Timeline, timeline_of
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import FulfillmentRef
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import UnknownFulfillment
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import Connection, JoinedStore
from carrierflow.storage.queries import find_parcel
from carrierflow.storage.waybills import find_parcels


__all__ = ["JoinedLedger"]


@guarded_methods
class JoinedLedger(Ledger):
    """A `Ledger` of a host's open transaction; `Carrierflow.joined` makes one.

    What it reads is what that transaction sees: its own writes, whether or not they are kept.
    """

    def __init__(self, ledger: Ledger, store: JoinedStore) -> None:
        """Judge as a ledger does, whose rules are made once, and write where the host lets us."""
        vars(self).update(vars(ledger), _store=store)
        self._within = store.within

    def fulfillment(self, ref: FulfillmentRef) -> Fulfillment:
        """Return one fulfillment as it stands.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self._within() as connection:
            return _known(connection, ref)

    def timeline(self, ref: FulfillmentRef) -> Timeline:
        """Return everything that is known of one fulfillment.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self._within() as connection:
            return timeline_of(connection, _known(connection, ref))

    def find(self, *, tracking_number: str, shop: str | None = None) -> list[Fulfillment]:
        """Return the fulfillments that bear a tracking number, the oldest first, 100 at most."""
        with self._within() as connection:
            return find_parcels(connection, tracking_number, shop=shop)


def _known(connection: Connection, ref: FulfillmentRef) -> Fulfillment:
    """Return the fulfillment of a name; one of another order is not it."""
    parcel = find_parcel(connection, ref.shop, ref.fulfillment_id)
    if parcel.ref != ref:
        raise UnknownFulfillment(ref.shop, ref.fulfillment_id)
    return parcel
