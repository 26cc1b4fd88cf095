from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from datetime import timedelta

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from carrierflow.domain.model import Status
from carrierflow.errors import NotSent, OutcomeUnknown
from carrierflow.platforms.haravan import HttpLimits

from .conftest import PICK


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory):
    """A file with a key and a certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    local = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(local, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture(name="secure_url")
def _secure_url(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server.url.replace("http:", "https:")


@pytest.fixture(name="trusted")
def _trusted(certificate, monkeypatch):
    adapters, context = requests.adapters, ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    # requests 2.32.0 to 2.32.4 had read that file when they were imported.
    monkeypatch.setattr(adapters, "_preloaded_ssl_context", context, raising=False)


@pytest.mark.usefixtures("trusted")
def test_a_status_is_told_over_tls(server, answer, make_platform, secure_url, payload, ref, soon):
    """Over TLS a PUT is sent and its reply read, again and again on one connection."""
    server.plays(*[answer.reply(payload("fulfillment_put_picking"))] * 2)
    platform = make_platform(base_url=secure_url)
    for _ in range(2):
        seen = platform.write(ref, PICK, not_later_than=soon)
        assert Status.PICKING == seen.carrier.status
    assert 1 == server.connections


@pytest.mark.usefixtures("trusted")
def test_a_handshake_may_take_too_long(server, make_platform, secure_url, ref, soon, clock):
    """A deadline that passes during the handshake stops the PUT before its first byte."""
    clock.step = timedelta(seconds=1.5)
    with pytest.raises(NotSent, match="had passed"):
        make_platform(base_url=secure_url).write(ref, PICK, not_later_than=soon)
    assert (1, []) == (server.connections, server.received)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("step", ["hang_up", "drip_body", "drip_headers", "stay_silent"])
def test_trouble_over_tls(server, answer, make_platform, secure_url, ref, soon, step):
    """Trouble after the handshake leaves the outcome unknown, within the time limit."""
    server.plays(getattr(answer, step))
    platform = make_platform(base_url=secure_url, limits=HttpLimits(request_timeout=0.2))
    with pytest.raises(OutcomeUnknown):
        platform.write(ref, PICK, not_later_than=soon)
    assert 1 == len(server.received)


def test_a_certificate_that_nobody_vouches_for(server, make_platform, secure_url, ref, soon):
    """A platform that cannot prove who it is gets neither the token nor the request."""
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        make_platform(base_url=secure_url).write(ref, PICK, not_later_than=soon)
    assert [] == server.received
