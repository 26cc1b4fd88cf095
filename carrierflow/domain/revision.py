"""What was agreed about a parcel, and how it is agreed anew: its cash to collect, its waybill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carrierflow.domain.model import FulfillmentRef, HistoryEntry


__all__ = ["AgreedTerms", "Revised", "Revision", "Terms"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What was agreed about a parcel at one time."""

    cod_amount: int
    """Cash to collect, in whole đồng."""
    tracking_number: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A change of what was agreed; what it leaves out stays as it is."""

    ref: FulfillmentRef
    cod_amount: int | None = None
    """Cash to collect from now on, in whole đồng; 0 for none."""
    tracking_number: str | None = None
    actor: str
    """Who changed it: a code of your own, not a name."""
    reason: str
    correction: bool = False
    """Says that another amount was collected than was written down; without it, the amount of cash
    that was collected is not changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreedTerms:
    """Terms as they are written, by whom and why."""

    number: int
    """Counts those of one parcel; 0 is what it was opened with."""
    terms: Terms
    source: str
    """A `Source`; or `upgrade` for what held when an upgrade wrote it down."""
    actor: str | None
    reason: str | None
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Revised:
    """The answer to a revision."""

    ref: FulfillmentRef
    number: int
    """How often the terms of this parcel were revised by now."""
    before: Terms
    after: Terms
    entries: tuple[HistoryEntry, ...] = ()
    """The step of the cash where there is some to collect now and was none, or the reverse."""
    corrects: bool = False
    """Whether it is a correction, which may take more people than one: it changes an amount that
    was collected, or whether there is cash at all."""

    @property
    def changed(self) -> bool:
        """Tell whether anything was written: the same terms again are none."""
        return self.before != self.after

    @property
    def sentence(self) -> str:
        """Say what became of it."""
        told = [*self._amounts(), *self._numbers()]
        if not told:
            return "That is what was agreed already; nothing was written."
        return f"Revision {self.number}: {', '.join(told)}."

    def _amounts(self) -> list[str]:
        before, after = self.before.cod_amount, self.after.cod_amount
        return [] if before == after else [f"{before} → {after} đồng to collect"]

    def _numbers(self) -> list[str]:
        before, after = self.before.tracking_number, self.after.tracking_number
        return [] if before == after else [f"tracking number {before or 'none'} → {after}"]
