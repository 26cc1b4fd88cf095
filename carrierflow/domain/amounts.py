"""Two amounts of cash for one parcel: what is said of them, whoever met them."""

from __future__ import annotations

from collections.abc import Mapping


__all__ = ["AMOUNTS_DIFFER", "differing_amounts"]

AMOUNTS_DIFFER = "cod_amount_differs"
"""The kind of incident that they are."""


def differing_amounts(*, ledger: int, platform: int) -> tuple[str, Mapping[str, int]]:
    """Return what is told of two amounts, in whole đồng, and the evidence of it."""
    sentence = f"The platform has {platform} đ to be collected, and the ledger {ledger}."
    return sentence, {"ledger": ledger, "platform": platform}
