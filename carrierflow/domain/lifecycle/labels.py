"""What the statuses are called in front of people; programs go by the codes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carrierflow.domain.model import START, Machine, Status


if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LABELS", "MACHINE_LABELS", "PROPOSED", "START_LABEL", "Label", "label_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """One name in the two languages of the people who read it."""

    en: str
    vi: str


LABELS: Mapping[Status, Label] = {
    Status.PENDING: Label(en="Pending", vi="Chờ xử lý"),
    Status.READYTOPICK: Label(en="Ready to pick up", vi="Chờ lấy hàng"),
    Status.PICKING: Label(en="Picking up", vi="Đang đi lấy"),
    Status.DELIVERING: Label(en="Out for delivery", vi="Đang giao hàng"),
    Status.DELIVERED: Label(en="Delivered", vi="Đã giao hàng"),
    Status.NOTMEETCUSTOMER: Label(en="Customer not met", vi="Không gặp khách"),
    Status.WAITINGFORRETURN: Label(en="Waiting for return", vi="Chờ chuyển hoàn"),
    Status.RETURN: Label(en="Returned", vi="Chuyển hoàn"),
    Status.CANCEL: Label(en="Cancelled", vi="Hủy giao hàng"),
    Status.NONE: Label(en="No COD", vi="Không"),
    # A platform shows "Chưa nhận" for the next two and for the last, so these three are ours.
    Status.CODPENDING: Label(en="COD not collected", vi="Chưa thu tiền"),
    Status.CODPAID: Label(en="COD collected, not remitted", vi="Đã thu, chưa trả shop"),
    Status.CODRECEIPT: Label(en="COD remitted", vi="Đã nhận"),
    Status.CODNOTRECEIPT: Label(en="COD not received", vi="Không nhận được"),
}
"""A name for every status; the Vietnamese ones are what sellers read, where that is distinct."""

MACHINE_LABELS: Mapping[Machine, Label] = {
    Machine.DELIVERY: Label(en="Delivery", vi="Giao hàng"),
    Machine.COD: Label(en="Cash on delivery", vi="Thu hộ (COD)"),
}

START_LABEL = Label(en="Start", vi="Bắt đầu")

PROPOSED = Label(en="proposed", vi="chờ duyệt")
"""What a decision is called that waits for somebody's approval."""


def label_of(place: str) -> Label:
    """Return the name of a status, or of the start that no fulfillment stands on.

    Raises:
        ValueError: for any other word.
    """
    return START_LABEL if place == START else LABELS[Status(place)]
