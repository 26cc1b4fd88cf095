from __future__ import annotations

import os
import ssl
import subprocess
import sys
from datetime import timedelta

import pytest
import requests
from loopback_tls import write_certificate

from carrierflow.domain.model import Status
from carrierflow.errors import NotSent, OutcomeUnknown
from carrierflow.platforms.haravan import HttpLimits

from .conftest import PICK


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory):
    """A file with a key and a certificate that vouches for itself."""
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    write_certificate(path)
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


@pytest.fixture(name="bundles_read")
def _bundles_read(monkeypatch):
    """Each time that certificates are read into a context, from here on."""
    read, found = ssl.SSLContext.load_verify_locations, []

    def load_verify_locations(self, *args, **kwargs):
        found.append(self)
        return read(self, *args, **kwargs)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load_verify_locations)
    return found


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


@pytest.mark.usefixtures("trusted")
def test_all_shops_share_one_context(
    server, answer, make_platform, secure_url, payload, ref, soon, bundles_read
):
    """The CA bundle is read once in a process, not once for each shop and each run."""
    server.plays(*[answer.reply(payload("fulfillment_put_picking"))] * 5)
    for shop in range(5):
        platform = make_platform(shop=f"s{shop}", base_url=secure_url)
        platform.write(ref, PICK, not_later_than=soon)

    assert 5 == server.connections
    assert 1 == len(bundles_read)


@pytest.mark.usefixtures("trusted")
def test_a_renewed_bundle_is_read_again(
    server, answer, make_platform, secure_url, payload, ref, soon, bundles_read, certificate
):
    """A service that runs for months trusts whom its bundle names today."""
    server.plays(*[answer.reply(payload("fulfillment_put_picking"))] * 2)
    for moment in (1, 2):
        os.utime(certificate, (moment, moment))
        make_platform(base_url=secure_url).write(ref, PICK, not_later_than=soon)

    assert 2 == len(bundles_read)


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name(server, make_platform, secure_url, ref, soon):
    """The shared context asks each server for a certificate in its own name."""
    elsewhere = secure_url.replace("127.0.0.1", "localhost")
    with pytest.raises(NotSent, match="SSLCertVerificationError"):
        make_platform(base_url=elsewhere).write(ref, PICK, not_later_than=soon)
    assert [] == server.received


FORKED = """
import os, sys
from carrierflow.platforms.http.tls import trusting
ours = trusting(sys.argv[1], None)
assert trusting(sys.argv[1], None) is ours
if (child := os.fork()) == 0:
    os._exit(trusting(sys.argv[1], None) is ours)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_child_makes_its_own_context(certificate):
    """Another thread may have held a lock in the parent's at the moment of the fork."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED, certificate], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
