"""Haravan's accounts: where a shop's owner agrees, and where codes become tokens.

OAuth 2.0 with a code, on top of OpenID Connect (authentication tutorial). No request here is
repeated: a code and a refresh token are good for one use each.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from carrierflow.carrier_service.registration import Tokens
from carrierflow.domain import clock
from carrierflow.domain.cleaning import is_token
from carrierflow.domain.limits import TOKEN
from carrierflow.errors import AccessDenied, PlatformUnavailable
from carrierflow.platforms.haravan.spelling import is_id
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.http.transport import FORM, HttpLimits, Lost, Transport


if TYPE_CHECKING:
    from carrierflow.platforms.http.replies import PlatformReply


__all__ = ["HaravanAccounts"]

_WORD = re.compile(r"[a-z_]{1,40}", flags=re.ASCII)
_LONGEST_LIFE = timedelta(days=3650)


class HaravanAccounts:
    """The accounts, as the port `carrierflow.link.Accounts` has them.

    Args:
        url: their root, `https://accounts.haravan.com`.
        client_id: the app's id.
        client_secret: the app's secret; it appears in no error and no repr.
        limits: timeouts and sizes.
        now: the clock of what is asked.

    Raises:
        ConfigurationError: the root cannot be used.
    """

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        limits: HttpLimits,
        now: clock.Clock = clock.now,
    ) -> None:
        self._transport = Transport(
            base_url=url, token=None, limits=limits, now=now, folder="/connect"
        )
        self._client_id = client_id
        self._client_secret = client_secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.url!r})"

    def authorize_url(
        self,
        *,
        scopes: Sequence[str],
        redirect_uri: str,
        state: str,
        nonce: str,
        org_id: str | None = None,
    ) -> str:
        """Return where a browser is sent to log in and to agree."""
        query = {
            "response_type": "code",
            "response_mode": "query",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            **({"orgid": org_id} if org_id else {}),
        }
        return f"{self._transport.url}/authorize?{urlencode(query)}"

    def exchange(self, code: str, *, redirect_uri: str) -> Tokens:
        """Return the tokens for a code.

        Raises:
            AccessDenied: the code or the app is not accepted.
            PlatformUnavailable: there is no usable answer; the code may be used up.
        """
        return self._tokens(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        )

    def refresh(self, refresh_token: str) -> Tokens:
        """Return new tokens, the next refresh token among them.

        Raises:
            AccessDenied: the refresh token or the app is not accepted.
            PlatformUnavailable: there is no usable answer; the token may be used up.
        """
        return self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _tokens(self, form: Mapping[str, str]) -> Tokens:
        app = {"client_id": self._client_id, "client_secret": self._client_secret}
        body = urlencode({**form, **app}).encode()
        try:
            reply = self._transport.exchange("POST", "/token", body=body, content_type=FORM)
        except Lost as lost:
            raise PlatformUnavailable(f"its accounts gave {lost.reason}") from lost.__cause__
        _accept(reply)
        try:
            return self._read(reply.document())
        except UnreadableReply as error:
            raise PlatformUnavailable(f"its accounts gave an answer where {error.reason}") from None

    def _read(self, document: Any) -> Tokens:
        if not isinstance(document, dict) or not _text(document.get("access_token")):
            raise UnreadableReply("there is no token")
        access = _token(document["access_token"])
        if access is None:
            raise UnreadableReply("the token is no bearer token, or far too long")
        refresh, scope = _token(document.get("refresh_token")), _text(document.get("scope"))
        claims = _claims(document.get("id_token"))
        if "aud" in claims and self._client_id not in _listed(claims["aud"]):
            raise UnreadableReply("the identity is meant for another app")
        org_id = str(claims.get("orgid") or "")
        return Tokens(
            access_token=access,
            refresh_token=refresh,
            lasts=_span(document.get("expires_in")),
            scopes=tuple(scope.split()) if scope else None,
            org_id=org_id if is_id(org_id) else None,
            nonce=str(claims["nonce"]) if claims.get("nonce") else None,
        )


def _accept(reply: PlatformReply) -> None:
    status = reply.status
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PlatformUnavailable(f"its accounts answer HTTP {status}")
    raise AccessDenied(f"its accounts say {_why(reply)}", http_status=status)


def _why(reply: PlatformReply) -> str:
    """Return OAuth's own word for what is wrong; any other text could hold what we sent."""
    try:
        document = reply.document()
    except UnreadableReply:
        document = None
    word = document.get("error") if isinstance(document, dict) else None
    if isinstance(word, str) and _WORD.fullmatch(word):
        return f"{word} (HTTP {reply.status})"
    return f"HTTP {reply.status}"


def _claims(token: Any) -> Mapping[str, Any]:
    """Return what an identity token says.

    Its signature needs no look: it comes straight from the accounts, whose certificate was
    checked, in the answer to our own request (OpenID Connect Core, 3.1.3.7).
    """
    parts = (_text(token) or "").split(".")
    try:
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(payload))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _span(value: Any) -> timedelta | None:
    """Return how long a token lasts; what cannot be a span counts as not said."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    if not 0 < seconds <= _LONGEST_LIFE.total_seconds():
        return None
    return timedelta(seconds=seconds)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _token(value: Any) -> str | None:
    """Return a token that can be sent and kept; any other counts as not given."""
    text = _text(value)
    return text if text and is_token(text) and len(text) <= TOKEN else None


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
