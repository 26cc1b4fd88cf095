"""Tokens that end: renewed before they do, by one process at a time.

A refresh token is good for one use, and its answer brings the next one. So whoever renews first
claims the right to in the shop's row, asks outside of any transaction, and puts both new tokens
in the place of exactly those that it read. Everybody else waits for that and reads them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from carrierflow.carrier_service.registration import OAuthAccounts, Tokens
from carrierflow.domain import limits
from carrierflow.domain.clock import Clock, Sleep
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.shop import Shop
from carrierflow.errors import (
    AccessDenied,
    CarrierflowError,
    ConfigurationError,
    PlatformUnavailable,
    ShopRevoked,
)
from carrierflow.ledger.ports import Encryptor
from carrierflow.storage import SqlStore
from carrierflow.storage.installs import claim_refresh, end_refresh, swap_tokens


__all__ = ["ShopToken", "TokenKeeper", "encrypted_tokens"]

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=5)
"""How long before its end a token is renewed; of a fresh one that lives shorter, half its life."""

MARGIN = timedelta(seconds=20)
"""How much longer than its request one process may take to renew."""

PAUSE = 0.2
"""Seconds between two looks at whether another process has done so."""

AGAIN_AFTER = timedelta(seconds=30)
"""How long to go on with a token that could not be renewed and is still good."""


class TokenKeeper:
    """Opens the tokens of shops, and renews them in time."""

    def __init__(
        self,
        store: SqlStore,
        encryptor: Encryptor,
        *,
        accounts: Callable[[], OAuthAccounts],
        clock: Clock,
        request: timedelta,
    ) -> None:
        self.clock = clock
        self._store = store
        self._encryptor = encryptor
        self._accounts = accounts
        self._claim = request + MARGIN

    def of(self, shop: Shop, sleep: Sleep) -> ShopToken:
        """Return the token of a shop, for as many requests as anybody likes.

        `sleep` is how its user waits while another process renews it.

        Raises:
            ShopRevoked: if it has none.
            MissingSecretKey, WrongSecretKey: if it does not open.
        """
        if not shop.encrypted_token:
            raise ShopRevoked(shop.code)
        return ShopToken(self, shop, sleep)

    def opened(self, shop: Shop) -> str:
        """Return the token of a shop in clear."""
        context = f"token of shop {shop.code}"
        return self._encryptor.decrypt(shop.encrypted_token, context=context).decode()

    def renewed(self, shop: Shop, sleep: Sleep) -> Shop:
        """Return the shop with tokens that are not those it was read with, where that is possible.

        One process asks, and has the right to for longer than its request can last; the others
        wait for it that long.

        Raises:
            AccessDenied: if the app may do nothing there any more.
            PlatformUnavailable: if there is no answer and the old token has ended.
            ConfigurationError: if it has ended and no app is set to renew it with.
        """
        for _ in range(2 * round(self._claim.total_seconds() / PAUSE)):
            now = self._as_stored(shop.code)
            if now.encrypted_token != shop.encrypted_token or now.encrypted_refresh_token is None:
                return now
            if claim := self._claimed(now):
                try:
                    return self._renew(now, now.encrypted_refresh_token)
                except (AccessDenied, ConfigurationError, PlatformUnavailable) as error:
                    return self._not_renewed(now, claim, error, sleep)
            sleep(PAUSE)
        raise PlatformUnavailable(f"other processes are renewing the token of shop {shop.code}")

    def _as_stored(self, code: str) -> Shop:
        shop = self._store.shop(code)
        if not shop.encrypted_token:
            raise AccessDenied(f"the app was uninstalled from shop {code}")
        return shop

    def _claimed(self, shop: Shop) -> datetime | None:
        clock = self._store.database_clock
        return self._store.transact(lambda c: claim_refresh(c, shop, self._claim, clock=clock))

    def _renew(self, shop: Shop, ciphertext: bytes) -> Shop:
        refresh_token = self._encryptor.decrypt(
            ciphertext, context=f"refresh token of shop {shop.code}"
        )
        tokens = self._accounts().refresh(refresh_token.decode())
        fresh = encrypted_tokens(self._encryptor, shop.code, tokens, now=self.clock())
        if tokens.refresh_token is None:
            del fresh["refresh_token"]
        if tokens.scopes is None:
            del fresh["scopes"]
        if not self._store.transact(lambda c: swap_tokens(c, shop, fresh)):
            return self._as_stored(shop.code)
        log.info("carrierflow.token.renewed", extra={"shop": shop.code})
        return self._store.shop(shop.code)

    def _not_renewed(
        self, shop: Shop, claim: datetime, error: CarrierflowError, sleep: Sleep
    ) -> Shop:
        """Return the shop with the token that it has, if that has not ended.

        A refresh token that is refused may have been used up by another process, where one of
        the two stood still for longer than its claim. Then what the other one brought counts.
        """
        if not self._store.transact(lambda c: end_refresh(c, shop, claim)):
            return self.renewed(shop, sleep)
        log.info("carrierflow.token.not_renewed", extra={"shop": shop.code, "reason": str(error)})
        if shop.token_expires_at is not None and shop.token_expires_at <= self.clock():
            raise error
        return shop


class ShopToken:
    """The token of one shop at this moment; called before each request, by any thread."""

    def __init__(self, keeper: TokenKeeper, shop: Shop, sleep: Sleep) -> None:
        self._keeper = keeper
        self._sleep = sleep
        self._lock = ProcessLock()
        self._shop = shop
        self._token = keeper.opened(shop)
        self._renew_at = _renewal_of(shop, ahead=AHEAD)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shop.code!r})"

    def __call__(self) -> str:
        """Return the token, renewed if it is about to end."""
        with self._lock:
            if self._renew_at is not None and self._renew_at <= self._keeper.clock():
                self._renew()
            return self._token

    def _renew(self) -> None:
        found = self._keeper.renewed(self._shop, self._sleep)
        if found.encrypted_token == self._shop.encrypted_token:
            self._renew_at = self._keeper.clock() + AGAIN_AFTER
            return
        self._shop, self._token = found, self._keeper.opened(found)
        lasts = (found.token_expires_at or self._keeper.clock()) - self._keeper.clock()
        self._renew_at = _renewal_of(found, ahead=min(AHEAD, lasts / 2))


def _renewal_of(shop: Shop, *, ahead: timedelta) -> datetime | None:
    """Return when to renew; never for a token without an end, or without a successor."""
    if shop.token_expires_at is None or shop.encrypted_refresh_token is None:
        return None
    return shop.token_expires_at - ahead


def encrypted_tokens(
    encryptor: Encryptor, code: str, tokens: Tokens, *, now: datetime
) -> dict[str, object]:
    """Return what a shop's row keeps of an answer of the accounts; tokens open there only."""
    refresh = tokens.refresh_token
    return {
        "token": encryptor.encrypt(tokens.access_token.encode(), context=f"token of shop {code}"),
        "refresh_token": encryptor.encrypt(
            refresh.encode(), context=f"refresh token of shop {code}"
        )
        if refresh
        else None,
        "token_expires_at": now + tokens.lasts if tokens.lasts else None,
        "scopes": limits.cut_words(tokens.scopes, limits.SCOPES) if tokens.scopes else None,
    }
