"""Haravan's words for the two statuses of a fulfillment, in all their spellings.

Codes, path segments and date fields are those of the Fulfillment API reference; the words of the
callbacks are those that carriers in production answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "BY_CODE",
    "BY_SEGMENT",
    "BY_WORD",
    "CANCEL",
    "DATE_FIELDS",
    "DELIVERED",
    "StatusMachine",
    "StatusWord",
    "name_of",
    "status_of",
]


class StatusMachine(StrEnum):
    """The two independent statuses that one fulfillment carries."""

    DELIVERY = "delivery"
    COD = "cod"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWord:
    """One status with every spelling that Haravan has for it."""

    machine: StatusMachine
    code: str
    word: str
    name: str
    segment: str | None = None
    date_field: str | None = None


def _status(
    machine: StatusMachine,
    code: str,
    word: str,
    name: str,
    segment: str | None,
    date_field: str | None,
) -> StatusWord:
    return StatusWord(
        machine=machine,
        code=code,
        word=word,
        name=name,
        segment=segment,
        date_field=date_field,
    )


_delivery = partial(_status, StatusMachine.DELIVERY)
_cod = partial(_status, StatusMachine.COD)

DELIVERED = "delivered"
CANCEL = "cancel"

# `cod_pending_date` is null in every documented example, even while the code is codpending: nothing
# stamps it. The COD names are ambiguous, as in production: three codes share one of them.
_STATUSES = (
    _delivery("pending", "Pending", "Chờ xử lý", None, None),
    _delivery("readytopick", "ReadyToPick", "Chờ lấy hàng", None, "ready_to_pick_date"),
    _delivery("picking", "Picking", "Đang đi lấy", "picking", "picking_date"),
    _delivery("delivering", "Delivering", "Đang giao hàng", "delivering", "delivering_date"),
    _delivery(DELIVERED, "Delivered", "Đã giao hàng", "delivered", "delivered_date"),
    _delivery(
        "notmeetcustomer",
        "NotMeetCustomer",
        "Không gặp khách",
        "not_meet_customer",
        "not_meet_customer_date",
    ),
    _delivery(
        "waitingforreturn",
        "WaitingForReturn",
        "Chờ chuyển hoàn",
        "waiting_for_return",
        "waiting_for_return_date",
    ),
    _delivery("return", "Return", "Chuyển hoàn", "return", "return_date"),
    _delivery(CANCEL, "Cancel", "Hủy giao hàng", "cancel", "cancel_date"),
    _cod("none", "None", "Không", None, None),
    _cod("codpending", "CODPending", "Chưa nhận", None, None),
    _cod("codpaid", "CODPaid", "Chưa nhận", "paid", "cod_paid_date"),
    _cod("codreceipt", "CODReceipt", "Đã nhận", "receipt", "cod_receipt_date"),
    _cod("codnotreceipt", "CODNotReceipt", "Chưa nhận", "not_receipt", "cod_not_receipt_date"),
)

BY_CODE: Mapping[tuple[StatusMachine, str], StatusWord] = MappingProxyType(
    {(status.machine, status.code): status for status in _STATUSES}
)
BY_SEGMENT: Mapping[tuple[StatusMachine, str], StatusWord] = MappingProxyType(
    {(status.machine, status.segment): status for status in _STATUSES if status.segment}
)

# The tutorial's demo writes `CODpaid` and production code `CODPaid`, so case is taken not to count.
BY_WORD: Mapping[tuple[StatusMachine, str], StatusWord] = MappingProxyType(
    {(status.machine, status.word.lower()): status for status in _STATUSES}
)

# In the order in which every reply prints them.
DATE_FIELDS = (
    "ready_to_pick_date",
    "picking_date",
    "delivering_date",
    "delivered_date",
    "return_date",
    "not_meet_customer_date",
    "waiting_for_return_date",
    "cod_paid_date",
    "cod_receipt_date",
    "cod_pending_date",
    "cod_not_receipt_date",
    "cancel_date",
)


def name_of(machine: StatusMachine, code: str) -> str:
    """Return the Vietnamese name; a word that Haravan does not know stands for itself."""
    status = BY_CODE.get((machine, code))
    return status.name if status else code


def status_of(machine: StatusMachine, code: str) -> StatusWord:
    """Return the known status of a code, or one for a word nobody knows, which stamps no date."""
    known = BY_CODE.get((machine, code))
    return known or StatusWord(machine=machine, code=code, word=code, name=code)
