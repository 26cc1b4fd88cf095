"""The legal steps, as a recorder is told them that does not write them down itself."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet


__all__ = ["Legal"]

Legal = Mapping[str, AbstractSet[tuple[str, str]]]
"""Of each machine, its steps as `(from, to)`."""
