"""The carrier's connections to shops: added, paused, resumed, given a new token."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from carrierflow.domain import limits
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.cleaning import cleaned, is_token
from carrierflow.domain.clock import Clock
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.domain.typecheck import check_text, guarded_methods
from carrierflow.domain.urls import flaw_of_root
from carrierflow.errors import AccessDenied, InvalidInput, ShopRevoked
from carrierflow.ledger.ports import Encryptor
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.platforms.registry import DEFAULT, PlatformRegistry
from carrierflow.reconcile.ports import Platform
from carrierflow.shops.shop_check import NOBODYS_ORDER
from carrierflow.storage import Connection, SqlStore
from carrierflow.storage.administration import administer
from carrierflow.storage.incident_ends import close_denials
from carrierflow.storage.shops import (
    add_shop,
    all_shops,
    change_shop,
    find_shop,
    hold_shop,
    options_text,
    require_new,
    revoke_shop,
)


__all__ = ["Shops", "check_code", "is_uninstalled", "root_at"]

log = logging.getLogger(__name__)

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

WITHOUT_END: Mapping[str, Any] = MappingProxyType(
    {"refresh_token": None, "token_expires_at": None, "refreshing_until": None, "scopes": None}
)
"""What we know of a token that somebody gave us: nothing."""


@guarded_methods
class Shops:
    """The shops that this carrier is connected to; tokens are encrypted before they are stored."""

    def __init__(
        self,
        store: SqlStore,
        encryptor: Encryptor,
        *,
        clock: Clock,
        platforms: PlatformRegistry | None = None,
    ) -> None:
        self._store = store
        self._encryptor = encryptor
        self._clock = clock
        self._platforms = platforms or PlatformRegistry()

    def add(
        self,
        code: str,
        *,
        token: str,
        base_url: str | None = None,
        platform: str = DEFAULT.name,
        org_id: str | None = None,
        carrier_code: str = "external",
        options: Mapping[str, str] | None = None,
        trial: Callable[[Shop], object] | None = None,
    ) -> Shop:
        """Connect a shop.

        `base_url` is the root of the platform's API, https except on loopback; without one it is
        the platform's own. `carrier_code` is what the platform prints as the carrier of this
        carrier's parcels. `options` are chosen for this shop alone: `remote_ahead` and the like.
        `trial` is called with the shop before anything is kept of it, and prevents that by raising:
        `Carrierflow.try_shop`, for one.

        Raises:
            InvalidInput: if the code is taken or something cannot be used.
            UnsupportedByPlatform: for an option that there is on other platforms only.
            MissingSecretKey: if there is no key to encrypt the token with.
        """
        check_code(code)
        profile = self._platforms.profile_of(platform)
        values = {
            "code": code,
            "platform": platform,
            "base_url": root_at(profile, base_url),
            "options": options_text(self._platforms.checked_choices(platform, options or {})),
            "org_id": checked_id("org id", org_id) if org_id and cleaned(org_id) else None,
            "carrier_code": checked_id("carrier code", carrier_code),
            "token": self._encrypted(code, token),
            "added_at": self._clock(),
        }
        if trial is not None:
            with self._store.reading() as connection:
                require_new(connection, code)
            trial(_untried(values))
        self._store.transact(lambda c: add_shop(c, values))
        return self.get(code)

    def get(self, code: str) -> Shop:
        """Return one shop; raises `UnknownShop`."""
        with self._store.reading() as connection:
            return find_shop(connection, code)

    def all(self) -> list[Shop]:
        """Return every shop, those first that have waited longest for a run."""
        with self._store.reading() as connection:
            return all_shops(connection)

    def pause(self, code: str) -> Shop:
        """Let runs leave a shop alone; events are recorded all the same.

        Raises:
            ShopRevoked: if it has no token.
        """
        now = self._clock()

        def work(connection: Connection) -> Shop:
            shop = self._with_token(connection, code)
            close_denials(connection, shop.id, written=True, now=now)
            administer(connection, AdministrationKind.SHOP_PAUSED, now=now, shop=code)
            return change_shop(connection, code, state=ShopState.PAUSED)

        return self._store.transact(work)

    def resume(self, code: str) -> Shop:
        """Let runs look after a shop again.

        Raises:
            ShopRevoked: if it has no token.
        """
        now = self._clock()

        def work(connection: Connection) -> Shop:
            self._with_token(connection, code)
            administer(connection, AdministrationKind.SHOP_RESUMED, now=now, shop=code)
            return change_shop(connection, code, state=ShopState.ACTIVE, revoked_at=None)

        return self._store.transact(work)

    def change(
        self,
        code: str,
        *,
        base_url: str | None = None,
        choices: Mapping[str, str | None] | None = None,
    ) -> Shop:
        """Change how a shop is reached, and what is chosen for it, from the next run on.

        A choice that is None is taken back, so that the settings hold again.

        Raises:
            UnknownShop: if no such shop is connected.
            InvalidInput: if the root cannot be used, or something cannot be chosen so.
            UnsupportedByPlatform: for what can be chosen on other platforms only.
        """
        values = {} if base_url is None else {"base_url": checked_root(base_url)}
        choices, now = choices or {}, self._clock()

        def work(connection: Connection) -> Shop:
            found = hold_shop(connection, code)
            kept = {name: value for name, value in found.options.items() if name not in choices}
            options = kept | self._platforms.checked_choices(found.platform, choices)
            chosen = {name: options.get(name) for name in choices}
            kind, details = AdministrationKind.SHOP_SET, {**chosen, **values}
            administer(connection, kind, now=now, shop=code, details=details)
            return change_shop(connection, code, options=options_text(options), **values)

        return self._store.transact(work)

    def rotate_token(self, code: str, token: str) -> Shop:
        """Replace a shop's token; the old one is forgotten.

        A revoked shop stays so until it is resumed.
        """
        fresh = {"token": self._encrypted(code, token), **WITHOUT_END}
        now = self._clock()

        def work(connection: Connection) -> Shop:
            hold_shop(connection, code)
            administer(connection, AdministrationKind.TOKEN_ROTATED, now=now, shop=code)
            return change_shop(connection, code, **fresh)

        return self._store.transact(work)

    def revoke(self, code: str) -> Shop:
        """Forget a shop's token: the app was uninstalled there, or the carrier leaves it.

        Its history is kept, and events are recorded all the same. A run under way sends nothing
        more. What the shop gets by another install continues the same history. Doing it twice
        changes nothing.
        """
        now = self._clock()

        def work(connection: Connection) -> Shop:
            shop = revoke_shop(connection, code, now=now)
            close_denials(connection, shop.id, written=True, now=now)
            return shop

        found = self._store.transact(work)
        log.warning("carrierflow.shop.revoked", extra={"shop": code})
        return found

    @staticmethod
    def _with_token(connection: Connection, code: str) -> Shop:
        found = hold_shop(connection, code)
        if not found.encrypted_token:
            raise ShopRevoked(code)
        return found

    def _encrypted(self, code: str, token: str) -> bytes:
        token = cleaned(token)
        if not is_token(token) or len(token) > limits.TOKEN:
            raise InvalidInput("The token is empty or is no bearer token; nothing was stored.")
        return self._encryptor.encrypt(token.encode(), context=f"token of shop {code}")


def _untried(values: Mapping[str, Any]) -> Shop:
    """Return a shop that has no row yet."""
    kept = {name: it for name, it in values.items() if name not in {"token", "options"}}
    return Shop(
        id=0,
        state=ShopState.ACTIVE,
        encrypted_token=values["token"],
        options=json.loads(values["options"] or "{}"),
        **kept,
    )


def check_code(code: str) -> None:
    """Refuse what cannot be a shop code, and so be part of an address; raises `InvalidInput`."""
    if not CODE.fullmatch(code):
        raise InvalidInput(
            f"{code!r} cannot be a shop code; use 1 to 64 letters, digits, dots and dashes."
        )


def checked_id(what: str, text: str) -> str:
    """Return a platform's id or code as it is kept; raises `InvalidInput` where it cannot be."""
    kept = cleaned(text)
    check_text(what, kept, limits.ID, names=True)
    return kept


def root_at(platform: PlatformProfile, base_url: str | None) -> str:
    """Return a root as it is kept, the platform's own where none is named."""
    root = platform.base_url if base_url is None else base_url
    if root is None:
        raise InvalidInput(f"Every shop on {platform.title} has a root of its own; name it.")
    return checked_root(root)


def checked_root(base_url: str) -> str:
    """Return a root as it is kept; raises `InvalidInput` where no request could use it."""
    root = cleaned(base_url).rstrip("/")
    if root:
        check_text("base URL", root, limits.URL)
    flaw = flaw_of_root(root)
    if flaw is not None:
        raise InvalidInput(flaw)
    return root


def is_uninstalled(shop: Shop, connect: Callable[[Shop], Platform]) -> bool:
    """Tell whether the shop's token opens nothing any more; one that lacks a right still opens.

    Raises:
        PlatformUnavailable: if the platform does not say.
        WrongSecretKey: if the token does not open here.
    """
    try:
        platform = connect(shop)
    except ShopRevoked:
        return True
    try:
        platform.order(NOBODYS_ORDER)
    except AccessDenied as error:
        return error.http_status != HTTPStatus.FORBIDDEN
    finally:
        platform.close()
    return False
