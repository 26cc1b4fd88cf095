"""Stopping a run before the damage, where something is wrong with everything at once."""

from __future__ import annotations

from collections.abc import Iterable

from carrierflow.domain.model import Status
from carrierflow.reconcile.batches import ShopBatch
from carrierflow.reconcile.evaluate import Evaluation
from carrierflow.reconcile.policy import RunLimits
from carrierflow.reconcile.run_counters import RunCounters


__all__ = ["Brake", "Braked"]

FEWEST_MISSING = 10
"""Fewer missing orders than this are asked for one by one."""


class Braked(Exception):  # noqa: N818 - it ends a run, and is no defect
    """A run must go no further; a person should look at the shop."""

    def __init__(self, sentence: str, **evidence: int) -> None:
        self.sentence = sentence
        self.evidence = evidence
        super().__init__(sentence)


class Brake:
    """What one run would freeze or cancel, and how much of that is too much."""

    def __init__(self, limits: RunLimits, counters: RunCounters, *, open_count: int) -> None:
        self._counters = counters
        self._open = open_count
        self._most = max(limits.freeze_least, limits.freeze_share * open_count)
        self._doomed = 0

    def check_refusals(self) -> None:
        """Stop where writes in a row were refused, which count as the freezes they would lead to.

        Raises:
            Braked: if these are too many.
        """
        refused = self._counters.refusals_in_a_row
        if refused + self._doomed > self._most:
            raise Braked(
                f"{refused} writes in a row were refused; does something between here and the "
                "platform answer in its place?",
                refused=refused,
                open=self._open,
            )

    def check(self, evaluations: Iterable[Evaluation]) -> None:
        """Count what a batch would freeze or cancel.

        Raises:
            Braked: if that makes too many.
        """
        self._doomed += _drastic(evaluations)
        if self._doomed > self._most:
            raise Braked(
                f"{self._doomed} of {self._open} open fulfillments would be frozen or "
                "cancelled; nothing of this batch was done.",
                doomed=self._doomed,
                open=self._open,
            )

    def stops(self, evaluations: Iterable[Evaluation]) -> bool:
        """Tell whether a batch would freeze or cancel too much."""
        return self._doomed + _drastic(evaluations) > self._most

    @staticmethod
    def missing(batch: ShopBatch) -> Braked | None:
        """Return why to stop if the missing orders of a batch are truly gone: it is most of them.

        Asked for, here, is what could not be read in any way.
        """
        missing = len({parcel.ref.order_id for parcel in batch.missing})
        if missing < FEWEST_MISSING or missing * 2 <= batch.asked:
            return None
        return Braked(
            f"{missing} of {batch.asked} orders asked for are missing; is this the right "
            "shop, and the right token?",
            asked=batch.asked,
            missing=missing,
        )


def _drastic(evaluations: Iterable[Evaluation]) -> int:
    """Count the cases that freeze their fulfillment, or cancel it on the platform's word.

    Cancels that the carrier itself recorded are its own truth: they do not count.
    """
    return sum(
        evaluated.froze is not None or evaluated.adopt is Status.CANCEL for evaluated in evaluations
    )
