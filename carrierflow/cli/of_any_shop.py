"""What is said of one shop, as it would be said of any other."""

from __future__ import annotations

import re


__all__ = ["of_any_shop"]


def of_any_shop(sentence: str | None, shop: str) -> str:
    """Return a sentence without a shop's code; letters within its words are left alone."""
    if not shop:
        return sentence or ""
    return re.sub(rf"(?<![\w-]){re.escape(shop)}(?![\w-])", "…", sentence or "")
