"""What is sealed opens in its own place only, and only with a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.errors import ConfigurationError, MissingSecretKey, WrongSecretKey
from carrierflow.storage.encryption import KeyRing, generate_key


@given(secret=st.binary(max_size=300), context=st.text(max_size=40))
def test_what_is_sealed_opens_under_its_context(secret, context):
    """Any bytes come back under the same context, and the ciphertext does not hold them."""
    ring = KeyRing(generate_key())

    sealed = ring.encrypt(secret, context=context)

    assert secret == ring.decrypt(sealed, context=context)
    assert len(secret) < 8 or secret not in sealed


def test_a_token_copied_to_another_shop_does_not_open():
    """The shop is authenticated with the ciphertext."""
    ring = KeyRing(generate_key())
    sealed = ring.encrypt(b"token", context="token of shop a")

    with pytest.raises(WrongSecretKey):
        ring.decrypt(sealed, context="token of shop b")


@pytest.mark.parametrize("index", [0, 5, 14, -1])
def test_a_changed_byte_does_not_open(index):
    """A ciphertext that was touched anywhere is refused, not decrypted to something else."""
    ring = KeyRing(generate_key())
    sealed = bytearray(ring.encrypt(b"token", context="c"))
    sealed[index] ^= 1

    with pytest.raises(WrongSecretKey):
        ring.decrypt(bytes(sealed), context="c")


def test_the_first_key_seals_and_all_open():
    """After a rotation the new key seals, and the previous one still opens."""
    old, new = generate_key(), generate_key()
    sealed = KeyRing(old).encrypt(b"token", context="c")
    both = KeyRing(new, old)

    assert b"token" == both.decrypt(sealed, context="c")
    assert b"token" == KeyRing(new).decrypt(both.encrypt(b"token", context="c"), context="c")


def test_without_a_key_nothing_is_sealed():
    """A missing key is said, not replaced by a default."""
    with pytest.raises(MissingSecretKey):
        KeyRing("", "").encrypt(b"token", context="c")


@pytest.mark.parametrize("key", ["short", "not base64 at all!", "QUJD"])
def test_a_key_that_is_none_is_refused(key):
    """A key of another form or length is a configuration error that does not repeat it."""
    with pytest.raises(ConfigurationError) as error:
        KeyRing(key)

    assert key not in str(error.value)
