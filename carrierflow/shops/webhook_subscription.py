"""A shop's webhooks: switched on, looked after, switched off.

Webhooks are hints, and nothing depends on them: whatever goes wrong here is told and does no
harm. The platform drops a subscription after two days of failures without a word, so one that
was switched on is looked at once an hour, and switched on again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from carrierflow.carrier_service.registration import Subscription, Subscriptions
from carrierflow.domain.clock import Clock
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import CarrierflowError, OutcomeUnknown
from carrierflow.storage import SqlStore
from carrierflow.storage.installs import check_subscription
from carrierflow.storage.shops import change_shop


__all__ = ["WebhookSubscription"]

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=1)


@guarded_methods
class WebhookSubscription:
    """Switches webhooks on and off in shops."""

    def __init__(
        self, store: SqlStore, *, connect: Callable[[Shop, Idle], Subscriptions], clock: Clock
    ) -> None:
        self._store = store
        self._connect = connect
        self._clock = clock

    def subscribe(self, code: str) -> list[Subscription]:
        """Switch a shop's webhooks on, and return what is sent from now on.

        Doing it again changes nothing. From now on every reconcile sees to it, once an hour.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            OutcomeUnknown: if the platform did not answer, and none are on.
            PlatformUnavailable, AccessDenied, NotSent, Refused: if it could not be done.
        """
        with self._at(code) as there:
            found = _switched_on(there)
        now = self._clock()
        self._note(code, subscribed_at=now, subscription_checked_at=now)
        return found

    def unsubscribe(self, code: str) -> None:
        """Switch a shop's webhooks off, for good.

        Raises:
            As `subscribe`.
        """
        with self._at(code) as there:
            try:
                there.unsubscribe()
            except OutcomeUnknown:
                if there.listed():
                    raise
        self._note(code, subscribed_at=None, subscription_checked_at=None)

    def listed(self, code: str) -> list[Subscription]:
        """Return what a shop sends by webhook; nothing while they are off.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            PlatformUnavailable, AccessDenied: if it cannot be read.
        """
        with self._at(code) as there:
            return there.listed()

    def keep(self, code: str, idle: Idle = keep_waiting) -> str | None:
        """Switch webhooks on again where the platform dropped them; at most once an hour.

        Returns a sentence if that could not be seen to, and never raises for it; nor where
        `idle`, called while the platform is waited for, makes an end.
        """
        try:
            shop = self._store.shop(code)
            is_on = shop.subscribed_at is not None and shop.state is ShopState.ACTIVE
            if not (is_on and self._is_due(shop)):
                return None
            self._keep_on(code, idle)
        except CarrierflowError as error:
            log.info("carrierflow.webhooks.not_kept", extra={"shop": code, "reason": str(error)})
            return f"Its webhooks could not be looked after: {error}"
        return None

    def _keep_on(self, code: str, idle: Idle) -> None:
        with self._at(code, idle) as there:
            if there.listed():
                return
            _switched_on(there)
        self._note(code, subscribed_at=self._clock())
        log.info("carrierflow.webhooks.renewed", extra={"shop": code})

    def _is_due(self, shop: Shop) -> bool:
        """Take the turn of this hour; False if it is not over, or another process took it."""
        now = self._clock()
        return self._store.transact(
            lambda c: check_subscription(c, shop, now=now, before=now - LOOK_EVERY)
        )

    def _note(self, code: str, **values: object) -> None:
        self._store.transact(lambda c: change_shop(c, code, **values))

    @contextmanager
    def _at(self, code: str, idle: Idle = keep_waiting) -> Iterator[Subscriptions]:
        there = self._connect(self._store.shop(code), idle)
        try:
            yield there
        finally:
            there.close()


def _switched_on(there: Subscriptions) -> list[Subscription]:
    try:
        there.subscribe()
    except OutcomeUnknown:
        found = there.listed()
        if not found:
            raise
        return found
    return there.listed()
