"""The states of a Sapo fulfillment, the actions between them, and the words printed for them.

The transitions are those of the seed's samples and texts; that a parcel is `cancelling` between a
cancel after shipping and its coming back is what integrators saw.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "BEFORE_CANCELLATION",
    "LIVE",
    "SHIPPED",
    "STATUS_WORDS",
    "TRANSITIONS",
    "SapoAction",
    "SapoState",
]


class SapoState(StrEnum):
    """Where a parcel is; the values are the words of `composite_fulfillment_status`."""

    PACKED = "packed"
    FULFILLED = "fulfilled"
    RETRY_DELIVERY = "retry_delivery"  # set by Sapo's own link to a carrier, by no action
    RECEIVED = "received"
    PACKED_CANCELLED = "packed_cancelled"
    FULFILLED_CANCELLING = "fulfilled_cancelling"
    FULFILLED_CANCELLED = "fulfilled_cancelled"


class SapoAction(StrEnum):
    """What can be done to a parcel; the values are the last segments of the calls' paths."""

    SHIP = "ship"
    RECEIVE = "receive"
    CANCEL = "cancel"
    TAKE_BACK = "receive_after_cancellation"


TRANSITIONS: Mapping[tuple[SapoState, SapoAction], SapoState] = {
    (SapoState.PACKED, SapoAction.SHIP): SapoState.FULFILLED,
    (SapoState.FULFILLED, SapoAction.RECEIVE): SapoState.RECEIVED,
    (SapoState.RETRY_DELIVERY, SapoAction.RECEIVE): SapoState.RECEIVED,
    (SapoState.PACKED, SapoAction.CANCEL): SapoState.PACKED_CANCELLED,
    (SapoState.FULFILLED, SapoAction.CANCEL): SapoState.FULFILLED_CANCELLING,
    (SapoState.RETRY_DELIVERY, SapoAction.CANCEL): SapoState.FULFILLED_CANCELLING,
    (SapoState.FULFILLED_CANCELLING, SapoAction.TAKE_BACK): SapoState.FULFILLED_CANCELLED,
}

STATUS_WORDS: Mapping[SapoState, str] = {
    SapoState.PACKED: "packed",
    SapoState.FULFILLED: "fulfilled",
    SapoState.RETRY_DELIVERY: "fulfilled",
    SapoState.RECEIVED: "received",
    SapoState.PACKED_CANCELLED: "cancelled",
    SapoState.FULFILLED_CANCELLING: "cancelling",
    SapoState.FULFILLED_CANCELLED: "cancelled",
}

BEFORE_CANCELLATION: Mapping[SapoState, str] = {
    SapoState.PACKED_CANCELLED: "packed",
    SapoState.FULFILLED_CANCELLING: "fulfilled",
    SapoState.FULFILLED_CANCELLED: "fulfilled",
}

SHIPPED = frozenset({SapoState.FULFILLED, SapoState.RETRY_DELIVERY, SapoState.RECEIVED})
LIVE = SHIPPED | {SapoState.PACKED}
