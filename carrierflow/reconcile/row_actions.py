"""What the rows of the decision table do, and the questions that take more than a word to ask.

Each function takes a case and returns a value; the table says which row uses which.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from carrierflow.domain.amounts import AMOUNTS_DIFFER, differing_amounts
from carrierflow.domain.canonical import stamp
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import Observation, Source, Status
from carrierflow.domain.publication import Attempt, PublishableStep
from carrierflow.reconcile.actions import (
    Action,
    Adopt,
    Await,
    Confirm,
    Freeze,
    Observe,
    OpenIncident,
    ReadAgain,
    ReadAlone,
    Rewind,
    Wait,
    Write,
)
from carrierflow.reconcile.case import MachineCase, rounded
from carrierflow.reconcile.policy import MerchantEdit, Policy, RemoteAhead
from carrierflow.reconcile.ports import KnownParcel
from carrierflow.reconcile.projection import Leader


__all__ = [
    "OrderCase",
    "absent",
    "adopt",
    "adopt_or_hold",
    "cod_amount_differs",
    "confirm_or_note",
    "confirm_reached",
    "confirm_same_looking",
    "confirm_sent",
    "earlier_on_platform",
    "hold_or_reassert",
    "order_cancelled",
    "paid_is_caused",
    "paid_is_next",
    "resolved_attempt",
    "rewind_own",
    "send_again",
    "tell_amounts",
    "tell_dates",
    "tell_last",
    "tell_next",
    "tell_paid",
    "unknown_here",
    "untold",
    "wait_for_settling",
]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderCase:
    """What is decided about an order, or about a fulfillment as a whole."""

    parcel: Fulfillment | None
    """Our fulfillment; None if the ledger does not know it."""
    seen: Observation | None
    """What the platform says of it; None if it is absent."""
    asked_alone: bool
    """Whether the fulfillment was asked for at its own address, not among others."""
    now: datetime
    policy: Policy
    steps: tuple[PublishableStep, ...] = ()
    """Our fulfillment's history."""


def resolved_attempt(case: MachineCase) -> bool:
    """Row 4: a state visited before counts only if it was entered again since."""
    return case.sent is not None and case.reached is not None and case.shows_sent


def confirm_sent(case: MachineCase) -> Action:
    """Take the open attempt for successful."""
    return Confirm(_given(case.sent))


def confirm_same_looking(case: MachineCase) -> Action:
    """Take a step for published that looks as what is shown."""
    return Confirm(_given(case.same_looking))


def confirm_reached(case: MachineCase) -> Action:
    """Take everything up to the shown step for published."""
    return Confirm(_given(case.reached))


def wait_for_settling(case: MachineCase) -> Action:
    """Wait until the open attempt can no longer take effect."""
    return Wait(_given(case.settles_at))


def send_again(case: MachineCase) -> Action:
    """Repeat a write that was lost or refused, unless it was tried too often already."""
    attempt, step, now = _given(case.attempt), _given(case.sent), case.whole.now
    refusals = case.refusals_of(step)
    if len(refusals) >= case.policy.refused_times:
        return _refused(case, step, refusals)
    since = attempt.first_sent_at or now
    if case.attempts_at(step) > 1 and now - since >= case.policy.stuck_after:
        return _stuck(case, step)
    return tell_next(case)


def _refused(case: MachineCase, step: PublishableStep, refusals: list[Attempt]) -> Action:
    times, said = len(refusals), refusals[-1].reason or "it gave no reason"
    sentence = f"The platform refused {step.to_status} {times} times; at last it said: {said}."
    return Freeze("refused", sentence, about=case.write_towards(step))


def tell_next(case: MachineCase) -> Action:
    """Tell the next step that can be told, from a young reading only."""
    return untold(case) if case.next_told is None else _tell(case, case.next_told)


def untold(case: MachineCase) -> Action:
    """Say what becomes of a step that no write may be made for now.

    The platform comes there by itself, or the policy holds what cannot be taken back; where a
    write leads there from elsewhere only, a person has to see to it.
    """
    if case.next_told is not None:
        return Observe()
    told = next((s for s in case.path if case.projection.is_told(s.to_status)), None)
    if told is None:
        return Await() if case.projection.leader is Leader.PLATFORM else Observe()
    return Await() if told.to_status in case.policy.held else _cannot_be_told(case, told)


def _cannot_be_told(case: MachineCase, step: PublishableStep) -> Action:
    sentence = f"The platform shows {case.obs} and cannot be told {step.to_status} any more."
    cause = {"shown": case.obs, "untold": f"{step.seq}:{step.to_status}"}
    return OpenIncident("cannot_be_told", sentence, cause, awaits=True)


def _tell(case: MachineCase, step: PublishableStep) -> Action:
    """Tell a step, unless it cannot help any more or the observation is too old for it."""
    write = case.write_towards(step)
    if write is None:
        return untold(case)
    if case.whole.seen.carrier.status is Status.CANCEL:
        sentence = f"The parcel is cancelled on the platform and cannot become {step.to_status}."
        return Freeze("cancel_conflict", sentence, about=write)
    if case.attempts_at(step) >= case.policy.stuck_attempts:
        return _stuck(case, step)
    return Write(step, write) if case.is_fresh else ReadAgain()


def _stuck(case: MachineCase, step: PublishableStep) -> Action:
    times = case.attempts_at(step)
    sentence = f"{times} attempts to show {step.to_status} had no effect."
    return Freeze("stuck", sentence, about=case.write_towards(step))


def tell_last(case: MachineCase) -> Action:
    """Tell the head at once; the steps before it go with it."""
    return _tell(case, case.path[-1])


def tell_paid(case: MachineCase) -> Action:
    """Tell that the cash was collected, once the platform had time to see it by itself."""
    due = _given(case.delivered_at) + case.policy.settle
    if case.whole.now < due:
        return Wait(due)
    paid = case.path[0]
    is_told = case.projection.is_told(paid.to_status)
    return tell_next(case) if is_told else _cannot_be_told(case, paid)


def confirm_or_note(case: MachineCase) -> Action:
    """Confirm codpaid where we recorded it; else leave it to the carrier."""
    return Confirm(case.reached) if case.reached else Observe()


def adopt(case: MachineCase) -> Action:
    """Record what the platform shows."""
    return Adopt(_given(case.obs))


def adopt_or_hold(case: MachineCase) -> Action:
    """Record what the platform shows, or hold it for a person, by policy."""
    if case.policy.remote_ahead is RemoteAhead.ADOPT:
        return adopt(case)
    return Freeze(
        "remote_ahead", f"The platform shows {case.obs}, and the ledger has only {case.head}."
    )


def rewind_own(case: MachineCase) -> Action:
    """Publish again from where our own late PUT moved the platform back to."""
    return Rewind(_given(case.own_late_put).seq, healed=True)


def hold_or_reassert(case: MachineCase) -> Action:
    """Hold an edit of somebody else for a person, or undo it once, by policy."""
    moved = f"The platform went back from {case.base} to {case.obs}, and not by us."
    entry = case.shown_before
    if case.policy.merchant_edit is MerchantEdit.REASSERT and entry and not case.reasserted:
        return Rewind(entry.seq, healed=False)
    return Freeze("merchant_edit", moved)


def paid_is_next(case: MachineCase) -> bool:
    """Tell whether collected cash is what would be told next."""
    return bool(case.path) and case.path[0].to_status is Status.CODPAID


def paid_is_caused(case: MachineCase) -> bool:
    """Tell whether collected cash follows from a delivery that we recorded."""
    return paid_is_next(case) and bool(case.path[0].cause)


def absent(case: OrderCase) -> Action:
    """Ask for a missing fulfillment by itself, then count, and give it up at last."""
    parcel, now = case.parcel, case.now
    if not case.asked_alone:
        return ReadAlone()
    if parcel is not None and parcel.missing_since is not None:
        times, span = parcel.missing + 1, now - parcel.missing_since
        if times >= case.policy.gone_times and span >= case.policy.gone_after:
            return Freeze(
                "gone", f"Its own address answered {times} times that there is no such parcel."
            )
    return Wait(now + case.policy.settle)  # What comes back may have steps to be told.


def order_cancelled(_case: OrderCase) -> Action:
    """Report that an order is cancelled whose parcel is under way."""
    return OpenIncident("order_cancelled", "The order is cancelled, and its parcel is under way.")


def unknown_here(_case: OrderCase) -> Action:
    """Report a parcel of ours that the ledger does not know."""
    return OpenIncident(
        "unknown_here", "The platform shows a parcel of ours that the ledger does not know."
    )


def cod_amount_differs(parcel: Fulfillment | KnownParcel, seen: Observation) -> bool:
    """Tell whether the two sides would have different cash collected.

    A platform that shows no cash at all is row C5's matter, and says nothing about its amount.
    """
    return (
        seen.cod_amount is not None
        and seen.cod_amount != parcel.cod_amount
        and seen.cod.status not in {Status.NONE, None}
    )


def tell_amounts(case: OrderCase) -> Action:
    """Report two amounts of cash for one parcel."""
    parcel, seen = _given(case.parcel), _given(case.seen)
    sentence, amounts = differing_amounts(
        ledger=parcel.cod_amount, platform=_given(seen.cod_amount)
    )
    return OpenIncident(AMOUNTS_DIFFER, sentence, amounts)


def earlier_on_platform(case: OrderCase) -> tuple[PublishableStep, datetime] | None:
    """Return the first step that the platform dates too early, with its date there.

    Only what the carrier told has a date of its own: the opening, what follows from rules and what
    was filled in have ours, what was adopted or imported has the platform's. Collected cash is left
    out, for the platform counts it with the delivery. A later date is no difference: the platform
    stamps a status when it is told it.
    """
    if case.seen is None:
        return None
    first: dict[Status, PublishableStep] = {}
    for step in case.steps:
        if step.source is Source.CARRIER and step.seq > 1 and step.occurred_at is not None:
            first.setdefault(step.to_status, step)
    for status, step in first.items():
        date = case.seen.dates.get(status)
        if date is None or step.inferred or status is Status.CODPAID:
            continue
        if date + case.policy.timeline_tolerance < _given(step.occurred_at):
            return step, date
    return None


def tell_dates(case: OrderCase) -> Action:
    """Report a status that the platform had before it happened."""
    step, date = _given(earlier_on_platform(case))
    here, there = stamp(_given(step.occurred_at)), stamp(rounded(date))
    sentence = f"The platform dates {step.to_status} at {there}, and the carrier at {here}."
    dates = {"status": step.to_status, "ledger": here, "platform": there}
    return OpenIncident("timeline_differs", sentence, dates)


def _given(value: T | None) -> T:
    if value is None:
        raise AssertionError("A row acted where it does not apply.")
    return value
