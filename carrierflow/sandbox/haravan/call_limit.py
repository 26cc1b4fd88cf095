"""Where Haravan says how full a shop's bucket is."""

from __future__ import annotations


__all__ = ["HEADER"]

HEADER = "X-Haravan-Api-Call-Limit"
