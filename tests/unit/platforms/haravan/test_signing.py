from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.cleaning import cleaned
from carrierflow.platforms.haravan import is_signed, sign


def test_a_signature_from_elsewhere_is_known():
    """The signature is what OpenSSL prints for the same bytes and key."""
    # printf '{"a":1}' | openssl dgst -sha256 -hmac secret -binary | base64
    assert is_signed(b'{"a":1}', "qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ=", secrets=["secret"])


SECRETS = st.text(st.characters(codec="utf-8")).map(cleaned).filter(bool)


@given(body=st.binary(), secret=SECRETS)
def test_what_is_signed_is_verified(body, secret):
    """What one of several secrets signed is verified, in whatever order they stand."""
    signature = sign(body, secret)
    assert is_signed(body, signature, secrets=[secret])
    assert is_signed(body, signature, secrets=["another", secret])
    assert is_signed(body, f" {signature}\n", secrets=[secret, "another"])


@given(body=st.binary(), other=st.binary())
def test_other_bytes_are_not(body, other):
    """A signature is good for exactly the bytes that were signed."""
    assert (body == other) == is_signed(other, sign(body, "secret"), secrets=["secret"])


def test_what_never_counts_as_signed():
    """No signature, a strange one, no secret and an empty secret all fail."""
    assert not is_signed(b"x", None, secrets=["secret"])
    assert not is_signed(b"x", "", secrets=["secret"])
    assert not is_signed(b"x", "không phải chữ ký", secrets=["secret"])
    assert not is_signed(b"x", sign(b"x", "secret"), secrets=[])
    assert not is_signed(b"x", sign(b"x", ""), secrets=[""])
