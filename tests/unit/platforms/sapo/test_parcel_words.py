from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import RemoteWord, Status
from carrierflow.platforms.sapo.parcel_words import (
    CASH_WORDS,
    PLAIN_WORDS,
    cash_word,
    parcel_word,
)


S = Status
KNOWN = {*PLAIN_WORDS, "cancelled", "cancelling"}


def word(status, before=None, *, back=False, composite=None):
    """Return how a fulfillment is."""
    return parcel_word(status, before=before, is_back=back, composite=composite)


@pytest.mark.parametrize(
    ("status", "before", "back", "expected"),
    [
        ("packed", None, False, S.READYTOPICK),
        ("fulfilled", None, False, S.DELIVERING),
        ("shipped", None, False, S.DELIVERING),
        ("retry_delivery", None, False, S.DELIVERING),
        ("received", None, False, S.DELIVERED),
        ("cancelling", None, False, S.WAITINGFORRETURN),
        ("cancelling", "fulfilled", False, S.WAITINGFORRETURN),
        ("cancelled", "fulfilled", False, S.WAITINGFORRETURN),
        ("cancelled", "shipped", False, S.WAITINGFORRETURN),
        ("cancelled", "fulfilled", True, S.RETURN),
        ("cancelled", "retry_delivery", True, S.RETURN),
        ("cancelled", "packed", True, S.CANCEL),
        ("cancelled", "packed", False, S.CANCEL),
    ],
)
def test_every_state_is_derived_from_the_plain_fields(status, before, back, expected):
    """The status, what it was before a cancel, and whether the goods are back say how it is."""
    assert expected is word(status, before, back=back).status


@pytest.mark.parametrize("composite", ["packed", "received", "fulfilled_cancelled", "wait_for_cod"])
def test_the_composite_decides_nothing(composite):
    """Whatever the composite says, the plain fields say how a parcel is."""
    assert RemoteWord(raw="fulfilled", status=S.DELIVERING) == word(
        "fulfilled", composite=composite
    )


def test_a_second_try_is_shown_by_the_composite_alone():
    """A shipped parcel that is tried again is still on its way, and is told by that word."""
    assert RemoteWord(raw="retry_delivery", status=S.DELIVERING) == word(
        "fulfilled", composite="retry_delivery"
    )
    for status in ("packed", "received"):
        assert status == word(status, composite="retry_delivery").raw


@pytest.mark.parametrize(
    ("status", "before", "back", "raw"),
    [
        ("", None, False, ""),
        ("Packed", None, False, "Packed"),
        ("returned", None, False, "returned"),
        ("fulfilled_cancelled", None, True, "fulfilled_cancelled"),
        ("cancelled", None, False, "cancelled"),
        ("cancelled", None, True, "cancelled"),
        ("cancelled", "received", False, "cancelled from received"),
        ("cancelled", "draft", True, "cancelled from draft"),
        ("cancelling", "fulfilled", True, "cancelling"),
    ],
)
def test_what_is_not_clear_is_unknown(status, before, back, raw):
    """Other words, other ways to a cancel, and a contradiction have no status, and are kept."""
    assert RemoteWord(raw=raw, status=None) == word(status, before, back=back)


@given(st.text().filter(lambda text: text not in KNOWN), st.booleans(), st.none() | st.text())
def test_no_other_word_is_guessed(status, back, composite):
    """A word that is in no table never has a status, whatever stands beside it."""
    found = word(status, back=back, composite=composite)
    assert found.status is None
    assert len(found.raw) <= 64


@pytest.mark.parametrize("payment", ["unpaid", "paid", "partial", ""])
@pytest.mark.parametrize("amount", [None, 0])
def test_without_cash_there_is_nothing_to_pay(payment, amount):
    """Where nothing is to be collected, what was paid for the goods is no cash of ours."""
    assert RemoteWord(raw="", status=S.NONE) == cash_word(payment, amount=amount)


@pytest.mark.parametrize(
    ("payment", "expected"),
    [("unpaid", S.CODPENDING), ("paid", S.CODPAID), ("partial", None), ("", None), ("PAID", None)],
)
def test_cash_is_pending_until_it_is_paid(payment, expected):
    """With cash to collect, the payment's word says how it is, and no other word is guessed."""
    assert RemoteWord(raw=payment, status=expected) == cash_word(payment, amount=250_000)


@given(st.text().filter(lambda text: text not in CASH_WORDS), st.integers(min_value=1))
def test_no_other_payment_is_guessed(payment, amount):
    """A payment's word that is in no table never has a status."""
    assert cash_word(payment, amount=amount).status is None
