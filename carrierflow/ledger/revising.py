"""How a revision is judged: what may be agreed anew of a parcel, and what it does to its cash."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from carrierflow.domain import limits
from carrierflow.domain.approval import BOOKS_CASH
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import (
    FulfillmentRef,
    Machine,
    Opening,
    ResolvedEvent,
    Source,
    Status,
)
from carrierflow.domain.revision import AgreedTerms, Revised, Revision, Terms
from carrierflow.domain.typecheck import check_fields, check_text
from carrierflow.errors import CashCollected, InvalidInput, TermsDiffer, TrackingNumberTaken
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.ledger.validation import check_opening, check_order
from carrierflow.ledger.verdicts import Draft, VerdictRules


__all__ = ["check_revision", "check_same", "revise"]


def check_same(tx: LedgerTransaction, parcel: Fulfillment, opening: Opening) -> None:
    """Check that an opening names a parcel that there is as it was opened, or as it was revised.

    What opens it once more may have been under way since before it was revised.

    Raises:
        InvalidInput: if it belongs to another order.
        TermsDiffer: if that amount was never agreed.
    """
    check_order(parcel, opening.ref)
    amount = opening.cod_amount
    if amount in {None, parcel.cod_amount}:
        return
    if all(agreed.terms.cod_amount != amount for agreed in tx.terms(parcel)):
        raise TermsDiffer(parcel.ref.fulfillment_id, agreed=parcel.cod_amount, told=amount or 0)


def revise(
    tx: LedgerTransaction, draft: Draft, revision: Revision, rules: VerdictRules, *, now: datetime
) -> Revised:
    """Write into a draft what is agreed from now on; the same once more writes nothing.

    The cash follows: where there is none any more its status is `none`, and where there is some
    at last, `codpending`. No step leads there, so the entry is a correction.

    Raises:
        InvalidInput: if the parcel belongs to another order.
        CashCollected: if the cash was collected, and it is no correction.
        TrackingNumberTaken: if the number stands for another parcel of the shop.
    """
    parcel = draft.parcel
    check_order(parcel, revision.ref)
    before = Terms(cod_amount=parcel.cod_amount, tracking_number=parcel.tracking_number)
    after = _after(before, revision)
    number = max((agreed.number for agreed in tx.terms(parcel)), default=0)
    answer = Revised(ref=parcel.ref, number=number, before=before, after=after)
    if not answer.changed:
        return answer
    if after.tracking_number != before.tracking_number:
        _check_free(tx, parcel.ref, after.tracking_number or "")
    collected = before.cod_amount != after.cod_amount and _is_collected(draft)
    if collected and not revision.correction:
        raise CashCollected(parcel.ref.fulfillment_id, draft.heads[Machine.COD].status)
    agreed = AgreedTerms(
        number=number + 1,
        terms=after,
        source=Source.OPERATOR,
        actor=revision.actor,
        reason=revision.reason,
        recorded_at=now,
    )
    draft.agreed = agreed
    _move_cash(draft, before, agreed, rules)
    entries = tuple(draft.entries)
    return replace(answer, number=number + 1, entries=entries, corrects=collected or bool(entries))


def check_revision(revision: Revision) -> None:
    """Raise `InvalidInput` where no database may be asked about a revision."""
    check_fields(revision, Revision)
    amount, number = revision.cod_amount, revision.tracking_number
    if amount is None and number is None:
        raise InvalidInput("A revision names a cod_amount or a tracking_number, or both.")
    check_opening(Opening(ref=revision.ref, cod_amount=amount))
    if number is not None:
        check_text("tracking_number", number, limits.TRACKING_NUMBER, names=True)
    if not revision.actor.strip() or not revision.reason.strip():
        raise InvalidInput("A revision needs an actor and a reason.")
    check_text("actor", revision.actor, limits.ACTOR)
    check_text("reason", revision.reason, limits.REASON)


def _after(before: Terms, revision: Revision) -> Terms:
    amount, number = revision.cod_amount, revision.tracking_number
    return Terms(
        cod_amount=before.cod_amount if amount is None else amount,
        tracking_number=before.tracking_number if number is None else number,
    )


def _is_collected(draft: Draft) -> bool:
    return draft.heads[Machine.COD].status in BOOKS_CASH


def _check_free(tx: LedgerTransaction, ref: FulfillmentRef, number: str) -> None:
    borne = tx.bearers(ref.shop, [number]).get(number)
    if borne is not None and (borne.count > 1 or borne.fulfillment_id != ref.fulfillment_id):
        raise TrackingNumberTaken(ref.shop, number)


def _move_cash(draft: Draft, before: Terms, agreed: AgreedTerms, rules: VerdictRules) -> None:
    """Correct where the cash stands, where there is some at last or none any more."""
    stands = draft.heads[Machine.COD].status
    wanted = _wanted(stands, before, agreed.terms)
    if wanted == stands:
        return
    event = ResolvedEvent(
        status=Status(wanted),
        occurred_at=agreed.recorded_at,
        key="",
        source=Source.OPERATOR,
        actor=agreed.actor,
        reason=agreed.reason,
    )
    rules.amend(draft, event, now=agreed.recorded_at)


def _wanted(stands: str, before: Terms, after: Terms) -> str:
    """Return where the cash stands under new terms."""
    if not after.cod_amount:
        return Status.NONE
    begins = not before.cod_amount and stands == Status.NONE
    return Status.CODPENDING if begins else stands
