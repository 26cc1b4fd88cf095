"""Sapo's words for a fulfillment and its cash, and our statuses: tables, and what they weigh.

A fulfillment says how it is in two ways. `status` and the fields beside it are in every answer
printed in Sapo's order API document; `composite_fulfillment_status`, which says the same in one
word, is null in the answers to actions. So the plain fields decide. The composite adds one word
that they lack: `retry_delivery`, which only a read shows. `cancelling` and `retry_delivery` are
known from integrations, all else is printed.
"""

from __future__ import annotations

from collections.abc import Mapping

from carrierflow.domain.limits import WORD, cut
from carrierflow.domain.model import RemoteWord, Status


__all__ = ["CASH_WORDS", "PLAIN_WORDS", "cash_word", "parcel_word"]

PLAIN_WORDS: Mapping[str, Status] = {
    "packed": Status.READYTOPICK,
    "fulfilled": Status.DELIVERING,
    "shipped": Status.DELIVERING,
    "retry_delivery": Status.DELIVERING,
    "received": Status.DELIVERED,
}
"""What `status` may say of a fulfillment that nobody cancelled."""

CASH_WORDS: Mapping[str, Status] = {"unpaid": Status.CODPENDING, "paid": Status.CODPAID}
"""What `payment_status` may say of a fulfillment with cash to collect."""

_CANCELLED, _CANCELLING, _RETRY = "cancelled", "cancelling", "retry_delivery"
_NO_CASH = RemoteWord(raw="", status=Status.NONE)


def parcel_word(
    status: str, *, before: str | None, is_back: bool, composite: str | None
) -> RemoteWord:
    """Return how a fulfillment is, with our status, or with none where that is not clear.

    Args:
        status: its `status`.
        before: its `status_before_cancellation`, which only a cancelled one has.
        is_back: whether `receive_cancellation_on` says that the goods were taken back.
        composite: its `composite_fulfillment_status` in the answer to a read.
    """
    if status == _CANCELLED:
        raw = status if before is None else f"{status} from {before}"
        return RemoteWord(raw=cut(raw, WORD), status=_cancelled_from(before, is_back=is_back))
    if status == _CANCELLING:
        # Goods that are back and are still waited for are a contradiction.
        return RemoteWord(raw=status, status=None if is_back else Status.WAITINGFORRETURN)
    known = PLAIN_WORDS.get(status)
    if known is Status.DELIVERING and composite == _RETRY:
        return RemoteWord(raw=_RETRY, status=known)
    return RemoteWord(raw=cut(status, WORD), status=known)


def cash_word(payment_status: str, *, amount: int | None) -> RemoteWord:
    """Return how the cash of a fulfillment is; there is none where there is nothing to collect.

    Its payments are never compared with the cash: what `receive` pays is the total of the goods.
    """
    if not amount:
        return _NO_CASH
    return RemoteWord(raw=cut(payment_status, WORD), status=CASH_WORDS.get(payment_status))


def _cancelled_from(before: str | None, *, is_back: bool) -> Status | None:
    """Return what a cancel led to: at once to the end from packed, else to the way back.

    A fulfillment that was cancelled when it was packed is dated as taken back at that moment.
    """
    left = PLAIN_WORDS.get(before or "")
    if left is Status.READYTOPICK:
        return Status.CANCEL
    if left is Status.DELIVERING:
        return Status.RETURN if is_back else Status.WAITINGFORRETURN
    return None
