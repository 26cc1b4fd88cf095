"""Codes and refresh tokens become tokens, over real HTTP; what is secret is told to nobody."""

from __future__ import annotations

import base64
import json
import traceback
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from carrierflow.errors import AccessDenied, ConfigurationError, PlatformUnavailable
from carrierflow.platforms.haravan import HaravanAccounts

from .conftest import SHORT


SECRET = "canary-secret-5f"
CODE = "canary-code-2b"
REFRESH = "canary-refresh-9a"


@pytest.fixture(name="accounts")
def _accounts(server, clock):
    return HaravanAccounts(
        url=server.url, client_id="app-1", client_secret=SECRET, limits=SHORT, now=clock
    )


def identity(**claims):
    """Return an identity token; nobody looks at its signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def test_where_a_browser_is_sent(accounts, server):
    """The address holds what was asked, spelled so that it arrives."""
    url = accounts.authorize_url(
        scopes=["openid", "com.write_orders"],
        redirect_uri="https://ship.example/carrier/installed?a=b&c",
        state="s/t+u",
        nonce="n",
        org_id="1000",
    )

    assert url.startswith(f"{server.url}/connect/authorize?")
    assert {
        "response_type": ["code"],
        "response_mode": ["query"],
        "client_id": ["app-1"],
        "redirect_uri": ["https://ship.example/carrier/installed?a=b&c"],
        "scope": ["openid com.write_orders"],
        "state": ["s/t+u"],
        "nonce": ["n"],
        "orgid": ["1000"],
    } == parse_qs(urlsplit(url).query)
    assert SECRET not in url


def test_a_code_is_sent_as_a_form(accounts, server, answer):
    """The request bears the code, where it came back to, and who the app is; no bearer token."""
    server.plays(answer.reply({"access_token": "a"}))

    accounts.exchange(CODE, redirect_uri="https://ship.example/installed")

    ((method, path, headers),) = server.received
    assert ("POST", "/connect/token") == (method, path)
    assert "application/x-www-form-urlencoded" == headers["Content-Type"]
    assert "Authorization" not in headers
    assert {
        "grant_type": ["authorization_code"],
        "code": [CODE],
        "redirect_uri": ["https://ship.example/installed"],
        "client_id": ["app-1"],
        "client_secret": [SECRET],
    } == parse_qs(server.bodies[0].decode())


def test_a_refresh_token_is_sent_as_a_form(accounts, server, answer):
    """The request bears the refresh token and who the app is."""
    server.plays(answer.reply({"access_token": "a"}))

    accounts.refresh(REFRESH)

    form = parse_qs(server.bodies[0].decode())
    assert (["refresh_token"], [REFRESH]) == (form["grant_type"], form["refresh_token"])


def test_everything_that_an_answer_says(accounts, server, answer):
    """Tokens, span, scopes, shop and nonce are read; the repr holds no token."""
    token = identity(orgid="200000376735", nonce="n-1", aud=["app-1", "other"])
    server.plays(
        answer.reply(
            {
                "access_token": "canary-access",
                "refresh_token": REFRESH,
                "expires_in": 86400,
                "token_type": "Bearer",
                "scope": "com.write_orders wh_api",
                "id_token": token,
            }
        )
    )

    found = accounts.exchange(CODE, redirect_uri="https://x.example")

    assert ("canary-access", REFRESH) == (found.access_token, found.refresh_token)
    assert (timedelta(days=1), ("com.write_orders", "wh_api")) == (found.lasts, found.scopes)
    assert ("200000376735", "n-1") == (found.org_id, found.nonce)
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"refresh_token": None, "expires_in": None, "scope": "", "id_token": ""},
        {"refresh_token": 7, "expires_in": "soon", "scope": 5, "id_token": "nonsense"},
        {"expires_in": 0, "id_token": "a.b.c"},
        {"expires_in": -5, "id_token": "a.bnVsbA.c"},
        {"expires_in": 1e300, "id_token": identity(orgid="../../etc")},
        {"expires_in": "nan", "id_token": identity(orgid=None)},
    ],
)
def test_what_is_not_said_is_not_known(accounts, server, answer, said):
    """Only the access token must be there; odd values of the rest count as not said."""
    server.plays(answer.reply({"access_token": "a", **said}))

    found = accounts.refresh(REFRESH)

    assert (None, None, None, None) == (
        found.refresh_token,
        found.lasts,
        found.scopes,
        found.org_id,
    )


def test_an_identity_for_another_app_is_refused(accounts, server, answer):
    """An answer that was made for somebody else is not used."""
    server.plays(
        answer.reply({"access_token": "a", "id_token": identity(aud="another", orgid="1")})
    )

    with pytest.raises(PlatformUnavailable, match="another app"):
        accounts.exchange(CODE, redirect_uri="https://x.example")


@pytest.mark.parametrize(
    ("step", "error", "says"),
    [
        ({"status": 400, "body": {"error": "invalid_grant"}}, AccessDenied, "invalid_grant"),
        ({"status": 401, "body": {"error": "invalid_client"}}, AccessDenied, "invalid_client"),
        ({"status": 400, "body": {"error": f"Bad {CODE}"}}, AccessDenied, "HTTP 400"),
        ({"status": 400, "body": {"error": {"x": CODE}}}, AccessDenied, "HTTP 400"),
        ({"status": 403, "body": b"<html>"}, AccessDenied, "HTTP 403"),
        ({"status": 302, "Location": "https://evil.example"}, AccessDenied, "HTTP 302"),
        ({"status": 429}, PlatformUnavailable, "HTTP 429"),
        ({"status": 500, "body": CODE.encode()}, PlatformUnavailable, "HTTP 500"),
        ({"status": 200, "body": b""}, PlatformUnavailable, "empty"),
        ({"status": 200, "body": b"<html>"}, PlatformUnavailable, "not JSON"),
        ({"status": 200, "body": [CODE]}, PlatformUnavailable, "no token"),
        ({"status": 200, "body": {"access_token": ""}}, PlatformUnavailable, "no token"),
        ("hang_up", PlatformUnavailable, "no reply"),
        ("break_off", PlatformUnavailable, "broke off"),
        ("drip_body", PlatformUnavailable, "broke off"),
        ("flood", PlatformUnavailable, "larger than"),
    ],
)
def test_trouble_is_told_without_secrets(accounts, server, answer, step, error, says):
    """One request, one error; no code, secret or token is in it or in what caused it."""
    server.plays(answer.reply(**step) if isinstance(step, dict) else getattr(answer, step))

    with pytest.raises(error, match=says) as caught:
        accounts.exchange(CODE, redirect_uri="https://x.example")

    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "canary" not in shown
    assert 1 == len(server.received)


def test_a_root_that_would_leak_is_refused(clock):
    """The client secret is sent over https, or on this machine only."""
    for url in ("http://accounts.example", "ftp://127.0.0.1", "", "https://u:p@accounts.example"):
        with pytest.raises(ConfigurationError):
            HaravanAccounts(url=url, client_id="a", client_secret=SECRET, limits=SHORT, now=clock)
