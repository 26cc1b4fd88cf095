"""Installing the app in a shop: the owner logs in, agrees, and the shop is connected.

Two rounds through the platform's accounts, each with a state of its own: unguessable, good for
one use, for a short time, and for one shop code. Only its digest is kept. The first round says
which shop the owner's is, the second brings what the app may do there. A code of ours that
stands for one shop is never given to another: its history is that shop's.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from carrierflow.carrier_service import Call, route_of
from carrierflow.carrier_service.registration import (
    Install,
    Installed,
    OAuthAccounts,
    Redirect,
    Tokens,
)
from carrierflow.domain import limits
from carrierflow.domain.clock import Clock
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import AccessDenied, CarrierflowError, InvalidInput
from carrierflow.ledger.ports import Encryptor
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.shops.carrier_registration import public_root
from carrierflow.shops.shops import check_code, checked_id, root_at
from carrierflow.shops.tokens import encrypted_tokens
from carrierflow.storage import Connection, SqlStore
from carrierflow.storage.installs import (
    add_install,
    connect_shop,
    known_shop,
    shop_of_org,
    take_install,
)


__all__ = ["AfterInstall", "Installer", "missing_scopes"]

log = logging.getLogger(__name__)

CARRIER_CODE = "external"

INVITED_FOR = timedelta(hours=24)
"""How long a link is good that the carrier sends to a shop's owner."""

ROUND_FOR = timedelta(minutes=15)
"""How long one round through the accounts may take."""

LOGIN_SCOPES = ("openid", "profile", "email", "org", "userinfo")

UNCHECKED_SCOPES = frozenset({*LOGIN_SCOPES, "grant_service", "offline_access"})
"""What only steers the accounts; a token without them can do all that it must."""

OVER = "This install link was used before or has run out; start the install again."


@guarded_methods
class Installer:
    """Leads a shop's owner through the accounts, and connects the shop at the end."""

    def __init__(
        self,
        store: SqlStore,
        encryptor: Encryptor,
        *,
        platform: PlatformProfile,
        scopes: Sequence[str],
        public_url: str,
        open_install: bool,
        accounts: Callable[[], OAuthAccounts],
        clock: Clock,
        finish: Callable[[str], Sequence[str]],
    ) -> None:
        self._store = store
        self._encryptor = encryptor
        self._platform = platform
        self._scopes = tuple(scopes)
        self._public_url = public_url
        self._open_install = open_install
        self._accounts = accounts
        self._clock = clock
        self._finish = finish

    def invite(
        self, code: str, *, base_url: str | None = None, carrier_code: str = CARRIER_CODE
    ) -> Redirect:
        """Return a link by which a shop's owner installs the app under a code of ours.

        Whoever has the link can use it, once, within a day. A shop that we know keeps its base
        URL and carrier code; without one the platform's own is meant.

        Raises:
            InvalidInput: if the code or the URL cannot be used.
            ConfigurationError: if `client_id`, `client_secret` or `public_url` is missing.
        """
        check_code(code)
        root = root_at(self._platform, base_url)
        ours = checked_id("carrier code", carrier_code)
        return self._begin(code, root, ours, invited=True)

    def begin(self, code: str) -> Redirect:
        """Return where the browser of an owner goes who came without a link of ours.

        Raises:
            InvalidInput: if the carrier does not take shops that it does not know.
            ConfigurationError: as `invite`.
        """
        check_code(code)
        known = self._known(code)
        may = known.org_id is not None if known else self._open_install
        if not may:
            raise InvalidInput("This carrier sends each shop a link to install with; ask for one.")
        return self._begin(code, root_at(self._platform, None), CARRIER_CODE, invited=False)

    def returned(self, query: Mapping[str, str]) -> Redirect | Installed:
        """Take what the accounts sent the browser back with: on to the next round, or done.

        Raises:
            InvalidInput: if the link is no longer good, or the shop is not the one it should be.
            AccessDenied: if the owner did not agree, or the code is not accepted.
            PlatformUnavailable: if the accounts give no usable answer.
        """
        state, code = query.get("state", ""), query.get("code", "")
        if not (limits.is_storable(state) and limits.is_storable(code)):
            raise InvalidInput(OVER)
        install = self._taken(state)
        if not code:
            raise AccessDenied(f"the install of shop {install.shop} was not agreed to")
        tokens = self._accounts().exchange(code, redirect_uri=self._redirect_uri())
        if tokens.nonce != _digest("nonce", state):
            raise AccessDenied("the answer of the accounts belongs to another question")
        if tokens.org_id is None:
            raise AccessDenied("the accounts do not say which shop agreed")
        if install.org_id is None:
            return self._second_round(install, tokens.org_id)
        if install.org_id != tokens.org_id:
            raise InvalidInput("Another shop agreed than the one that had logged in.")
        return self._connected(install, tokens)

    def _begin(self, code: str, base_url: str, carrier_code: str, *, invited: bool) -> Redirect:
        known = self._known(code)
        install = Install(
            shop=code,
            base_url=known.base_url if known else base_url,
            carrier_code=known.carrier_code if known else carrier_code,
            invited=invited,
            expires_at=self._clock() + (INVITED_FOR if invited else ROUND_FOR),
        )
        return self._round(install, LOGIN_SCOPES)

    def _second_round(self, install: Install, org_id: str) -> Redirect:
        self._store.transact(lambda c: self._check_identity(c, install, org_id))
        until = self._clock() + ROUND_FOR
        scopes = tuple(dict.fromkeys((*LOGIN_SCOPES, *self._scopes)))
        return self._round(replace(install, org_id=org_id, expires_at=until), scopes)

    def _round(self, install: Install, scopes: Sequence[str]) -> Redirect:
        state = secrets.token_urlsafe(32)
        url = self._accounts().authorize_url(
            scopes=scopes,
            redirect_uri=self._redirect_uri(),
            state=state,
            nonce=_digest("nonce", state),
            org_id=install.org_id,
        )
        now, digest = self._clock(), _digest("state", state)
        self._store.transact(lambda c: add_install(c, digest, install, now=now))
        return Redirect(url=url, expires_at=install.expires_at)

    def _known(self, code: str) -> Shop | None:
        with self._store.reading() as connection:
            return self._mine(connection, code)

    def _mine(self, connection: Connection, code: str) -> Shop | None:
        """Return the shop of a code, None if there is none; refuse one on another platform."""
        known = known_shop(connection, code)
        if known is not None and known.platform != self._platform.name:
            raise InvalidInput(f"The code {code!r} stands for a shop on another platform.")
        return known

    def _check_identity(self, connection: Connection, install: Install, org_id: str) -> Shop | None:
        """Refuse a code that stands for another shop, and a shop that has another code."""
        known = self._mine(connection, install.shop)
        if known is not None and known.org_id not in {None, org_id}:
            raise InvalidInput(f"The code {install.shop!r} stands for another shop than this one.")
        if known is not None and known.org_id is None and not install.invited:
            raise InvalidInput("This carrier sends each shop a link to install with; ask for one.")
        bearer = shop_of_org(connection, org_id, platform=self._platform.name)
        if bearer not in {None, install.shop}:
            raise InvalidInput("This shop is connected under another code already.")
        return known

    def _taken(self, state: str) -> Install:
        now = self._clock()
        found = self._store.transact(lambda c: take_install(c, _digest("state", state), now=now))
        if found is None:
            raise InvalidInput(OVER)
        return found

    def _connected(self, install: Install, tokens: Tokens) -> Installed:
        missing = missing_scopes(self._scopes, tokens.scopes)
        if missing:
            raise AccessDenied(
                f"the owner of shop {install.shop} did not grant {', '.join(missing)}; "
                "nothing was stored, and the install can be started again"
            )
        shop = self._store.transact(lambda c: self._write(c, install, tokens))
        log.info("carrierflow.shop.installed", extra={"shop": shop.code})
        return Installed(shop=shop.code, notes=tuple(self._finish(shop.code)))

    def _write(self, connection: Connection, install: Install, tokens: Tokens) -> Shop:
        known = self._check_identity(connection, install, install.org_id or "")
        paused = known is not None and known.state is ShopState.PAUSED
        now = self._clock()
        values: dict[str, object] = {
            "org_id": install.org_id,
            "state": ShopState.PAUSED if paused else ShopState.ACTIVE,
            "revoked_at": None,
            "refreshing_until": None,
            **encrypted_tokens(self._encryptor, install.shop, tokens, now=now),
        }
        if tokens.scopes is None:
            values["scopes"] = limits.cut_words(self._scopes, limits.SCOPES)
        added = {
            "platform": self._platform.name,
            "base_url": install.base_url,
            "carrier_code": install.carrier_code,
            "added_at": now,
        }
        return connect_shop(connection, install.shop, values, added=added)

    def _redirect_uri(self) -> str:
        return public_root(self._public_url) + route_of(Call.INSTALLED).path()


def missing_scopes(wanted: Sequence[str], granted: Sequence[str] | None) -> list[str]:
    """Return what was asked for and not granted; the right to write includes the one to read."""
    if granted is None:
        return []
    return [
        scope
        for scope in wanted
        if scope not in UNCHECKED_SCOPES
        and scope not in granted
        and scope.replace(".read_", ".write_") not in granted
    ]


def _digest(purpose: str, state: str) -> str:
    return hashlib.sha256(f"carrierflow {purpose}:{state}".encode()).hexdigest()


class AfterInstall:
    """Takes some steps in a new shop, each by itself."""

    def __init__(self, steps: Mapping[str, Callable[[str], object]]) -> None:
        self._steps = steps

    def __call__(self, code: str) -> list[str]:
        """Take every step; return one sentence for each that could not be taken yet."""
        notes = []
        for what, step in self._steps.items():
            try:
                step(code)
            except CarrierflowError as error:
                notes.append(f"{what} did not work yet; the carrier knows.")
                log.warning(
                    "carrierflow.install.unfinished",
                    extra={"shop": code, "step": what, "reason": str(error)},
                )
        return notes
