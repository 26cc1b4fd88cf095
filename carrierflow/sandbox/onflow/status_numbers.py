"""The stages of a B2C shipment, and the numbers and labels by which Onflow prints them.

Documented are two numbers, 300 and 500, with their Vietnamese labels, and the names NEW and
HANDOVER. Every other number and label here is invented: the manual shows its table as a picture.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["OnflowLanguage", "OnflowNumbers", "OnflowStage", "label"]


class OnflowLanguage(StrEnum):
    """In which of the two languages a label is printed."""

    VIETNAMESE = "vi"
    ENGLISH = "en"

    @classmethod
    def wanted(cls, accept_language: str) -> OnflowLanguage:
        """Return Vietnamese for whoever asks for it first, and English for everybody else."""
        is_vietnamese = accept_language.strip().lower().startswith(cls.VIETNAMESE)
        return cls.VIETNAMESE if is_vietnamese else cls.ENGLISH


class OnflowStage(StrEnum):
    """How far the warehouse has got; picked means taken from the shelf, not by a carrier."""

    NEW = "new"
    PICKED = "picked"
    PACKED = "packed"
    HANDOVER = "handover"
    CANCELLED_BEFORE_PACKING = "cancelled_before_packing"
    CANCELLED_AFTER_PACKING = "cancelled_after_packing"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowNumbers:
    """The number of each stage; all but 300 and 500 are invented and may be replaced.

    Raises:
        ValueError: if two stages share a number.
    """

    new: int = 100
    picked: int = 200
    packed: int = 250
    handover: int = 300
    cancelled_before_packing: int = 450
    cancelled_after_packing: int = 500

    def __post_init__(self) -> None:
        if len(set(asdict(self).values())) != len(OnflowStage):
            raise ValueError("Two stages cannot have the same number.")

    def of(self, stage: OnflowStage) -> int:
        """Return the number of a stage."""
        return int(getattr(self, stage.value))


_VIETNAMESE: Mapping[OnflowStage, str] = {
    OnflowStage.NEW: "Mới",
    OnflowStage.PICKED: "Đã nhặt hàng",
    OnflowStage.PACKED: "Đã đóng gói",
    OnflowStage.HANDOVER: "Đã bàn giao",
    OnflowStage.CANCELLED_BEFORE_PACKING: "Đã hủy trước đóng gói",
    OnflowStage.CANCELLED_AFTER_PACKING: "Đã hủy sau đóng gói",
}
_ENGLISH: Mapping[OnflowStage, str] = {
    OnflowStage.NEW: "New",
    OnflowStage.PICKED: "Picked",
    OnflowStage.PACKED: "Packed",
    OnflowStage.HANDOVER: "Handed over",
    OnflowStage.CANCELLED_BEFORE_PACKING: "Cancelled before packing",
    OnflowStage.CANCELLED_AFTER_PACKING: "Cancelled after packing",
}


def label(stage: OnflowStage, language: OnflowLanguage) -> str:
    """Return what a person reads for a stage."""
    return (_VIETNAMESE if language is OnflowLanguage.VIETNAMESE else _ENGLISH)[stage]
