"""What makes connections to the platforms; a shop's token is opened only here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from carrierflow.app.settings import Settings
from carrierflow.app.shop_choices import ShopChoices
from carrierflow.carrier_service.registration import OAuthAccounts, Registrations, Subscriptions
from carrierflow.domain import clock
from carrierflow.domain.cleaning import in_force
from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import Idle, in_slices, keep_waiting
from carrierflow.errors import ConfigurationError
from carrierflow.ledger.ports import Encryptor
from carrierflow.platforms.http.transport import HttpLimits
from carrierflow.platforms.profile import AppLink, Feature, ShopLink
from carrierflow.platforms.registry import DEFAULT, Client, PlatformRegistry
from carrierflow.reconcile.ports import Platform
from carrierflow.shops import TokenKeeper
from carrierflow.storage import ShopBudget, SqlStore


__all__ = ["PlatformFactory", "UncountedBudget"]


class UncountedBudget:
    """The allowance of a shop that is not connected yet: few requests are made, none is counted."""

    def spend(self) -> None:
        """Let a request leave."""

    def room(self, seconds: float) -> int:  # noqa: ARG002 - the port's signature
        """Return that there is room for the next one."""
        return 1

    def learn_used(self, used: int) -> None:
        """Leave the platform's count to the shop's own allowance, once it has one."""

    def pause(self, seconds: float) -> None:
        """Leave a pause to whoever asks again: nothing else is asked here."""


class PlatformFactory:
    """Connects to what a platform has of a shop.

    Each of its calls raises `ShopRevoked` if the shop has no token, `WrongSecretKey` if the token
    does not open, and `InvalidInput` if the platform is none that we know. Whatever is
    waited for later, `idle` is called meanwhile, and ends it by raising.
    """

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        encryptor: Encryptor,
        choices: ShopChoices,
        platforms: PlatformRegistry,
        *,
        now: clock.Clock,
        sleep: clock.Sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self._choices = choices
        self._platforms = platforms
        self._now = now
        self._sleep = sleep
        request = timedelta(seconds=settings.connect_timeout + settings.request_timeout)
        self._tokens = TokenKeeper(
            store, encryptor, accounts=self.accounts, clock=now, request=request
        )

    def __call__(self, shop: Shop, idle: Idle = keep_waiting) -> Platform:
        """Connect to a shop's orders, for a run."""
        sleep = in_slices(self._sleep, idle)
        return self._platforms.profile_of(shop.platform).connect(self._link(shop, sleep, idle))

    def untried(self, shop: Shop) -> Platform:
        """Connect to a shop that has no row yet, and so no allowance that could be shared."""
        link = self._link(shop, self._sleep, keep_waiting)
        return self._platforms.profile_of(shop.platform).connect(
            replace(link, budget=UncountedBudget())
        )

    def client(self, shop: Shop, idle: Idle = keep_waiting) -> Client:
        """Connect to a shop's orders, for a program of the carrier's own."""
        profile = self._platforms.profile_of(shop.platform)
        connect = profile.offered(Feature.CLIENT, profile.client)
        made: Client = connect(self._link(shop, in_slices(self._sleep, idle), idle))
        return made

    def registrations(self, shop: Shop) -> Registrations:
        """Connect to the carriers registered in a shop, for a person who waits."""
        profile = self._platforms.profile_of(shop.platform)
        connect = profile.offered(Feature.REGISTRATION, profile.registrations)
        return connect(self._link(shop, self._sleep, keep_waiting, interactive=True))

    def subscriptions(self, shop: Shop, idle: Idle = keep_waiting) -> Subscriptions:
        """Connect to the webhooks of a shop."""
        profile = self._platforms.profile_of(shop.platform)
        connect = profile.offered(Feature.SUBSCRIPTION, profile.subscriptions)
        link = self._link(shop, in_slices(self._sleep, idle), idle)
        return connect(link, self._settings.webhook_url)

    def accounts(self) -> OAuthAccounts:
        """Connect to the accounts of the platform, once for all shops.

        Raises:
            ConfigurationError: if the app's id or its secret is missing.
        """
        return self._accounts

    @cached_property
    def _accounts(self) -> OAuthAccounts:
        settings = self._settings
        secrets = in_force([settings.client_secret.get_secret_value()])
        if not settings.client_id or not secrets:
            raise ConfigurationError(
                "No app is set to install: CARRIERFLOW_CLIENT_ID and CARRIERFLOW_CLIENT_SECRET "
                "name the one that the platform gave you."
            )
        return DEFAULT.offered(Feature.INSTALL, DEFAULT.accounts)(
            AppLink(
                url=settings.accounts_url,
                client_id=settings.client_id,
                client_secret=secrets[0],
                limits=self._limits(),
                now=self._now,
            )
        )

    def _link(
        self, shop: Shop, sleep: clock.Sleep, idle: Idle, *, interactive: bool = False
    ) -> ShopLink:
        return ShopLink(
            shop=shop,
            token=self._tokens.of(shop, sleep),
            budget=self._budget(shop, sleep, interactive=interactive),
            limits=self._limits(),
            now=self._now,
            sleep=sleep,
            idle=idle,
            chosen={name: each.value for name, each in self._choices.of(shop).items()},
        )

    def _budget(self, shop: Shop, sleep: clock.Sleep, *, interactive: bool) -> ShopBudget:
        return ShopBudget(
            shop,
            self._store.begin,
            rate=self._choices.rate(shop),
            clock=self._store.database_clock,
            sleep=sleep,
            interactive=interactive,
        )

    def _limits(self) -> HttpLimits:
        settings = self._settings
        return HttpLimits(
            connect_timeout=settings.connect_timeout,
            request_timeout=settings.request_timeout,
            max_body=settings.max_reply_bytes,
            get_retries=settings.get_retries,
            get_backoff=settings.get_backoff_seconds,
            longest_pause=settings.longest_pause_seconds,
        )
