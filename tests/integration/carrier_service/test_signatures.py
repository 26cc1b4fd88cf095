import base64
import subprocess

import pytest

from carrierflow.carrier_service import Call, Request, route_of
from carrierflow.platforms.haravan import sign

from .conftest import SECRET, envelope, signed


SIGNED = [call for call in Call if call not in {Call.INSTALL, Call.INSTALLED}]
BODIES = (
    b"{}",
    '{"name":"Nguyễn Thị Bưởi","address1":"12 Phố Huế, Hà Nội ☕"}'.encode(),
    b'{"note":"\\u0110\\u1ed3ng"}\r\n ',
    b"\xff\xfe\x00 no text at all",
    b"",
)


def by_openssl(body, secret=SECRET):
    """Return the signature as OpenSSL computes it."""
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
    digest = subprocess.run(command, input=body, capture_output=True, check=True).stdout
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize("body", BODIES)
def test_signatures_are_those_that_openssl_computes(body):
    """An independent program signs the exact bytes, non-ASCII text included, the same way."""
    assert by_openssl(body) == sign(body, SECRET)


def test_what_openssl_signed_is_answered(service, courier):
    """A body with Vietnamese text, signed by OpenSSL, is read to the letter."""
    body = '{"destination":{"name":"Nguyễn Thị Bưởi"}}'.encode()
    header = {"X-Haravan-Hmac-SHA256": by_openssl(body)}

    reply = service.answer(Request(method="POST", path="/sms/rates", headers=header, body=body))

    assert not envelope(reply)["error"]
    assert "Nguyễn Thị Bưởi" == courier.asked[0].destination.name


@pytest.mark.parametrize(
    "spelling",
    [
        "X-Haravan-Hmac-SHA256",
        "x-haravan-hmac-sha256",
        "X-Haravan-Hmacsha256",
        "X-Haravan-HmacSha256",
        "X-HARAVAN-HMAC-SHA256",
    ],
)
@pytest.mark.parametrize("path", ["/sms/rates", "/webhooks"])
def test_the_header_s_spelling_does_not_count(service, spelling, path):
    """Haravan's pages spell the header in several ways; all of them are read."""
    request = Request(method="POST", path=path, headers={spelling: sign(b"{}", SECRET)}, body=b"{}")

    assert 200 == service.answer(request).status


def broken(signature):
    """Return what a signature must not be."""
    return [None, "", signature[:-1], signature[:20], signature.swapcase(), signature + "=", "é"]


@pytest.mark.parametrize("call", SIGNED)
@pytest.mark.parametrize("number", range(7))
def test_without_a_signature_nothing_is_read_or_kept(app, service, courier, call, number):
    """Whoever cannot sign is told no more than that, and leaves a counter behind."""
    route, body = route_of(call), b'{"tracking_number":"CF-1"}'
    given = broken(sign(body, SECRET))[number]
    headers = {} if given is None else {"X-Haravan-Hmac-SHA256": given}
    method = route.methods[-1]

    reply = service.answer(
        Request(method=method, path=route.path("sms"), headers=headers, body=body)
    )

    assert 401 == reply.status
    assert envelope(reply)["error"]
    assert [] == courier.asked
    assert {(("call", call), ("result", "unsigned")): 1} == app.counters.counts("callbacks")
    with app.store.reading() as connection:
        assert 0 == connection.exec_driver_sql("SELECT count(*) FROM carrierflow_webhooks").scalar()


def test_a_signature_of_other_bytes_does_not_hold(service):
    """One byte more, and the signature is of something else."""
    request = signed("POST", "/sms/rates", b"{} ")
    other = Request(method="POST", path="/sms/rates", headers=request.headers, body=b"{}")

    assert 401 == service.answer(other).status


def test_two_secrets_hold_during_a_rotation(sqlite_engine, make_app, courier):
    """What bears the previous secret still counts; what bears neither does not."""
    app = make_app(sqlite_engine, client_secret="new", client_secret_previous=SECRET)
    app.shops.add("sms", token="t", base_url="http://127.0.0.1")
    service = app.carrier_service(courier)

    answers = [
        service.answer(signed("POST", "/sms/rates", {}, secret=secret)).status
        for secret in ("new", SECRET, "other", "")
    ]

    assert [200, 200, 401, 401] == answers


def test_a_hand_made_webhook_s_secret_opens_webhooks_only(sqlite_engine, make_app, courier):
    """The secret under a shop's notification settings signs webhooks, and no callback."""
    app = make_app(sqlite_engine, webhook_secret="hand-made")
    app.shops.add("sms", token="t", base_url="http://127.0.0.1")
    service = app.carrier_service(courier)

    webhook = service.answer(signed("POST", "/webhooks", {}, secret="hand-made"))
    callback = service.answer(signed("POST", "/sms/rates", {}, secret="hand-made"))

    assert [200, 401] == [webhook.status, callback.status]
