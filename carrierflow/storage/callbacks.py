"""The carrier service's side of the store: shipments, webhooks, and who is to be looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from carrierflow.carrier_service.shipments import Held, Shipment
from carrierflow.carrier_service.store import Delivery
from carrierflow.parcel import Parcel
from carrierflow.shop import Shop
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.reconcile import save_publication
from carrierflow.storage.rows import parcel_from, refusal_row
from carrierflow.storage.tables import evidence, fulfillments, shipments, shops, webhooks
from carrierflow.track import Publication


__all__ = [
    "SqlCallbackTransaction",
    "by_external_code",
    "by_fulfillment",
    "by_tracking_number",
    "mark_acted",
    "shops_of",
    "take_in",
]

SHIPMENT = (
    shipments.c.external_code,
    shipments.c.digest,
    shipments.c.tracking_number.label("shipment_number"),
    shipments.c.tracking_url,
    shipments.c.shipping_fee,
    shipments.c.accepted_at,
)


class SqlCallbackTransaction(SqlLedgerTransaction):
    """Reads and writes of a callback, in one transaction with the ledger's."""

    def __init__(self, connection: Connection, definitions: Definitions) -> None:
        super().__init__(connection, definitions)
        self._connection = connection

    def by_external_code(self, shop: Shop, code: str) -> Held | None:
        """Return the parcel that was handed over under a code."""
        return by_external_code(self._connection, shop, code)

    def by_tracking_number(self, shop: Shop, number: str) -> Held | None:
        """Return the parcel that bears a tracking number."""
        return by_tracking_number(self._connection, shop, number)

    def add_shipment(self, shipment: Shipment, parcel: Parcel) -> None:
        """Keep what was answered to a create order."""
        values = {
            "fulfillment": parcel.id,
            "shop": parcel.shop_id,
            "external_code": shipment.external_code,
            "digest": shipment.digest,
            "tracking_number": shipment.tracking_number,
            "tracking_url": shipment.tracking_url,
            "shipping_fee": shipment.shipping_fee,
            "accepted_at": shipment.accepted_at,
        }
        self._connection.execute(insert(shipments).values(**values))

    def save_publication(self, publication: Publication, parcel: Parcel) -> None:
        """Write that the platform was told an entry otherwise than by a PUT."""
        save_publication(self._connection, parcel.id, publication)

    def keep_refusal(self, parcel: Parcel, reason: str, *, now: datetime) -> None:
        """Keep that the platform asked for a cancel and was told no."""
        self._connection.execute(insert(evidence), refusal_row(parcel, reason, now=now))


def by_external_code(connection: Connection, shop: Shop, code: str) -> Held | None:
    """Return the parcel that was handed over under a code."""
    return _held(
        connection, shop, (shipments.c.shop == shop.id) & (shipments.c.external_code == code)
    )


def by_tracking_number(connection: Connection, shop: Shop, number: str) -> Held | None:
    """Return the parcel that bears a number: by its shipment, or as it was opened with."""
    handed_over = (shipments.c.shop == shop.id) & (shipments.c.tracking_number == number)
    opened = (fulfillments.c.shop == shop.id) & (fulfillments.c.tracking_number == number)
    return _held(connection, shop, handed_over) or _held(connection, shop, opened)


def by_fulfillment(connection: Connection, shop: Shop, fulfillment_id: str) -> Held | None:
    """Return a parcel by the platform's id for it."""
    f = fulfillments.c
    return _held(connection, shop, (f.shop == shop.id) & (f.fulfillment_id == fulfillment_id))


def take_in(connection: Connection, delivery: Delivery, *, acted: bool) -> list[str] | None:
    """Keep a webhook and mark the parcels of its order; None where it was acted on before."""
    w = webhooks.c
    query = select(w.received_at, w.acted_at).where(w.digest == delivery.digest)
    known = connection.execute(query).one_or_none()
    if known is not None and known.acted_at is not None:
        return None
    if known is None:
        connection.execute(insert(webhooks), _webhook_row(delivery, acted=acted))
    if delivery.org_id is not None and delivery.order_id is not None:
        _hint(connection, delivery)
    return shops_of(connection, delivery.org_id)


def shops_of(connection: Connection, org_id: str | None) -> list[str]:
    """Return the codes of an organisation's shops; without an id there is none."""
    if org_id is None:
        return []
    mine = select(shops.c.code).where(shops.c.org_id == org_id).order_by(shops.c.code)
    return list(connection.execute(mine).scalars())


def mark_acted(connection: Connection, delivery: Delivery, now: Any) -> None:
    """Write that a webhook needs nothing more."""
    same = webhooks.c.digest == delivery.digest
    connection.execute(update(webhooks).where(same).values(acted_at=now))


def _hint(connection: Connection, delivery: Delivery) -> None:
    """Let the parcels of an order, and their shop, be the next ones that are looked at.

    Nothing else of them changes: neither their version, nor when they were last verified.
    """
    f = fulfillments.c
    mine = select(shops.c.id).where(shops.c.org_id == delivery.org_id)
    named = (f.order_id == delivery.order_id) & f.shop.in_(mine)
    found = set(connection.execute(select(f.shop).where(named)).scalars())
    if found:
        hinted = update(fulfillments).where(named).values(hinted_at=delivery.received_at)
        connection.execute(hinted)
        connection.execute(update(shops).where(shops.c.id.in_(found)).values(next_due=None))


def _webhook_row(delivery: Delivery, *, acted: bool) -> dict[str, Any]:
    return {
        "digest": delivery.digest,
        "topic": delivery.topic,
        "org_id": delivery.org_id,
        "order_id": delivery.order_id,
        "sealed": delivery.sealed,
        "received_at": delivery.received_at,
        "acted_at": delivery.received_at if acted else None,
    }


def _held(connection: Connection, shop: Shop, which: ColumnElement[bool]) -> Held | None:
    query = (
        select(fulfillments, *SHIPMENT)
        .outerjoin(shipments, shipments.c.fulfillment == fulfillments.c.id)
        .where(which)
        .order_by(fulfillments.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Held(parcel=parcel_from(row, shop.code), shipment=_shipment_from(row))


def _shipment_from(row: Row[Any]) -> Shipment | None:
    if row.external_code is None:
        return None
    return Shipment(
        external_code=row.external_code,
        digest=row.digest,
        tracking_number=row.shipment_number,
        tracking_url=row.tracking_url,
        shipping_fee=row.shipping_fee,
        accepted_at=row.accepted_at,
    )
