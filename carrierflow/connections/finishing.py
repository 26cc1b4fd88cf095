"""What else a shop needs once it is installed; none of it undoes the install if it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from carrierflow.errors import CarrierflowError


__all__ = ["Finish"]

log = logging.getLogger(__name__)


class Finish:
    """Takes some steps in a new shop, each by itself."""

    def __init__(self, steps: Mapping[str, Callable[[str], object]]) -> None:
        self._steps = steps

    def __call__(self, code: str) -> list[str]:
        """Take every step; return one sentence for each that could not be taken yet."""
        notes = []
        for what, step in self._steps.items():
            try:
                step(code)
            except CarrierflowError as error:
                notes.append(f"{what} did not work yet; the carrier knows.")
                log.warning(
                    "carrierflow.install.unfinished",
                    extra={"shop": code, "step": what, "reason": str(error)},
                )
        return notes
