"""Postbox, a platform that there is not: the shortest one that keeps the contract.

It has parcels and no orders, so a parcel is an order of its own. `GET /parcels/ID` shows one, and
`GET /parcels?since=T&page=N` the changed ones, oldest first; `PUT /parcels/ID/WORD` moves one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from carrierflow import (
    FulfillmentRef,
    InvalidInput,
    NotThere,
    Observation,
    OutcomeUnknown,
    Platform,
    PlatformProfile,
    PlatformWrite,
    Projection,
    Refused,
    RemoteOrder,
    RemoteWord,
    RequestSketch,
    ShopLink,
    Status,
    Unreadable,
)
from carrierflow.domain.canonical import digest
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.http_dialect import HttpDialect, no_page
from carrierflow.platforms.http.replies import PlatformReply, UnreadableReply
from carrierflow.platforms.http.shop_connection import ShopConnection
from carrierflow.platforms.http.transport import bearer


# Tables: every word of the platform's, what it shows of ours, and what it is told.

WORDS = {
    "waiting": Status.READYTOPICK,
    "moving": Status.DELIVERING,
    "arrived": Status.DELIVERED,
    "back": Status.RETURN,
    "stopped": Status.CANCEL,
}

PROJECTION = Projection(
    looks_as={
        Status.PENDING: Status.READYTOPICK,
        Status.PICKING: Status.READYTOPICK,
        Status.NOTMEETCUSTOMER: Status.DELIVERING,
        Status.WAITINGFORRETURN: Status.DELIVERING,
        Status.CODPENDING: Status.NONE,
        Status.CODPAID: Status.NONE,
        Status.CODRECEIPT: Status.NONE,
        Status.CODNOTRECEIPT: Status.NONE,
    },
    writes=tuple(
        PlatformWrite(name=name, to=WORDS[name], after=frozenset({after}), one_way=True)
        for name, after in (
            ("moving", Status.READYTOPICK),
            ("stopped", Status.READYTOPICK),
            ("arrived", Status.DELIVERING),
            ("back", Status.DELIVERING),
        )
    ),
)


# Reading: one row of a reply, strict about every value that is used.

MOST = 50
ID = re.compile(r"[0-9]{1,18}")
NO_CASH = RemoteWord(raw="", status=Status.NONE)


def parse_row(row: Any, place: str, shop: str, reply: PlatformReply) -> RemoteOrder:
    """Read one parcel, as the order that it is; what cannot be read is named."""
    own_id = row.get("id") if isinstance(row, dict) else None
    named = isinstance(own_id, str) and ID.fullmatch(own_id) is not None
    try:
        found = (_observation(row, shop, reply),)
        flaws: tuple[Unreadable, ...] = ()
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        found, text = (), digest(json.dumps(row, sort_keys=True))
        name = own_id if named else None
        flaws = (
            Unreadable(
                place=place,
                reason="a value is not what it must be",
                digest=text,
                order_id=name,
                fulfillment_id=name,
            ),
        )
    return RemoteOrder(
        order_id=own_id if named else "",
        updated_at=found[0].updated_at if found else None,
        cancelled=False,
        fulfillments=found,
        unreadable=flaws,
    )


def _observation(row: Any, shop: str, reply: PlatformReply) -> Observation:
    if not ID.fullmatch(row["id"]):
        raise ValueError
    return Observation(
        ref=FulfillmentRef(shop=shop, order_id=row["id"], fulfillment_id=row["id"]),
        asked_at=reply.asked_at,
        seen_at=reply.seen_at,
        carrier=RemoteWord(raw=row["word"], status=WORDS.get(row["word"])),
        cod=NO_CASH,
        updated_at=datetime.fromtimestamp(row["changed"], UTC),
        updated_at_raw=str(row["changed"]),
    )


# Talking: where the token goes, why a reply says no, and each address.


def _messages(reply: PlatformReply) -> list[str]:
    try:
        document = reply.document()
    except UnreadableReply:
        return []
    return [str(document.get("problem", ""))] if isinstance(document, dict) else []


DIALECT = HttpDialect(
    budget_event="carrierflow.postbox.budget_not_told",
    headers=bearer,
    used_calls=lambda _: None,
    messages=_messages,
    is_own=no_page,
)


class PostboxPlatform(ShopConnection):
    """One shop on Postbox, as the port `carrierflow.Platform` has it."""

    projection = PROJECTION

    def __init__(self, link: ShopLink) -> None:
        client = PlatformClient(
            dialect=DIALECT,
            base_url=link.shop.base_url,
            token=link.token,
            budget=link.budget,
            limits=link.limits,
            now=link.now,
            sleep=link.sleep,
            idle=link.idle,
        )
        super().__init__(shop=link.shop.code, budget=link.budget, client=client)

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 parcels, each in a request of its own."""
        if not 0 < len(set(order_ids)) <= MOST:
            raise InvalidInput(f"Postbox is asked for 1 to {MOST} parcels at a time.")
        ids = [order_id for order_id in dict.fromkeys(order_ids) if ID.fullmatch(order_id)]
        found = [self._one_of_several(lambda it=it: self._parcel(it)) for it in ids]
        return tuple(order for order in found if order is not None)

    def orders_changed(self, since: datetime, *, page: int = 1) -> tuple[RemoteOrder, ...]:
        """Read one page of the parcels that changed, the oldest change first."""

        def read(reply: PlatformReply) -> tuple[RemoteOrder, ...]:
            rows = _member(reply, "parcels", list)
            return tuple(
                parse_row(row, f"parcels[{n}]", self._shop, reply) for n, row in enumerate(rows)
            )

        params = {"since": str(int(since.timestamp())), "page": str(page)}
        return self._client.get("/parcels", params, read)

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one parcel; None if Postbox says that there is none."""
        if not ID.fullmatch(ref.fulfillment_id):
            return None
        found = self._at_its_address(lambda: self._parcel(ref.fulfillment_id))
        return found and (*found.fulfillments, *found.unreadable)[0]

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one parcel as an order; None if there is none."""
        try:
            return self._parcel(order_id) if ID.fullmatch(order_id) else None
        except NotThere:
            return None

    def write(
        self, ref: FulfillmentRef, write: PlatformWrite, *, not_later_than: datetime
    ) -> Observation:
        """Move one parcel, once, and return it as the answer shows it."""
        if not ID.fullmatch(ref.fulfillment_id):
            raise Refused(f"there is no way to tell it {write.name!r} about {ref}")

        def read(reply: PlatformReply) -> Observation:
            order = self._shown(reply, ref.fulfillment_id)
            if not order.fulfillments:
                raise OutcomeUnknown(order.unreadable[0].reason, http_status=reply.status)
            return order.fulfillments[0]

        return self._client.put(_path(ref, write), read, not_later_than=not_later_than)

    def is_ours(self, observation: Observation) -> bool:  # noqa: ARG002 (the port's)
        """Say that a parcel is ours: a shop's box is one carrier's."""
        return True

    def sketch(self, ref: FulfillmentRef, write: PlatformWrite) -> RequestSketch:
        """Describe a write so that a person can repeat it by hand."""
        return RequestSketch(method="PUT", url=self._client.url + _path(ref, write))

    def _parcel(self, own_id: str) -> RemoteOrder:
        return self._client.get(f"/parcels/{own_id}", {}, lambda reply: self._shown(reply, own_id))

    def _shown(self, reply: PlatformReply, own_id: str) -> RemoteOrder:
        row = _member(reply, "parcel", dict)
        order = parse_row({**row, "id": row.get("id", own_id)}, "parcel", self._shop, reply)
        if order.order_id != own_id:
            raise UnreadableReply("the reply is about another parcel")
        self._heard()
        return order


def _path(ref: FulfillmentRef, write: PlatformWrite) -> str:
    return f"/parcels/{ref.fulfillment_id}/{write.name}"


def _member(reply: PlatformReply, name: str, kind: type) -> Any:
    document = reply.document()
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, kind):
        raise UnreadableReply(f"the reply has no {name}")
    return found


def connect(link: ShopLink) -> Platform:
    """Connect to a shop's parcels."""
    return PostboxPlatform(link)


POSTBOX = PlatformProfile(
    name="postbox",
    title="Postbox",
    base_url=None,
    connect=connect,
    projection=PROJECTION,
    defaults={
        "remote_ahead": "hold",
        "merchant_edit": "hold",
        "verify_within_hours": "24",
        "rate_bucket": "40",
        "rate_leak": "1",
    },
)
