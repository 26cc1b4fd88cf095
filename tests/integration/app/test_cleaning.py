"""What people paste is cleaned at the door, and what is empty then opens none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.app.assembly import dialect_from
from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.audit.log.keys import SealKey
from carrierflow.carrier_service import Request
from carrierflow.domain.cleaning import cleaned, in_force, is_token
from carrierflow.domain.urls import flaw_of_root, is_safe_url
from carrierflow.errors import ConfigurationError, InvalidInput
from carrierflow.platforms.haravan import HaravanDialect, is_signed, sign
from carrierflow.platforms.http.transport import HttpLimits, Transport
from carrierflow.storage.encryption import KeyRing, generate_key


BLANKS = st.text("\ufeff \t\r\n\x0b\x0c\xa0\u2003", max_size=4)
URLS = [
    "https://apis.haravan.com",
    "https://apis.haravan.com/",
    "  https://apis.haravan.com\r\n",
    "http://127.0.0.1:8080",
    "http://[::1]:8080/root",
    "",
    "apis.haravan.com",
    "http://apis.haravan.com",
    "ftp://apis.haravan.com",
    "https://",
    "https://user:canary-password@apis.haravan.com",
    "https://@apis.haravan.com",
    "https://apis.haravan.com:port",
    "https://apis.haravan.com:70000",
    "https://apis.haravan.com/com",
    "https://apis.haravan.com/com/",
    "https://apis.haravan.com?x=1",
    "https://apis.haravan.com#x",
    "https://apis.hara van.com",
    "https://apis.haravan.com\x01",
    "https://[apis",
]


@given(before=BLANKS, text=st.text(), after=BLANKS)
def test_what_surrounds_a_text_goes(before, text, after):
    """Blanks, line ends and a byte-order mark around a text make no other text of it."""
    assert cleaned(text) == cleaned(f"{before}{text}{after}")
    assert cleaned(text) in text


@given(secrets=st.lists(BLANKS), body=st.binary(max_size=20))
def test_an_empty_secret_lets_nobody_in(secrets, body):
    """No secret that is blank signs, challenges or seals, however it is blank."""
    dialect = HaravanDialect(secrets=secrets, webhook_secrets=secrets, verify_token="\n")

    assert () == in_force(secrets)
    for secret in (*secrets, ""):
        signature = sign(body, secret)
        request = Request(
            method="POST",
            path="/webhooks",
            headers={"X-Haravan-Hmacsha256": signature},
            query={"hub.verify_token": secret, "hub.challenge": "c", "hub.mode": "subscribe"},
            body=body,
        )
        assert not is_signed(body, signature, secrets=secrets)
        assert not dialect.is_signed(request)
        assert not dialect.is_signed_webhook(request)
        assert dialect.challenge(request) is None


@pytest.mark.parametrize("secret", ["\n", " ", "\ufeff\r\n"])
def test_a_carrier_whose_secret_is_blank_answers_nobody(secret, tmp_path):
    """Neither the callbacks nor the accounts are opened with a secret that is a line end."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/l.db", client_id="app", client_secret=secret
    )
    app = build(settings)

    with pytest.raises(ConfigurationError, match="No client secret"):
        app.carrier_service(None)
    with pytest.raises(ConfigurationError, match="No app is set"):
        app.reconciler.connect.accounts()


@given(before=BLANKS, after=BLANKS)
def test_a_secret_of_the_environment_is_the_platform_s_whatever_surrounds_it(before, after):
    """A line end behind a secret in a variable or a file keeps nobody out who has the secret."""
    settings = Settings(
        client_secret=f"{before}secret{after}", webhook_verify_token=f"{before}token{after}"
    )
    asked = Request(
        method="POST",
        path="/alpha/rates",
        headers={"X-Haravan-Hmac-SHA256": sign(b"{}", "secret")},
        query={"hub.mode": "subscribe", "hub.verify_token": "token", "hub.challenge": "c"},
        body=b"{}",
    )

    assert dialect_from(settings).is_signed(asked)
    assert "c" == dialect_from(settings).challenge(asked)


def test_a_secret_key_and_a_key_file_are_cleaned(tmp_path):
    """A key with an editor's mark before it and a line end behind is the key."""
    key, seal = generate_key(), SealKey.generate("log.example")
    file = tmp_path / "seal.key"
    seal.save(file)
    file.write_text("\ufeff \r\n" + file.read_text("utf-8") + "\r\n", "utf-8")

    sealed = KeyRing(f"\ufeff{key}\r\n", "\n").encrypt(b"x", context="c")
    assert b"x" == KeyRing(key).decrypt(sealed, context="c")
    assert seal.verifier == SealKey.load(file).verifier


@given(text=st.text(max_size=8))
def test_a_bearer_token_is_printable_ascii(text):
    """What an HTTP header could not bear is no token, and is refused before it is stored."""
    assert is_token(text) == (text != "" and all("!" <= letter <= "~" for letter in text))


@pytest.mark.parametrize("url", URLS)
def test_a_base_url_is_checked_where_it_is_added_as_where_it_is_used(url, shops):
    """A shop cannot be added under a root that its first request would refuse, nor refused one."""
    usable = True
    try:
        transport = Transport(base_url=url, token="t", limits=HttpLimits(), now=None, folder="/com")
    except ConfigurationError as error:
        usable, sentence = False, str(error)

    shops.change("alpha", base_url="https://apis.haravan.com")
    if usable:
        code = f"shop{URLS.index(url)}"
        assert transport.url == shops.add(code, token="t", base_url=url).base_url + "/com"
        assert transport.url == shops.change("alpha", base_url=url).base_url + "/com"
        return
    assert "canary-password" not in sentence
    for attempt in (
        lambda: shops.add("beta", token="t", base_url=url),
        lambda: shops.change("alpha", base_url=url),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert sentence == str(caught.value)
    assert "https://apis.haravan.com" == shops.get("alpha").base_url


def test_a_root_that_would_show_the_token_is_no_root():
    """Plain HTTP is for this machine; what is a root is safe to send a token to."""
    assert [is_safe_url(cleaned(url)) for url in URLS if flaw_of_root(cleaned(url)) is None] == (
        [True] * 5
    )


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """The shops of a ledger; `alpha` is one of them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('ledger')}/l.db"
    app = build(Settings(database_url=url, secret_key=generate_key()))
    app.upgrade()
    app.shops.add("alpha", token="t", base_url="https://apis.haravan.com")
    yield app.shops
    app.store.engine.dispose()
