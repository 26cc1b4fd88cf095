"""The accounts of Haravan: a seller consents, and the app gets tokens for the shop.

Codes and refresh tokens are good for one use. Nothing here is secret, so the tokens are numbered:
the same calls give the same tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.haravan.denials import Denied
from carrierflow.sandbox.haravan.scopes import Grants, ScopeGrant


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.partner_app import App
    from carrierflow.sandbox.haravan.shop_state import SandboxShop


__all__ = ["Consent", "ConsentPages", "id_token"]

_OFFLINE, _OPENID = "offline_access", "openid"
_CODE_SECONDS = 300
_REFRESH_SECONDS = 30 * 24 * 3600  # rolling: each refresh token has thirty days of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a seller agreed to, and until when its code or refresh token may be used."""

    shop: str
    scopes: tuple[str, ...]
    redirect_uri: str
    nonce: str
    until: int


class ConsentPages:
    """Consents on their way to become tokens."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants
        self._waiting: dict[str, Consent] = {}
        self._numbers = count(1)

    def consent(self, shop: str, query: Mapping[str, str], now: int) -> str:
        """Note that a seller consents to what an authorize request asks; return the code."""
        consent = Consent(
            shop=shop,
            scopes=tuple(query.get("scope", "").split()),
            redirect_uri=query["redirect_uri"],
            nonce=query.get("nonce", ""),
            until=now + _CODE_SECONDS * TICKS_PER_SECOND,
        )
        return self._kept("code", consent)

    def named(self, form: Mapping[str, str], now: int) -> Consent:
        """Return the consent that a token request names by its code or refresh token.

        Raises:
            Denied: if it names none, or one that was used or has run out.
        """
        field = _FIELD_OF.get(form.get("grant_type", ""))
        if field is None:
            raise Denied("unsupported_grant_type")
        consent = self._waiting.get(form.get(field, ""))
        if consent is None or consent.until <= now:
            raise Denied("invalid_grant")
        return consent

    def exchange(
        self, app: App, shop: SandboxShop, form: Mapping[str, str], now: int
    ) -> dict[str, Any]:
        """Return new tokens for a code or a refresh token, which are used up by this.

        Raises:
            Denied: if the request names no consent, or another address than the consent did.
        """
        consent = self.named(form, now)
        field = _FIELD_OF[form["grant_type"]]
        if field == "code" and form.get("redirect_uri") != consent.redirect_uri:
            raise Denied("invalid_grant")
        del self._waiting[form[field]]
        return self._tokens(app, shop, consent, now)

    def forget(self, shop: str) -> None:
        """Let no code and no refresh token of a shop become a token any more."""
        self._waiting = {
            key: consent for key, consent in self._waiting.items() if consent.shop != shop
        }

    def _tokens(self, app: App, shop: SandboxShop, consent: Consent, now: int) -> dict[str, Any]:
        access = self._name("access")
        until = now + app.token_seconds * TICKS_PER_SECOND
        grant = ScopeGrant(shop=shop.code, scopes=frozenset(consent.scopes), until=until)
        self._grants.add(access, grant)
        reply = {
            "access_token": access,
            "expires_in": app.token_seconds,
            "token_type": "Bearer",
            "scope": " ".join(consent.scopes),
        }
        if _OPENID in consent.scopes:
            reply["id_token"] = id_token(app, shop, consent.nonce, now)
        if _OFFLINE in consent.scopes:
            reply["refresh_token"] = self._kept("refresh", _rolled(consent, now))
        return reply

    def _kept(self, kind: str, consent: Consent) -> str:
        key = self._name(kind)
        self._waiting[key] = consent
        return key

    def _name(self, kind: str) -> str:
        return f"sandbox-{kind}-{next(self._numbers)}"


def id_token(app: App, shop: SandboxShop, nonce: str, now: int) -> str:
    """Return who consented, as a JSON web token.

    Haravan signs with a key of its own (RS256); the standard library cannot, so this one is signed
    with the client secret (HS256).
    """
    seconds = now // TICKS_PER_SECOND
    claims = {
        "iss": "carrierflow-sandbox",
        "aud": app.client_id,
        "iat": seconds,
        "exp": seconds + app.token_seconds,
        "sub": f"{shop.org_id}-owner",
        "nonce": nonce,
        "orgid": str(shop.org_id),
        "orgname": shop.code,
        "role": ["admin"],
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    digest = hmac.new(app.client_secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(digest)}"


def _rolled(consent: Consent, now: int) -> Consent:
    return Consent(
        shop=consent.shop,
        scopes=consent.scopes,
        redirect_uri=consent.redirect_uri,
        nonce="",
        until=now + _REFRESH_SECONDS * TICKS_PER_SECOND,
    )


def _part(claims: Mapping[str, Any]) -> str:
    return _base64(json.dumps(claims, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


_FIELD_OF = {"authorization_code": "code", "refresh_token": "refresh_token"}
