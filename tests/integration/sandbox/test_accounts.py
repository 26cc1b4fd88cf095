from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from carrierflow.sandbox.haravan import Dropped, Fault, FaultKind, HttpRequest, Rule


SCOPES = "openid offline_access grant_service com.write_orders com.read_shippings wh_api"
ADDRESS = "https://carrier.example/installed"
SECRET = {"client_id": "sandbox-app", "client_secret": "sandbox-secret"}


@pytest.fixture
def visit(haravan, world):
    """Let the shop's owner follow an authorize link, and return the reply."""

    def go(**query):
        fixed = {
            "response_type": "code",
            "client_id": "sandbox-app",
            "redirect_uri": ADDRESS,
            "scope": SCOPES,
            "state": "s-1",
        }
        asked = {name: value for name, value in (fixed | query).items() if value is not None}
        return haravan.handle(HttpRequest.of("GET", f"/connect/authorize?{urlencode(asked)}"))

    return go


@pytest.fixture
def fields_of():
    """Return the fields that a redirect takes back to the app."""
    return lambda reply: dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


@pytest.fixture
def tokens(haravan):
    """POST a form to the token endpoint, and return its status and its JSON."""

    def send(headers=None, **form):
        body = urlencode({**SECRET, **form}).encode()
        reply = haravan.handle(HttpRequest.of("POST", "/connect/token", headers or {}, body))
        return reply.status, json.loads(reply.body)

    return send


@pytest.fixture
def install(visit, fields_of, tokens):
    """Take the app through the whole flow, and return the tokens."""

    def go(**query):
        code = fields_of(visit(**query))["code"]
        status, body = tokens(grant_type="authorization_code", code=code, redirect_uri=ADDRESS)
        assert 200 == status
        return body

    return go


@pytest.fixture
def status_of(haravan):
    """Make a call with a token and return its status."""

    def send(method, path, token, body=b"{}"):
        headers = {"Authorization": f"Bearer {token}"}
        return haravan.handle(HttpRequest.of(method, path, headers, body)).status

    return send


def claims_of(token):
    """Check the signature of an id token and return what it claims."""
    signed, _, signature = token.rpartition(".")
    digest = hmac.new(b"sandbox-secret", signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == signature
    part = signed.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_consent_goes_back_with_code_and_state(visit, fields_of):
    """The browser is sent back to the app with a code and the state it came with."""
    reply = visit()

    assert (302, "s-1") == (reply.status, fields_of(reply)["state"])
    assert reply.headers["Location"].startswith(f"{ADDRESS}?code=")


def test_code_becomes_tokens_once(visit, fields_of, tokens):
    """A code is exchanged for tokens, and a second time for nothing."""
    form = {"grant_type": "authorization_code", "redirect_uri": ADDRESS}
    form["code"] = fields_of(visit())["code"]

    status, body = tokens(**form)

    assert (200, "Bearer", SCOPES) == (status, body["token_type"], body["scope"])
    assert (400, {"error": "invalid_grant"}) == tokens(**form)


def test_access_token_opens_the_shop(install, status_of):
    """The access token is good for what its scopes say, reading included where it may write."""
    token = install()["access_token"]

    asked = [
        ("GET", "/com/shop.json"),
        ("GET", "/com/orders.json"),
        ("GET", "/com/carrier_services.json"),
        ("POST", "/com/carrier_services.json"),
    ]
    assert [200, 200, 200, 403] == [status_of(*each, token) for each in asked]


def test_login_token_opens_no_orders(install, status_of):
    """A token of the login pass has no scope for the API."""
    token = install(scope="openid profile org")["access_token"]

    assert 403 == status_of("GET", "/com/orders.json", token)
    assert 403 == status_of("POST", "/api/subscribe", token)


def test_id_token_names_the_shop(install, world):
    """The id token says which shop consented, and bears the app's nonce."""
    claims = claims_of(install(nonce="n-1")["id_token"])

    assert (str(world.shop("alpha").org_id), "n-1") == (claims["orgid"], claims["nonce"])


def test_refresh_rotates(install, tokens, status_of):
    """A refresh token gives new tokens and is used up by it."""
    first = install()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    status, second = tokens(**form)

    assert 200 == status
    assert {first["refresh_token"], first["access_token"]}.isdisjoint(second.values())
    assert 200 == status_of("GET", "/com/orders.json", second["access_token"])
    assert (400, {"error": "invalid_grant"}) == tokens(**form)


def test_no_refresh_without_offline_access(install):
    """Only who asks for offline access gets a refresh token."""
    assert "refresh_token" not in install(scope="com.read_orders")


def test_tokens_run_out(install, tokens, status_of, clock):
    """An access token ends at its time; the refresh token of thirty days still works."""
    first = install()
    clock.advance(first["expires_in"] - 1)
    assert 200 == status_of("GET", "/com/orders.json", first["access_token"])
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert 200 == tokens(**form)[0]

    clock.advance(1)

    assert 401 == status_of("GET", "/com/orders.json", first["access_token"])


def test_codes_run_out(visit, fields_of, tokens, clock):
    """A code is good for five minutes."""
    code = fields_of(visit())["code"]
    clock.advance(300)

    answer = tokens(grant_type="authorization_code", code=code, redirect_uri=ADDRESS)

    assert (400, {"error": "invalid_grant"}) == answer


def test_client_may_prove_itself_by_header(visit, fields_of, haravan):
    """The client secret may come in a Basic header instead of the form."""
    form = {"grant_type": "authorization_code", "redirect_uri": ADDRESS}
    form["code"] = fields_of(visit())["code"]
    basic = base64.b64encode(b"sandbox-app:sandbox-secret").decode()
    headers = {"Authorization": f"Basic {basic}"}

    reply = haravan.handle(
        HttpRequest.of("POST", "/connect/token", headers, urlencode(form).encode())
    )

    assert 200 == reply.status


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_grant"),
    ],
)
def test_bad_token_requests_are_denied(form, error, visit, fields_of, tokens):
    """A token request that is wrong in one point gets no token, and is told why."""
    good = {"grant_type": "authorization_code", "redirect_uri": ADDRESS}
    good["code"] = fields_of(visit())["code"]

    assert (400, {"error": error}) == tokens(**{**good, **form})


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "other"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"redirect_uri": "http://carrier.example/"},
        {"orgid": "1"},
    ],
)
def test_bad_authorize_requests_go_nowhere(query, visit):
    """An authorize request that is wrong in one point is not sent back to any address."""
    reply = visit(**query)

    assert 400 == reply.status
    assert "Location" not in reply.headers


def test_several_shops_are_asked_for(visit, world, fields_of):
    """Without `orgid` a sandbox of several shops shows them; with it, it knows which one."""
    beta = world.add_shop(code="beta", token="token-beta")

    page = visit()
    assert (200, True) == (page.status, f"orgid={beta.org_id}".encode() in page.body)

    assert 302 == visit(orgid=beta.org_id).status


def test_consent_may_be_posted(visit):
    """With the mode `form_post` the code comes as a form, beside an id token if asked for."""
    page = visit(response_mode="form_post", response_type="code id_token", state='"><script>')

    assert 200 == page.status
    assert {b'name="code"', b'name="id_token"'} <= set(page.body.replace(b" value", b"\n").split())
    assert b"<script>document" in page.body
    assert b'"><script>"' not in page.body


def test_lost_token_reply_uses_the_code_up(visit, fields_of, tokens, haravan, faults):
    """Faults befall the accounts too: a lost reply has used the code up."""
    form = {"grant_type": "authorization_code", "redirect_uri": ADDRESS}
    form["code"] = fields_of(visit())["code"]
    faults.add(Rule(fault=Fault(kind=FaultKind.LOST_REPLY), path="/connect/token"))

    body = urlencode({**SECRET, **form}).encode()
    lost = haravan.handle(HttpRequest.of("POST", "/connect/token", {}, body))

    assert isinstance(lost, Dropped)
    assert (400, {"error": "invalid_grant"}) == tokens(**form)


def test_uninstall_ends_every_token(install, tokens, status_of, world):
    """After an uninstall no token opens the shop, and nothing turns into one."""
    made = install()

    world.uninstall("alpha")

    for token in ("token-alpha", made["access_token"]):
        assert 401 == status_of("GET", "/com/orders.json", token)
    form = {"grant_type": "refresh_token", "refresh_token": made["refresh_token"]}
    assert (400, {"error": "invalid_grant"}) == tokens(**form)


def test_shop_can_be_installed_again(install, status_of, world):
    """After an uninstall the owner may consent again, and the new token works."""
    world.uninstall("alpha")

    assert 200 == status_of("GET", "/com/orders.json", install()["access_token"])


def test_subscriptions_need_an_address(ask):
    """The webhook switch does nothing for an app whose dashboard has no address."""
    assert ask("POST", "/api/subscribe", {})[1]["error"] is True


def test_subscriptions_are_switched_and_listed(ask, call):
    """A shop's webhooks are switched on, listed by topic, and switched off again."""
    call("POST", "/_sandbox/app", {"webhook_url": "https://carrier.example/webhooks"})
    assert [] == ask("GET", "/api/subscribe")[1]["data"]

    assert ask("POST", "/api/subscribe", {})[1]["error"] is False
    rows = ask("GET", "/api/subscribe")[1]["data"]
    assert {"orders/updated", "app/uninstalled"} <= {row["event"] for row in rows}
    assert {"https://carrier.example/webhooks"} == {row["url"] for row in rows}

    ask("DELETE", "/api/subscribe")
    assert [] == ask("GET", "/api/subscribe")[1]["data"]


def test_shop_without_a_token_waits_for_the_install(world, install, status_of):
    """A shop that begins without the app is opened by nothing until its owner consents."""
    org_id = world.add_shop(code="new", token="").org_id
    assert 401 == status_of("GET", "/com/orders.json", "")

    token = install(orgid=org_id)["access_token"]

    assert 200 == status_of("GET", "/com/orders.json", token)
    assert world.shop_of(token).code == "new"
