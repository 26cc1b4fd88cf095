"""What every platform must keep, as promises that are tried against its sandbox.

The author of a platform writes one `PlatformUnderTest` and tries each of `PROMISES` on it:

    @pytest.mark.parametrize("promise", PROMISES, ids=str)
    def test_contract(promise, tmp_path):
        promise.keep(AcmeUnderTest, tmp_path)

A promise that is broken is an `AssertionError` with a sentence. No test runner is needed.
"""

from __future__ import annotations

from carrierflow.testing.contract import (
    agreement_promises,
    budget_promises,
    list_promises,
    network_promises,
    profile_promises,
    read_promises,
    secret_promises,
    state_promises,
    unknown_word_promises,
    write_promises,
)
from carrierflow.testing.contract.promise import Promise, promises_in
from carrierflow.testing.contract.under_test import PlatformUnderTest


__all__ = ["PROMISES", "PlatformUnderTest", "Promise"]

PROMISES: tuple[Promise, ...] = tuple(
    promise
    for module in (
        profile_promises,
        state_promises,
        unknown_word_promises,
        read_promises,
        write_promises,
        list_promises,
        budget_promises,
        secret_promises,
        agreement_promises,
        network_promises,
    )
    for promise in promises_in(module)
)
"""All of them, in the order in which a new platform comes to keep them."""
