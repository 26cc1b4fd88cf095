"""The carrier service's side of the store: shipments, webhooks, and who is to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from carrierflow.carrier_service.ports import AlreadyUsed, CallbackTransaction, WebhookDelivery
from carrierflow.carrier_service.shipments import Shipment, ShipmentRecord
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding
from carrierflow.domain.publication import Publication, PublicationLog
from carrierflow.domain.shop import ShopState
from carrierflow.errors import ShopRevoked, UnknownShop
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.engine import isolate
from carrierflow.storage.hinted import mark_hinted
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.publications import add_publication, publication_logs
from carrierflow.storage.rows import PARCEL, parcel_from, refusal_row
from carrierflow.storage.sessions import is_plain
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import evidence, fulfillments, shipments, shops, webhooks


__all__ = ["SqlCallbackStore", "SqlCallbackTransaction"]

T = TypeVar("T")

SHIPMENT = (
    shipments.c.external_code,
    shipments.c.digest,
    shipments.c.tracking_number.label("shipment_number"),
    shipments.c.tracking_url,
    shipments.c.shipping_fee,
    shipments.c.accepted_at,
)

CONNECTED = (
    select(shops.c.id)
    .where(
        shops.c.code == bindparam("code"),
        shops.c.platform == bindparam("platform"),
        shops.c.state != ShopState.REVOKED,
    )
    .scalar_subquery()
)


def _parcel_by(column: Column[Any]) -> Select[Any]:
    """Return a query for the parcels of a connected shop that bear a name in a column.

    The newest first, for a tracking number may come twice. No LIMIT: for its sake a planner goes
    through all parcels from the newest on.
    """
    return (
        select(*PARCEL, *SHIPMENT)
        .outerjoin(shipments, shipments.c.fulfillment == fulfillments.c.id)
        .where(column.table.c.shop == CONNECTED, column == bindparam("name"))
        .order_by(fulfillments.c.id.desc())
    )


READ_STATE = select(shops.c.state).where(
    shops.c.code == bindparam("code"), shops.c.platform == bindparam("platform")
)
READ_GIVEN_OUT = union_all(
    select(shipments.c.external_code).where(
        shipments.c.shop == CONNECTED,
        or_(
            shipments.c.external_code == bindparam("external_code"),
            shipments.c.tracking_number == bindparam("number"),
        ),
    ),
    select(literal("")).where(
        fulfillments.c.shop == CONNECTED,
        fulfillments.c.tracking_number == bindparam("number"),
    ),
)
ADD_SHIPMENT = insert(shipments)
ADD_WEBHOOK = insert(webhooks)
READ_WEBHOOK = select(webhooks.c.received_at, webhooks.c.acted_at).where(
    webhooks.c.digest == bindparam("name")
)
BY_EXTERNAL_CODE = _parcel_by(shipments.c.external_code)
BY_SHIPMENT_NUMBER = _parcel_by(shipments.c.tracking_number)
BY_TRACKING_NUMBER = _parcel_by(fulfillments.c.tracking_number)
BY_FULFILLMENT = _parcel_by(fulfillments.c.fulfillment_id)


class SqlCallbackStore:
    """What a platform's callbacks read and write; each call is a transaction of its own.

    Shops of other platforms are none here, whatever code or id they bear.
    """

    def __init__(self, store: SqlStore, *, platform: str) -> None:
        self._store = store
        self._platform = platform

    def read(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some reads of a callback, each of which sees what is committed by then.

        So a server need not be told where a transaction begins and ends; that is half of what a
        short look costs.
        """
        with self._store.reading() as connection:
            if connection.dialect.driver == "psycopg" and is_plain(connection):
                isolate(connection, "AUTOCOMMIT")
            return work(self._transaction(connection))

    def run_callback(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some work of a callback and of the ledger in one transaction."""
        return self._store.transact(lambda c: work(self._transaction(c)))

    def _transaction(self, connection: Connection) -> SqlCallbackTransaction:
        return SqlCallbackTransaction(connection, self._store.definitions, platform=self._platform)

    def store_webhook(self, delivery: WebhookDelivery, *, acted: bool) -> list[str] | None:
        """Keep a webhook and mark the parcels of its order; None where it was acted on before."""

        def work(connection: Connection) -> list[str] | None:
            known = connection.execute(READ_WEBHOOK, {"name": delivery.digest}).one_or_none()
            if known is not None and known.acted_at is not None:
                return None
            if known is None:
                connection.execute(ADD_WEBHOOK, _webhook_row(delivery, acted=acted))
            if delivery.org_id is not None and delivery.order_id is not None:
                mine = select(shops.c.id).where(*self._of(delivery.org_id))
                mark_hinted(connection, mine, delivery.order_id, now=delivery.received_at)
            return self._shops_of(connection, delivery.org_id)

        return self._store.transact(work)

    def shops_of(self, org_id: str | None) -> list[str]:
        """Return the codes of an organisation's shops; without an id there is none."""
        with self._store.reading() as connection:
            return self._shops_of(connection, org_id)

    def _shops_of(self, connection: Connection, org_id: str | None) -> list[str]:
        if org_id is None:
            return []
        mine = select(shops.c.code).where(*self._of(org_id)).order_by(shops.c.code)
        return list(connection.execute(mine).scalars())

    def _of(self, org_id: str) -> tuple[ColumnElement[bool], ...]:
        return shops.c.platform == self._platform, shops.c.org_id == org_id

    def mark_webhook_handled(self, delivery: WebhookDelivery, *, now: datetime) -> None:
        """Write that a webhook needs nothing more."""
        same = webhooks.c.digest == delivery.digest
        handled = update(webhooks).where(same).values(acted_at=now)
        self._store.transact(lambda c: c.execute(handled))


class SqlCallbackTransaction(SqlLedgerTransaction):
    """Reads and writes of a callback, in one transaction with the ledger's."""

    def __init__(self, connection: Connection, definitions: Definitions, *, platform: str) -> None:
        super().__init__(connection, definitions)
        self._connection = connection
        self._platform = platform

    def check_shop(self, code: str) -> None:
        """Raise where no shop of this code is connected."""
        named = {"code": code, "platform": self._platform}
        state = self._connection.execute(READ_STATE, named).scalar()
        if state is None:
            raise UnknownShop(code)
        if state == ShopState.REVOKED:
            raise ShopRevoked(code)

    def by_external_code(self, shop: str, code: str) -> ShipmentRecord | None:
        """Return the parcel that was handed over under a code."""
        return self._held(BY_EXTERNAL_CODE, shop, code)

    def by_tracking_number(self, shop: str, number: str) -> ShipmentRecord | None:
        """Return the parcel that bears a number: by its shipment, or as it was opened with."""
        handed_over = self._held(BY_SHIPMENT_NUMBER, shop, number)
        return handed_over or self._held(BY_TRACKING_NUMBER, shop, number)

    def by_fulfillment(self, shop: str, fulfillment_id: str) -> ShipmentRecord | None:
        """Return a parcel by the platform's id for it."""
        return self._held(BY_FULFILLMENT, shop, fulfillment_id)

    def already_used(self, shop: str, code: str, number: str) -> AlreadyUsed | None:
        """Tell whether a code or a tracking number stands for a parcel already; the code first."""
        names = {"code": shop, "external_code": code, "number": number, "platform": self._platform}
        found = set(self._connection.execute(READ_GIVEN_OUT, names).scalars())
        if code in found:
            return AlreadyUsed.CODE
        return AlreadyUsed.NUMBER if found else None

    def publication_log(self, parcel: Fulfillment) -> PublicationLog:
        """Return what was recorded for a fulfillment and how far it was told, but no attempts."""
        return publication_logs(self._connection, [parcel], attempts=False)[parcel.id]

    def add_shipment(self, shipment: Shipment, parcel: Fulfillment) -> None:
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
        self._connection.execute(ADD_SHIPMENT, values)

    def add_publication(self, publication: Publication, parcel: Fulfillment) -> None:
        """Write that the platform is told an entry otherwise than by a PUT; it is a new one."""
        add_publication(self._connection, parcel.id, publication)

    def open_incident(self, parcel: Fulfillment, finding: Finding, *, now: datetime) -> None:
        """Open an incident about a fulfillment, or count that its cause was met again."""
        open_incident(self._connection, parcel.shop_id, parcel.id, finding, now)

    def keep_refusal(self, parcel: Fulfillment, reason: str, *, now: datetime) -> None:
        """Keep that the platform asked for a cancel and was told no."""
        self._connection.execute(insert(evidence), refusal_row(parcel, reason, now=now))

    def _held(self, query: Select[Any], shop: str, name: str) -> ShipmentRecord | None:
        named = {"code": shop, "name": name, "platform": self._platform}
        row = self._connection.execute(query, named).first()
        if row is None:
            return None
        return ShipmentRecord(parcel=parcel_from(row, shop), shipment=_shipment_from(row))


def _webhook_row(delivery: WebhookDelivery, *, acted: bool) -> dict[str, Any]:
    return {
        "digest": delivery.digest,
        "topic": delivery.topic,
        "org_id": delivery.org_id,
        "order_id": delivery.order_id,
        "sealed": delivery.ciphertext,
        "received_at": delivery.received_at,
        "acted_at": delivery.received_at if acted else None,
    }


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
