"""Onflow behind the platform port: a warehouse that is asked, and told one thing alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.domain import clock
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RequestSketch,
    Status,
    Unreadable,
)
from carrierflow.domain.publication import PlatformWrite
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import (
    AccessDenied,
    InvalidInput,
    NotThere,
    OutcomeUnknown,
    ReadRefused,
    Refused,
    UnsupportedByPlatform,
)
from carrierflow.platforms.http.shop_connection import ShopConnection
from carrierflow.platforms.onflow.error_flag import (
    INVALID_TOKEN,
    NOT_FOUND,
    data_if_good,
    error_code,
)
from carrierflow.platforms.onflow.onflow_http import DIALECT, OnflowClient
from carrierflow.platforms.onflow.shipment_detail import ShipmentQuestion, as_order, read_shipment
from carrierflow.platforms.onflow.tracking_codes import ShipmentPaths, is_shipment, is_tracking_code
from carrierflow.reconcile.projection import Leader, Projection


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from carrierflow.platforms.http.replies import PlatformReply
    from carrierflow.platforms.http.transport import HttpLimits, Token
    from carrierflow.reconcile.ports import Budget


__all__ = ["OnflowPlatform"]

MOST_SHIPMENTS = 50
"""How many shipments are asked for at a time; each costs a request."""

_CANCEL = PlatformWrite(
    name="cancel",
    to=Status.CANCEL,
    after=frozenset({Status.PENDING, Status.READYTOPICK}),
    one_way=True,
)

PROJECTION = Projection(
    leader=Leader.PLATFORM,
    looks_as={
        Status.PICKING: Status.READYTOPICK,
        Status.NOTMEETCUSTOMER: Status.DELIVERING,
        Status.DELIVERED: Status.DELIVERING,
        Status.WAITINGFORRETURN: Status.DELIVERING,
        Status.RETURN: Status.DELIVERING,
        Status.CODPENDING: Status.NONE,
        Status.CODPAID: Status.NONE,
        Status.CODRECEIPT: Status.NONE,
        Status.CODNOTRECEIPT: Status.NONE,
    },
    writes=(_CANCEL,),
)
"""What Onflow shows ends with the hand-over; cash it never shows. It takes a cancel before that."""


class OnflowPlatform(ShopConnection):
    """One account on Onflow's Open API, as the port `carrierflow.reconcile.ports.Platform` has it.

    A shipment is named by its tracking code, and is the one fulfillment of an order that bears
    the same code. Codes that can be none are never sent: reads have nothing to say of them.

    Args:
        shop: our code of the account, which goes into every reference read.
        base_url: the root of its API. That of production is not documented.
        token: the token of its API user, or what returns the one of this moment.
        budget: its allowance of requests. Onflow documents none.
        paths: where shipments are read and cancelled.
        limits: timeouts, sizes, retries.
        now: the clock of observations and send deadlines.
        sleep: waits between two tries of a read.
        idle: called while a read waits for its answer; what it raises ends the wait.

    Raises:
        ConfigurationError: the base URL or the token cannot be used.
    """

    def __init__(
        self,
        *,
        shop: str,
        base_url: str,
        token: Token,
        budget: Budget,
        paths: ShipmentPaths | None = None,
        limits: HttpLimits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
    ) -> None:
        self._paths = paths or ShipmentPaths()
        client = OnflowClient(
            dialect=DIALECT,
            base_url=base_url,
            token=token,
            budget=budget,
            limits=limits,
            now=now,
            sleep=sleep,
            idle=idle,
        )
        super().__init__(shop=shop, budget=budget, client=client)

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 shipments by tracking code, each in a request of its own.

        Left out is what it will not show, and what can be no code: that is not asked for.

        Raises:
            InvalidInput: there are no codes, or too many.
        """
        if not 0 < len(set(order_ids)) <= MOST_SHIPMENTS:
            raise InvalidInput(f"Onflow is asked for 1 to {MOST_SHIPMENTS} shipments at a time.")
        found = (self._listed(code) for code in dict.fromkeys(order_ids) if is_tracking_code(code))
        return tuple(order for order in found if order is not None)

    def orders_changed(
        self,
        since: datetime,  # noqa: ARG002 (the port's)
        *,
        page: int = 1,  # noqa: ARG002 (likewise)
    ) -> tuple[RemoteOrder, ...]:
        """Refuse: how to list shipments is not documented.

        Each open shipment is read when it is due, or hinted at.

        Raises:
            UnsupportedByPlatform: always.
        """
        raise UnsupportedByPlatform(
            "Onflow", "list of what changed", offers=("each shipment by its tracking code",)
        )

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one shipment; None if Onflow says that there is none, or none can be called so.

        Raises:
            ReadRefused: it does not say; also where it finds none while nothing else was
                answered, for then a 404 may be anybody's.
        """
        if not is_shipment(ref):
            return None
        return self._at_its_address(lambda: self._shipment(ref.fulfillment_id))

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one shipment as an order; None if there is none, or none can be called so."""
        if not is_tracking_code(order_id):
            return None
        try:
            return as_order(order_id, self._shipment(order_id))
        except NotThere:
            return None

    @property
    def projection(self) -> Projection:
        """It shows four states and no cash, and is told to cancel what it has not handed over."""
        return PROJECTION

    def write(
        self, ref: FulfillmentRef, write: PlatformWrite, *, not_later_than: datetime
    ) -> Observation:
        """Cancel a shipment, once, and return it as it is read after that.

        The reply to a cancel shows a part of it. A no may mean that it was cancelled before, or
        be somebody else's, so it is a refusal only where the shipment is read and not cancelled.

        Raises:
            NotSent: it certainly had no effect; also when `not_later_than` passed before the
                first byte could leave, and for a 429.
            OutcomeUnknown: it may have been applied, or may still be; also where the shipment
                could not be read after an answer, or was read as if nothing had been told: what
                is read at once may be old.
            Refused: Onflow will not do it, or has no way to be told this.
            AccessDenied: the token is not accepted.
        """
        if write.name != _CANCEL.name or not is_shipment(ref):
            raise Refused(f"there is no way to tell it {write.name!r} about {ref}")
        path = self._paths.cancel_of(ref.fulfillment_id)
        try:
            self._client.put(path, self._accept, not_later_than=not_later_than)
        except Refused as refused:
            seen = self._now(ref, refused.http_status)
            if seen.carrier.status is not write.to:
                raise
            return seen
        seen = self._now(ref, None)
        if seen.carrier.status is not write.to:
            raise OutcomeUnknown("it answered, and does not show the cancel yet")
        return seen

    def is_ours(self, observation: Observation) -> bool:  # noqa: ARG002 (the port's)
        """Say that a shipment is ours: an account shows nobody else's."""
        return True

    def sketch(
        self,
        ref: FulfillmentRef,
        write: PlatformWrite,  # noqa: ARG002 (the port's)
    ) -> RequestSketch:
        """Describe the cancel of a shipment, which is all there is to tell, for a person."""
        path = self._paths.cancel_of(ref.fulfillment_id)
        return RequestSketch(method="PUT", url=self._client.url + path)

    def _listed(self, code: str) -> RemoteOrder | None:
        return self._one_of_several(lambda: as_order(code, self._shipment(code)))

    def _shipment(self, code: str) -> Observation | Unreadable:
        def read(reply: PlatformReply) -> Observation | Unreadable:
            detail = data_if_good(reply)
            if detail is None:
                self._check_token(reply)
                missing = error_code(reply) == NOT_FOUND
                raise (NotThere if missing else ReadRefused)(self._client.refusal(reply))
            asked = ShipmentQuestion(
                shop=self._shop, code=code, asked_at=reply.asked_at, seen_at=reply.seen_at
            )
            found = read_shipment(detail, asked)
            self._heard()
            return found

        return self._client.get(self._paths.detail_of(code), {}, read)

    def _accept(self, reply: PlatformReply) -> None:
        if data_if_good(reply) is None:
            self._check_token(reply)
            raise Refused(self._client.refusal(reply), http_status=reply.status)

    def _check_token(self, reply: PlatformReply) -> None:
        """Raise `AccessDenied` where a no is about the token, though its HTTP status is good."""
        if error_code(reply) == INVALID_TOKEN:
            raise AccessDenied(self._client.refusal(reply), http_status=reply.status)

    def _now(self, ref: FulfillmentRef, http_status: int | None) -> Observation:
        return self._read_back(lambda: self._shipment(ref.fulfillment_id), http_status)
