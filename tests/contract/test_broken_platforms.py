"""The contract can fail: adapters with one fault each break the promise that it is about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from carrierflow import AccessDenied, NotSent, OutcomeUnknown, ReadRefused, RemoteWord, Status
from carrierflow.testing.contract import PROMISES
from carrierflow.testing.contract.wallet import Wallet

from .postbox import POSTBOX, PostboxPlatform
from .postbox_sandbox import PostboxUnderTest


class Guessing(PostboxPlatform):
    """Takes a word that it does not know for the likeliest one."""

    def fulfillment(self, ref):
        seen = super().fulfillment(ref)
        if getattr(seen, "carrier", None) and seen.carrier.status is None:
            likely = RemoteWord(raw=seen.carrier.raw, status=Status.DELIVERING)
            return replace(seen, carrier=likely)
        return seen


class Dropping(PostboxPlatform):
    """Passes over what it cannot read."""

    def orders(self, order_ids):
        return tuple(order for order in super().orders(order_ids) if not order.unreadable)


class Burying(PostboxPlatform):
    """Takes anybody's no for the end of a parcel."""

    def fulfillment(self, ref):
        try:
            return super().fulfillment(ref)
        except ReadRefused:
            return None


class Insisting(PostboxPlatform):
    """Sends a write again where a gate answered oddly."""

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except OutcomeUnknown as unknown:
            if unknown.http_status != 520:
                raise
            self.wait_for_room()
            return super().write(ref, write, not_later_than=not_later_than)


class Despairing(PostboxPlatform):
    """Takes a busy gate's word for a refusal."""

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except OutcomeUnknown as unknown:
            if unknown.http_status != 503:
                raise
            raise NotSent(unknown.reason, http_status=503) from unknown


class Confusing(PostboxPlatform):
    """Takes a token that is not accepted for an outage."""

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except AccessDenied as denied:
            raise OutcomeUnknown(denied.reason, http_status=denied.http_status) from denied


class Late(PostboxPlatform):
    """Gives itself an hour more than it has."""

    def write(self, ref, write, *, not_later_than):
        later = not_later_than + timedelta(hours=1)
        return super().write(ref, write, not_later_than=later)


class Reversing(PostboxPlatform):
    """Gives a page as people like it, the newest change first."""

    def orders_changed(self, since, *, page=1):
        return super().orders_changed(since, page=page)[::-1]


class Sneaking(PostboxPlatform):
    """Looks at single orders once more, past the shop's budget."""

    def __init__(self, link):
        super().__init__(link)
        self._past = PostboxPlatform(replace(link, budget=Wallet()))

    def order(self, order_id):
        super().order(order_id)
        found = self._past.order(order_id)
        self._past.close()
        return found


class Talking(PostboxPlatform):
    """Shows its token to whoever prints it."""

    def __repr__(self):
        return f"{type(self).__name__}({PostboxUnderTest.token})"


BROKEN = {
    Guessing: "unknown_words_have_no_status",
    Dropping: "one_bad_row_costs_one_row",
    Burying: "strangers_prove_nothing_gone",
    Insisting: "writes_are_sent_once",
    Despairing: "unclear_writes_are_unknown",
    Confusing: "denied_writes_are_told_as_such",
    Late: "late_writes_never_leave",
    Reversing: "changes_are_listed_oldest_first",
    Sneaking: "every_request_is_paid_for",
    Talking: "secrets_are_in_no_error_and_no_log",
}
"""For each fault of an adapter, the one promise that it breaks."""


def under_test(adapter):
    """Return the made-up platform with an adapter that has a fault."""
    profile = replace(POSTBOX, connect=adapter)
    return type(adapter.__name__, (PostboxUnderTest,), {"profile": profile})


def broken_by(adapter, promises, folder):
    """Return those of some promises that an adapter breaks."""
    broken = []
    for promise in promises:
        (own := folder / promise.name).mkdir()
        try:
            promise.keep(under_test(adapter), own)
        except AssertionError:
            broken.append(promise.name)
    return broken


@pytest.mark.parametrize("adapter", BROKEN)
def test_a_fault_is_found(adapter, tmp_path):
    """An adapter with the fault breaks the promise that it is about."""
    meant = [promise for promise in PROMISES if promise.name == BROKEN[adapter]]

    assert [BROKEN[adapter]] == broken_by(adapter, meant, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("adapter", BROKEN)
def test_a_fault_breaks_one_promise(adapter, tmp_path):
    """It breaks no other: what fails says where the fault is."""
    assert [BROKEN[adapter]] == broken_by(adapter, PROMISES, tmp_path)
