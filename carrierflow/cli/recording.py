"""`open`, `record`, `amend`, `show`, `history`: the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from carrierflow.cli.fulfillment_json import overview
from carrierflow.cli.parcel_names import fulfillment_of, parcel, parcel_and_status, told_of
from carrierflow.cli.ranges import CASH
from carrierflow.cli.session import FAILED, TIME, Session, command, moment, short
from carrierflow.cli.terminal import Page
from carrierflow.domain.fulfillment import ABANDONED
from carrierflow.domain.lifecycle import LABELS
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    HistoryEntry,
    Opening,
    Recorded,
    Source,
    Status,
    Verdict,
    parse_status,
)
from carrierflow.domain.revision import AgreedTerms


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(
        cli, "open", example="carrierflow open myshop 1229422895 1054978733 --cod-amount 510000"
    )(open_fulfillment)
    command(
        cli,
        "record",
        example="carrierflow record myshop 1054978733 picking --at 2026-03-01T08:30+07:00",
    )(record)
    command(
        cli,
        "amend",
        example="carrierflow amend myshop 1054978733 delivering --actor lan --reason misread-scan",
    )(amend)
    command(cli, "show", example="carrierflow show myshop 1054978733 --json")(show)
    command(
        cli,
        "notes",
        example="carrierflow notes myshop 1054978733 --erase --actor lan",
        by_person=True,
    )(notes)
    command(cli, "history", example="carrierflow history myshop 1054978733")(history)


SAID = {True: "yes", False: "no", None: "not known"}


def _show(session: Session, shop: str, fulfillment_id: str) -> None:
    document = overview(session.app.parcel(shop, fulfillment_id), session.app.projection_of)
    remote = document["remote"]
    labels = {status: LABELS[Status(status)].en for status in _statuses(document)}
    lines = [
        f"Fulfillment {fulfillment_id} of order {document['order_id']} in {shop}",
        f"  delivery     {_said(document['carrier_status'], labels)}",
        f"  cash         {_said(document['cod_status'], labels)}, {document['cod_amount']} đ",
        f"  platform     {remote['carrier_status'] or 'not seen'} / {remote['cod_status'] or '-'}",
        f"  in sync      {SAID[document['in_sync']]}",
        f"  unpublished  {document['unpublished']}",
    ]
    if document["frozen"]:
        resolved_too = " --all" if document["frozen"] == ABANDONED else ""
        see = f"see `carrierflow incidents list{resolved_too}`"
        lines.append(f"  frozen       {document['frozen']}: {see}")
    session.emit(document, lambda c: c.say(*lines))


def _statuses(document: dict[str, Any]) -> tuple[str, str]:
    return document["carrier_status"], document["cod_status"]


def _said(status: str, labels: dict[str, str]) -> str:
    return f"{status} ({labels[status]})"


@click.argument("shop")
@click.argument("order_id")
@click.argument("fulfillment_id")
@click.option("--tracking-number", help="The carrier's own number, the waybill.")
@click.option("--cod-amount", type=CASH, help="Cash to collect, in whole đồng.")
@click.option("--at", type=TIME, help="When it was taken up, with a zone; now by default.")
def open_fulfillment(
    session: Session,
    shop: str,
    order_id: str,
    fulfillment_id: str,
    tracking_number: str | None,
    cod_amount: int | None,
    at: datetime | None,
) -> None:
    """Start a fulfillment at readytopick, with its cash codpending or none."""
    ref = FulfillmentRef(shop=shop, order_id=order_id, fulfillment_id=fulfillment_id)
    session.app.ledger.open(
        Opening(ref=ref, tracking_number=tracking_number, cod_amount=cod_amount, at=at)
    )
    _show(session, shop, fulfillment_id)


@click.argument("shop")
@parcel_and_status
@click.option("--at", type=TIME, help="When it happened, with a zone; now by default.")
@click.option("--actor", help="Who did it: a code of your own, not a name.")
@click.option("--reason", help="Why: a code of your own.")
@click.option("--note", help="Free text; it is encrypted and can be erased.")
@click.option("--key", help="Idempotency key, unique within the fulfillment.")
@click.option("--fill-gaps", is_flag=True, help="Infer steps whose scans are missing.")
def record(
    session: Session,
    shop: str,
    words: tuple[str, ...],
    tracking_number: str | None,
    at: datetime | None,
    *,
    fill_gaps: bool,
    **texts: Any,
) -> None:
    """Record one event of a parcel or of its cash.

    Exits with 0 if it was accepted, seen before, or late; with 1 if it was refused.
    """
    fulfillment_id, status = told_of(words, tracking_number)
    event = Event(
        shop=shop,
        fulfillment_id=fulfillment_id,
        tracking_number=tracking_number,
        status=parse_status(status),
        occurred_at=at,
        fill_gaps=fill_gaps,
        **texts,
    )
    _answer(session, session.app.ledger.record(event))


@click.argument("shop")
@parcel_and_status
@click.option("--actor", required=True, help="Who corrects: a code of your own, not a name.")
@click.option("--reason", required=True, help="Why it was wrong.")
@click.option("--at", type=TIME, help="Since when it is so; now by default.")
def amend(
    session: Session,
    shop: str,
    words: tuple[str, ...],
    tracking_number: str | None,
    at: datetime | None,
    **texts: Any,
) -> None:
    """Correct where a parcel stands, by a new entry that needs no legal step.

    Where corrections take more people than one, it is only proposed, and somebody else has to
    approve the incident that it is; it exits with 3 then.
    """
    fulfillment_id, status = told_of(words, tracking_number)
    event = Event(
        shop=shop,
        fulfillment_id=fulfillment_id,
        tracking_number=tracking_number,
        status=parse_status(status),
        occurred_at=at,
        source=Source.OPERATOR,
        **texts,
    )
    answer = session.app.incidents.amend(event)
    if isinstance(answer, Recorded):
        _answer(session, answer)
    else:
        from carrierflow.cli.incidents import emit_proposal  # noqa: PLC0415 - seldom, and heavy

        emit_proposal(session, answer)


def _answer(session: Session, answer: Recorded) -> None:
    document = {
        "shop": answer.ref.shop,
        "fulfillment_id": answer.ref.fulfillment_id,
        "verdict": answer.verdict,
        "reason": answer.reason,
        "sentence": answer.sentence,
        "carrier_status": answer.carrier_status,
        "cod_status": answer.cod_status,
        "first": answer.first,
        "entries": [entry_document(entry) for entry in answer.entries],
    }
    session.emit(document, lambda c: c.say(f"{answer.verdict}: {answer.sentence}"))
    if answer.verdict is Verdict.REFUSED:
        raise click.exceptions.Exit(FAILED)


@parcel
def show(
    session: Session, shop: str | None, fulfillment_id: str | None, tracking_number: str | None
) -> None:
    """Show where a fulfillment stands, here and on the platform.

    By its tracking number alone it is looked for in every shop.
    """
    _show(session, *fulfillment_of(session, shop, fulfillment_id, tracking_number))


@parcel
def history(
    session: Session, shop: str | None, fulfillment_id: str | None, tracking_number: str | None
) -> None:
    """Show every entry of a fulfillment, and every event that did not become one.

    By its tracking number alone it is looked for in every shop.
    """
    shop, fulfillment_id = fulfillment_of(session, shop, fulfillment_id, tracking_number)
    timeline = session.app.timeline(shop, fulfillment_id)
    entries = [entry_document(entry) for entry in timeline.entries]
    evidence = [
        {
            "kind": each.kind,
            "verdict": each.verdict,
            "code": each.code,
            "sentence": each.sentence,
            "status": each.status,
            "actor": each.actor,
            "reason": each.reason,
            "occurred_at": moment(each.occurred_at),
            "recorded_at": moment(each.recorded_at),
        }
        for each in timeline.evidence
    ]
    attempts = [
        {
            "machine": each.machine,
            "seq": each.seq,
            "attempt": each.number,
            "status": each.status,
            "intent_at": moment(each.intent_at),
            "outcome": each.outcome,
            "http_status": each.http_status,
            "state": each.state,
            "confirmed_at": moment(each.confirmed_at),
        }
        for each in timeline.attempts
    ]
    document = {
        "shop": shop,
        "order_id": timeline.parcel.ref.order_id,
        "fulfillment_id": fulfillment_id,
        "terms": [_terms_document(each) for each in timeline.terms],
        "entries": entries,
        "evidence": evidence,
        "published": attempts,
    }
    columns = ("machine", "seq", "from", "to", "source", "occurred", "inferred", "hash")
    rows = [
        (
            e.machine,
            e.seq,
            e.from_status,
            e.to_status,
            e.source,
            short(e.occurred_at),
            "yes" if e.inferred else "",
            e.hash[:12],
        )
        for e in timeline.entries
    ]
    kept = [(e["status"] or e["kind"], e["verdict"] or e["code"], e["sentence"]) for e in evidence]
    revised = [
        (short(e.recorded_at), e.terms.cod_amount, e.terms.tracking_number, e.actor, e.reason)
        for e in timeline.terms
    ]
    told = [
        (e.status, e.number, short(e.intent_at), e.outcome or "no result")
        for e in timeline.attempts
    ]

    def draw(page: Page) -> None:
        page.table(columns, rows)
        if len(revised) > 1:
            page.heading("Agreed")
            page.table(("recorded", "amount", "tracking number", "who", "why"), revised)
        if kept:
            page.heading("Kept as evidence")
            page.table(("status", "verdict", "why"), kept)
        if told:
            page.heading("Told to the platform")
            page.table(("status", "attempt", "at", "outcome"), told)

    session.emit(document, draw)


def _terms_document(agreed: AgreedTerms) -> dict[str, Any]:
    return {
        "number": agreed.number,
        "cod_amount": agreed.terms.cod_amount,
        "tracking_number": agreed.terms.tracking_number,
        "source": agreed.source,
        "actor": agreed.actor,
        "reason": agreed.reason,
        "recorded_at": moment(agreed.recorded_at),
    }


def entry_document(entry: HistoryEntry) -> dict[str, Any]:
    """Return a history entry as JSON carries it."""
    return {
        "machine": entry.machine,
        "seq": entry.seq,
        "from": entry.from_status,
        "to": entry.to_status,
        "source": entry.source,
        "actor": entry.actor,
        "reason": entry.reason,
        "key": entry.key,
        "occurred_at": moment(entry.occurred_at),
        "recorded_at": moment(entry.recorded_at),
        "inferred": entry.inferred,
        "cause": entry.cause,
        "amends": entry.amends,
        "definition": entry.definition,
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }


@click.argument("shop")
@click.argument("fulfillment_id")
@click.option("--erase", is_flag=True, help="Erase them for good.")
def notes(session: Session, shop: str, fulfillment_id: str, *, erase: bool) -> None:
    """Show the notes of a fulfillment in clear, or erase them for good.

    The history keeps only salted digests of notes, and verifies all the same without them.
    """
    if erase:
        count = session.app.retention.erase_notes(shop, fulfillment_id).notes
        session.emit({"erased": count}, lambda c: c.say(f"{count} notes are erased."))
        return
    texts = session.app.notes(shop, fulfillment_id)
    session.emit({"notes": texts}, lambda c: c.say(*"\n".join(texts).split("\n")))
