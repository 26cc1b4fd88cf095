"""A shipment that leaves the warehouse and a return that comes back, as values.

A shipment keeps no status: its stage is what its times say, so that a look at an earlier moment is
the same shipment without the times that came later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from carrierflow.sandbox.onflow.status_numbers import OnflowStage


__all__ = ["OnflowReturn", "OnflowShipment"]

_TIMES = ("picked_at", "packed_at", "handed_over_at", "cancelled_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowShipment:
    """One B2C shipment of one account; times are ticks.

    `updated_at` is moved by every stage, and in the documented sample by something later still.
    """

    account: str
    tracking_code: str
    created_at: int
    updated_at: int
    warehouse_code: str = "ONF_WH_HN_LB"
    platform: str = "lazada"
    reference: str = ""
    courier_tracking_code: str | None = None
    picked_at: int | None = None
    packed_at: int | None = None
    handed_over_at: int | None = None
    cancelled_at: int | None = None

    @property
    def stage(self) -> OnflowStage:
        """The last stage that has a time."""
        if self.cancelled_at is not None and self.packed_at is not None:
            return OnflowStage.CANCELLED_AFTER_PACKING
        if self.cancelled_at is not None:
            return OnflowStage.CANCELLED_BEFORE_PACKING
        if self.handed_over_at is not None:
            return OnflowStage.HANDOVER
        if self.packed_at is not None:
            return OnflowStage.PACKED
        return OnflowStage.NEW if self.picked_at is None else OnflowStage.PICKED

    @property
    def is_cancelled(self) -> bool:
        """Whether the shipment was cancelled, before or after packing."""
        return self.cancelled_at is not None

    @property
    def moved_at(self) -> int:
        """When the shipment reached its stage."""
        return max(self.created_at, *(getattr(self, name) or 0 for name in _TIMES))

    def as_of(self, moment: int | None) -> OnflowShipment | None:
        """Return the shipment as it was at a moment, or None if there was none yet."""
        if moment is None:
            return self
        if self.created_at > moment:
            return None
        later: dict[str, Any] = {
            name: None for name in _TIMES if (getattr(self, name) or 0) > moment
        }
        earlier = replace(self, **later)
        is_unchanged = self.updated_at <= moment
        return replace(earlier, updated_at=self.updated_at if is_unchanged else earlier.moved_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowReturn:
    """One B2C return: an object of its own, with numbers of its own.

    Documented is one number, 350, with its Vietnamese label; the other one is invented.
    """

    account: str
    tracking_code: str
    shipment_tracking_code: str
    updated_at: int
    value: int = 350
    vietnamese: str = "Hoàn hàng có vấn đề"
    english: str = "Return with a problem"
    warehouse_code: str = "ONF_WH_HN_LB"
    reference: str | None = None
    partner_tracking_code: str | None = None
    courier_tracking_code: str | None = None
