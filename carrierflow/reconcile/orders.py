"""One turn at an order, or at a fulfillment as such: what the second table decides, as a value.

Like a turn at a machine it writes nothing: runs write what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding
from carrierflow.domain.limits import SENTENCE, cut
from carrierflow.domain.model import Unreadable
from carrierflow.reconcile.actions import Freeze, OpenIncident, ReadAlone, Wait
from carrierflow.reconcile.decision_table import OrderCase, decisions_about_order


__all__ = ["OrderEvaluation", "evaluate_order", "odd_finding"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderEvaluation:
    """What was decided about an order, or a fulfillment as such, and is to be written for it."""

    case: OrderCase
    rows: tuple[str, ...] = ()
    asks: bool = False
    """Whether the fulfillment is to be asked for by itself first."""
    after: Fulfillment | None = None
    findings: tuple[Finding, ...] = ()


def evaluate_order(case: OrderCase) -> OrderEvaluation:
    """Decide what the second table decides, and say what has to be written for it."""
    evaluation = OrderEvaluation(case=case)
    for decision in decisions_about_order(case):
        evaluation = replace(evaluation, rows=(*evaluation.rows, decision.row))
        match decision.action:
            case ReadAlone():
                evaluation = replace(evaluation, asks=True)
            case Wait(until):
                evaluation = replace(evaluation, after=replace(_missed(case), not_before=until))
            case Freeze(kind):
                evaluation = replace(evaluation, after=replace(_missed(case), frozen=kind))
            case _:
                pass
        if isinstance(decision.action, Freeze | OpenIncident):
            finding = _finding(case, decision.row, decision.action)
            evaluation = replace(evaluation, findings=(*evaluation.findings, finding))
    return evaluation


def _missed(case: OrderCase) -> Fulfillment:
    """Return a parcel that was looked for once more in vain."""
    if case.parcel is None:
        raise AssertionError("What the ledger does not know cannot be missing.")
    return replace(
        case.parcel,
        missing=case.parcel.missing + 1,
        missing_since=case.parcel.missing_since or case.now,
        verified_at=case.now,
    )


def _finding(case: OrderCase, row: str, action: Freeze | OpenIncident) -> Finding:
    evidence: dict[str, Any] = {"row": row}
    if isinstance(action, OpenIncident):
        evidence = {**action.evidence, **evidence}
    elif case.parcel is not None:
        evidence["since"] = str(case.parcel.missing_since)
    if case.parcel is None and case.seen is not None:
        named = case.seen.ref
        evidence |= {"order_id": named.order_id, "fulfillment_id": named.fulfillment_id}
    return Finding(
        kind=action.kind,
        sentence=action.sentence,
        ref=case.parcel.ref if case.parcel else None,
        evidence=evidence,
        freezes=isinstance(action, Freeze),
    )


def odd_finding(row: Unreadable) -> Finding:
    """Return what is told of a row: a nameless one is known by its digest, others by their ids."""
    cause = {"order_id": row.order_id, "fulfillment_id": row.fulfillment_id}
    detail = {"place": row.place, "reason": row.reason, "digest": row.digest}
    if row.order_id is None:
        cause["digest"] = detail.pop("digest")
    return Finding(
        kind="unreadable",
        sentence=cut(
            f"A row of the platform's cannot be read, and others are: {row.reason}.", SENTENCE
        ),
        ref=None,
        evidence=cause,
        detail=detail,
        freezes=True,
    )
