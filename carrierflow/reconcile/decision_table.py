"""The decision table, as data, and the pure functions that look a case up in it.

Top down, the first row that applies decides, separately for each machine. Runs, plans, the
documentation and the exhaustive check all read this one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from carrierflow.domain.model import Machine, Status
from carrierflow.reconcile import row_actions
from carrierflow.reconcile.actions import (
    Action,
    Decision,
    Discard,
    Freeze,
    InSync,
    Observe,
    OpenIncident,
)
from carrierflow.reconcile.case import Case, MachineCase
from carrierflow.reconcile.row_actions import OrderCase


__all__ = [
    "ORDER_TABLE",
    "TABLE",
    "OrderCase",
    "TableRow",
    "decide",
    "decide_order",
    "decisions_about_order",
]

AnyCase = TypeVar("AnyCase")

BOTH = frozenset(Machine)
DELIVERY = frozenset({Machine.DELIVERY})
COD = frozenset({Machine.COD})

CASH_DUE = frozenset({Status.CODPENDING, Status.CODPAID, Status.CODRECEIPT})
OVER = frozenset({Status.DELIVERED, Status.RETURN, Status.CANCEL})


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRow(Generic[AnyCase]):
    """One row: its number, what it says in words, and the same as two functions."""

    number: str
    when: str
    then: str
    applies: Callable[[AnyCase], bool]
    action: Callable[[AnyCase], Action]
    machines: frozenset[Machine] = field(default=BOTH)


def decide(whole: Case, machine: Machine) -> Decision:
    """Return what is to be done about one machine of one fulfillment, and which row says so."""
    case = whole.on(machine)
    row = next(row for row in TABLE if machine in row.machines and row.applies(case))
    return Decision(row.number, row.action(case))


def decide_order(case: OrderCase) -> Decision | None:
    """Return what is to be done about an order as such; None if no row of its own applies."""
    return next(decisions_about_order(case), None)


def decisions_about_order(case: OrderCase) -> Iterator[Decision]:
    """Give what every row says that applies: each is about something else."""
    return (Decision(row.number, row.action(case)) for row in ORDER_TABLE if row.applies(case))


TABLE: tuple[TableRow[MachineCase], ...] = (
    TableRow(
        number="0",
        when="obs is older than what the platform showed before",
        then="discard it",
        applies=lambda case: case.outdated,
        action=lambda _: Discard(),
    ),
    TableRow(
        number="1",
        when="the fulfillment is frozen",
        then="note changes only; where both sides agree again, free it and close the incident",
        applies=lambda case: case.whole.parcel.frozen is not None,
        action=lambda _: Observe(),
    ),
    TableRow(
        number="2",
        when="obs is a word that we do not know",
        then="freeze; incident `unknown_code` with the raw word",
        applies=lambda case: case.obs is None,
        action=lambda case: Freeze("unknown_code", f"The platform says {case.raw!r}."),
    ),
    TableRow(
        number="3",
        when="an attempt is unanswered, and obs was asked for before its end + Δ",
        then="wait",
        applies=lambda case: case.is_settling,
        action=row_actions.wait_for_settling,
    ),
    TableRow(
        number="4",
        when="an attempt is unanswered, and obs is its status, entered since",
        then="confirm s1",
        applies=row_actions.resolved_attempt,
        action=row_actions.confirm_sent,
    ),
    TableRow(
        number="5",
        when="an attempt is unanswered, and obs is still base",
        then="it was lost or refused: send s1 again; after 3 refusals freeze, incident `refused`; "
        "after 8 attempts or 24 h freeze, incident `stuck`",
        applies=lambda case: case.attempt is not None and case.at_base,
        action=row_actions.send_again,
    ),
    TableRow(
        number="5a",
        when="a person resolved an incident by `reassert`, and obs is what they saw",
        then="tell head",
        applies=lambda case: (
            case.overruled
            and case.obs is not case.shown_head
            and bool(case.path)
            and case.write_towards(case.path[-1]) is not None
        ),
        action=row_actions.tell_last,
    ),
    TableRow(
        number="6a",
        when="obs is base, and the platform shows the next step as it shows base",
        then="confirm it: there is nothing to tell",
        applies=lambda case: case.at_base and case.same_looking is not None,
        action=row_actions.confirm_same_looking,
    ),
    TableRow(
        number="C1",
        when="codpaid rests on a delivered that the platform does not show yet",
        then="nothing",
        machines=COD,
        applies=lambda case: (
            row_actions.paid_is_next(case) and case.awaits_delivered and case.at_base
        ),
        action=lambda _: Observe(),
    ),
    TableRow(
        number="C2",
        when="delivered is confirmed, and the platform lifted the cash to codpaid by itself",
        then="confirm codpaid without a write; note it where the carrier counts cash separately",
        machines=COD,
        applies=lambda case: (
            case.obs is Status.CODPAID
            and case.delivered_at is not None
            and (case.reached is not None or case.head is Status.CODPENDING)
        ),
        action=row_actions.confirm_or_note,
    ),
    TableRow(
        number="C3",
        when="delivered is confirmed, and the cash is still codpending",
        then="after Δ, tell it; incident `cannot_be_told`, where no write does",
        machines=COD,
        applies=lambda case: (
            row_actions.paid_is_caused(case) and case.delivered_at is not None and case.at_base
        ),
        action=row_actions.tell_paid,
    ),
    TableRow(
        number="C4",
        when="the platform shows codreceipt, and the ledger is lower",
        then="record it with the platform as source; never lower it",
        machines=COD,
        applies=lambda case: (
            case.obs is Status.CODRECEIPT
            and case.reached is None
            and case.head in {Status.CODPENDING, Status.CODPAID}
        ),
        action=row_actions.adopt,
    ),
    TableRow(
        number="C5",
        when="the platform shows none or codnotreceipt where cash is due",
        then="incident `cash_disputed`; always a person",
        machines=COD,
        applies=lambda case: (
            case.obs in {Status.NONE, Status.CODNOTRECEIPT}
            and case.head in CASH_DUE
            and case.obs is not case.shown_head
        ),
        action=lambda case: OpenIncident(
            "cash_disputed", f"The platform shows {case.obs}, and the ledger {case.head}."
        ),
    ),
    TableRow(
        number="6",
        when="obs is base, entered when we confirmed it, and steps are unpublished",
        then="make the write that leads to s1, if obs is younger than 15 s; else read again first",
        applies=lambda case: case.at_base and case.next_told is not None,
        action=row_actions.tell_next,
    ),
    TableRow(
        number="6b",
        when="obs is base, and no write leads from obs to what is unpublished",
        then="wait, where the platform comes there by itself, or the policy holds what cannot be "
        "taken back; else incident `cannot_be_told`",
        applies=lambda case: bool(case.path) and case.at_base,
        action=row_actions.untold,
    ),
    TableRow(
        number="7",
        when="obs is a step sj of the path (for a repeated status: with a newer date)",
        then="confirm up to sj; the steps before it are subsumed",
        applies=lambda case: case.reached is not None,
        action=row_actions.confirm_reached,
    ),
    TableRow(
        number="8",
        when="nothing is unpublished, and obs is head",
        then="in sync",
        applies=lambda case: not case.path and case.obs is case.shown_head,
        action=lambda _: InSync(),
    ),
    TableRow(
        number="9",
        when="obs is cancel, and the parcel is not yet picked up",
        then="adopt: append cancel with the platform as source, abandon the path",
        machines=DELIVERY,
        applies=lambda case: (
            case.obs is Status.CANCEL
            and case.lifecycle.allows(case.machine, case.head, Status.CANCEL)
        ),
        action=row_actions.adopt,
    ),
    TableRow(
        number="10",
        when="obs is cancel, and the parcel is in motion or at an end",
        then="freeze; incident `cancelled_in_transit`; never tell",
        machines=DELIVERY,
        applies=lambda case: case.obs is Status.CANCEL,
        action=lambda case: Freeze(
            "cancelled_in_transit", f"The platform cancelled a parcel that is {case.head}."
        ),
    ),
    TableRow(
        number="11",
        when="head is cancel, unpublished, and obs is not at an end",
        then="tell cancel; the echo callback answers success and writes no history",
        machines=DELIVERY,
        applies=lambda case: (
            case.head is Status.CANCEL and bool(case.path) and case.obs not in OVER
        ),
        action=row_actions.tell_last,
    ),
    TableRow(
        number="12",
        when="head is cancel, and obs is delivered or return",
        then="freeze; incident `cancel_conflict`",
        machines=DELIVERY,
        applies=lambda case: case.head is Status.CANCEL and case.obs in OVER,
        action=lambda case: Freeze(
            "cancel_conflict", f"The parcel is cancelled here and {case.obs} on the platform."
        ),
    ),
    TableRow(
        number="13",
        when="nothing is left to tell, and obs may legally follow head",
        then="remote ahead: freeze, incident `remote_ahead`; or adopt, by policy",
        applies=lambda case: (
            case.next_told is None
            and case.obs is not None
            and case.lifecycle.reaches(case.head, case.obs)
            and case.own_late_put is None
        ),
        action=row_actions.adopt_or_hold,
    ),
    TableRow(
        number="14",
        when="obs is behind base, newer, and dated as one of our own attempts within Δ",
        then="our own late write: publish again from there, and mark it healed",
        applies=lambda case: case.is_behind and case.own_late_put is not None,
        action=row_actions.rewind_own,
    ),
    TableRow(
        number="15",
        when="obs is behind base, newer, and not ours",
        then="the merchant edited: freeze, incident `merchant_edit`; or, by policy, "
        "publish again once",
        applies=lambda case: case.is_behind,
        action=row_actions.hold_or_reassert,
    ),
    TableRow(
        number="16",
        when="anything else",
        then="freeze; incident `diverged`, both histories attached",
        applies=lambda _: True,
        action=lambda case: Freeze(
            "diverged", f"The platform shows {case.obs}; the ledger has {case.head}."
        ),
    ),
)

ORDER_TABLE: tuple[TableRow[OrderCase], ...] = (
    TableRow(
        number="17",
        when="the fulfillment is shown neither with its order nor in the order's own list",
        then="GET it at its own address; 404 there three times over an hour: freeze, "
        "incident `gone`",
        applies=lambda case: case.parcel is not None and case.seen is None,
        action=row_actions.absent,
    ),
    TableRow(
        number="18",
        when="the order is cancelled, and the fulfillment is not",
        then="incident `order_cancelled`; keep telling the truth",
        applies=lambda case: (
            case.parcel is not None
            and case.seen is not None
            and case.seen.order_cancelled
            and case.seen.carrier.status not in OVER
        ),
        action=row_actions.order_cancelled,
    ),
    TableRow(
        number="19",
        when="a fulfillment names this carrier, and the ledger does not know it",
        then="incident `unknown_here`, once; `import` brings it in",
        applies=lambda case: case.parcel is None and case.seen is not None,
        action=row_actions.unknown_here,
    ),
    TableRow(
        number="20",
        when="cash is due on the platform, and its amount is not the ledger's",
        then="incident `cod_amount_differs`, with both; closed when they are equal",
        applies=lambda case: (
            case.parcel is not None
            and case.seen is not None
            and row_actions.cod_amount_differs(case.parcel, case.seen)
        ),
        action=row_actions.tell_amounts,
    ),
    TableRow(
        number="21",
        when="the platform dates a status more than 6 h before the carrier's first event of it",
        then="incident `timeline_differs`, with both dates",
        applies=lambda case: row_actions.earlier_on_platform(case) is not None,
        action=row_actions.tell_dates,
    ),
)
