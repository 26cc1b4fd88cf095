"""An incident as a document for programs, and as lines for a person who must decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from carrierflow.audit.reports.timeline import Timeline
from carrierflow.cli.session import moment, short
from carrierflow.cli.terminal import Page, json_text
from carrierflow.domain.approval import Proposal
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.incident_kinds import KINDS
from carrierflow.domain.lifecycle.labels import PROPOSED
from carrierflow.reconcile.platform_report import curl
from carrierflow.reconcile.rehearsal import ResolutionPreview


__all__ = [
    "HeaderOf",
    "draw_incident",
    "draw_outcome",
    "draw_steps",
    "incident_document",
    "list_rows",
    "preview_lines",
    "whole_document",
]

HeaderOf = Callable[[str], tuple[str, str]]

WITHOUT_WRITES = {
    ResolveAction.UNFREEZE: "would write no history; the next run looks again",
    ResolveAction.ABANDON: "would write no history; no run looks at it again",
    ResolveAction.RESUME: "would write no history; the next run looks at it again",
}
"""What a decision comes to that changes no history and announces no write."""

TOGETHER = 3
"""As many incidents of one kind in one shop are a line each; more of them are one line."""


def incident_document(incident: Incident, header_of: HeaderOf) -> dict[str, Any]:
    """Return an incident as JSON carries it; `header_of` says of a shop how it takes its token."""
    return {
        "id": incident.id,
        "kind": incident.kind,
        "shop": incident.shop,
        "order_id": incident.order_id,
        "fulfillment_id": incident.fulfillment_id,
        "sentence": incident.sentence,
        "state": incident.state,
        "opened_at": moment(incident.opened_at),
        "last_seen_at": moment(incident.last_seen_at),
        "times_seen": incident.times_seen,
        "owner": incident.owner,
        "evidence": incident.evidence,
        "curl": curl(incident, header=header_of(incident.shop)),
        "resolved_at": moment(incident.resolved_at),
        "action": incident.action,
        "resolved_by": incident.resolved_by,
        "resolved_reason": incident.resolved_reason,
        "approved_by": list(incident.approved_by),
        "proposal": _proposal(incident),
    }


def _proposal(incident: Incident) -> dict[str, Any] | None:
    """Return what waits for approval, with who stands behind it."""
    waits = incident.proposal
    if waits is None:
        return None
    return {
        "action": waits.action,
        "actor": waits.actor,
        "reason": waits.reason,
        "proposed_at": moment(waits.proposed_at),
        "approved_by": list(waits.approved_by),
        "label": asdict(PROPOSED),
    }


def whole_document(
    incident: Incident,
    header_of: HeaderOf,
    timeline: Timeline | None,
    fulfillment: dict[str, Any] | None,
    previews: Sequence[ResolutionPreview],
) -> dict[str, Any]:
    """Return an incident with its parcel, both histories, and what may be decided."""
    kind = KINDS.get(incident.kind) if incident.state == "open" else None
    return {
        **incident_document(incident, header_of),
        "to_do": kind.to_do if kind else None,
        "ends": kind.ends if kind else None,
        "meanwhile": kind.meanwhile if kind else None,
        "fulfillment": fulfillment,
        "histories": _histories(timeline) if timeline else None,
        "steps": [asdict(preview) for preview in previews],
    }


def list_rows(incidents: Sequence[Incident], *, each: bool = False) -> list[tuple[object, ...]]:
    """Return the rows of a list; many of one kind in one shop and state are one row.

    `each` asks for a row of each all the same.
    """
    if each:
        return [_own_row(incident) for incident in incidents]
    alike: dict[tuple[str, str, str], list[Incident]] = defaultdict(list)
    for incident in incidents:
        alike[incident.kind, incident.shop, _state(incident)].append(incident)
    return [row for group in alike.values() for row in _rows_of(group)]


def _rows_of(group: Sequence[Incident]) -> list[tuple[object, ...]]:
    if len(group) <= TOGETHER:
        return [_own_row(each) for each in group]
    first, last = group[0], group[-1]
    told = f"{len(group)} of them; `incidents list --shop {first.shop} --kind {first.kind}`"
    return [_row(f"{first.id}…{last.id}", first, f"{len(group)}", told)]


def _own_row(incident: Incident) -> tuple[object, ...]:
    return _row(incident.id, incident, _about(incident), incident.sentence)


def _row(number: str, first: Incident, about: str | None, says: str) -> tuple[object, ...]:
    return number, first.kind, first.shop, about, short(first.opened_at), _state(first), says


def _state(incident: Incident) -> str:
    """Return the state that a person sees: what waits for approval is no longer only open."""
    return PROPOSED.en if incident.proposal else incident.state


def _about(incident: Incident) -> str | None:
    """Return the fulfillment that an incident is about, though the ledger may not know it."""
    return incident.fulfillment_id or incident.evidence.get("fulfillment_id")


def draw_incident(page: Page, incident: Incident, document: dict[str, Any]) -> None:
    """Show an incident to a person."""
    page.say(
        *_head_lines(incident),
        f"  opened {document['opened_at']}, seen {incident.times_seen} times, "
        f"last {document['last_seen_at']}",
        *_end_lines(incident),
    )
    if document.get("fulfillment"):
        _draw_parcel(page, document["fulfillment"], document["histories"])
    page.say(*json_text(incident.evidence).splitlines())
    if document["curl"]:
        page.command(document["curl"])


def draw_outcome(page: Page, incident: Incident) -> None:
    """Show a person what became of an incident by what was just decided about it."""
    page.say(*_head_lines(incident), *_end_lines(incident))
    if incident.action and incident.fulfillment_id:
        written = f"carrierflow history {incident.shop} {incident.fulfillment_id}"
        page.say(f"  `{written}` shows what was written; the next run goes on from there")


def _head_lines(incident: Incident) -> list[str]:
    return [
        f"Incident {incident.id}: {incident.kind} ({_state(incident)})",
        incident.sentence,
        f"  shop {incident.shop}, fulfillment {_about(incident) or '-'}",
    ]


def _end_lines(incident: Incident) -> list[str]:
    """Say how an incident ended, or what its end waits for."""
    if incident.proposal:
        return _proposal_lines(incident.id, incident.proposal)
    if not incident.action:
        return []
    if incident.action not in {each.value for each in ResolveAction}:
        return [f"  closed by itself: {incident.resolved_reason}"]
    approved = f", approved by {', '.join(incident.approved_by)}" * bool(incident.approved_by)
    return [f"  {incident.action} by {incident.resolved_by}{approved}: {incident.resolved_reason}"]


def _proposal_lines(number: str, waits: Proposal) -> list[str]:
    """Say what waits, in both languages, and how it goes on."""
    approved = f", approved by {', '.join(waits.approved_by)}" * bool(waits.approved_by)
    waiting = f"{PROPOSED.en} ({PROPOSED.vi}): {waits.action} by {waits.actor}{approved}"
    return [
        f"  {waiting}: {waits.reason}",
        f"  somebody else decides: `carrierflow incidents approve {number}`, or `reject`",
    ]


def draw_steps(page: Page, document: dict[str, Any], previews: Sequence[ResolutionPreview]) -> None:
    """Show what a person can do, what that does, and what happens otherwise."""
    for name, words in (
        ("to_do", "To do"),
        ("ends", "Closes by itself when"),
        ("meanwhile", "Meanwhile"),
    ):
        if document[name]:
            page.say(f"{words}: {document[name]}.")
    for preview in previews:
        page.say(*preview_lines(preview))


def preview_lines(preview: ResolutionPreview) -> list[str]:
    """Say what a decision would do."""
    head = f"{preview.action}:"
    if preview.refused is not None:
        return [f"  {head} not now. {preview.refused}"]
    lines = [
        f"  {head} would write {each.machine} {each.from_status} → {each.to_status}"
        + (", as a correction" if each.correction else "")
        for each in preview.writes
    ]
    if preview.tells:
        lines.append(f"  {head} the next run may write {', '.join(preview.tells)}")
    if preview.people > 1:
        lines.append(f"  {head} takes {preview.people} people; it waits until others approve it")
    nothing = WITHOUT_WRITES.get(preview.action, "would write no history and tell nothing")
    return lines or [f"  {head} {nothing}"]


def _draw_parcel(page: Page, parcel: dict[str, Any], histories: dict[str, Any]) -> None:
    page.say(
        f"  order {parcel['order_id']}, waybill {parcel['tracking_number'] or '-'}, "
        f"cash {parcel['cod_amount']} VND",
    )
    sides = [(side, each) for side in ("ledger", "platform") for each in histories[side]]
    rows = [
        (each["at"], *(each["status"] if of == side else "" for of in ("ledger", "platform")))
        for side, each in sorted(sides, key=lambda pair: pair[1]["at"])
    ]
    page.table(("at", "ledger", "platform"), rows)


def _histories(timeline: Timeline) -> dict[str, Any]:
    """Return both histories: what happened by the ledger, and what the platform showed."""
    ledger = [_said(each.occurred_at, each.to_status) for each in timeline.entries]
    shown, platform = "", []
    for each in timeline.observations:
        if (words := f"{each.carrier_code}, {each.cod_code}") != shown:
            platform.append(_said(each.seen_at, words))
            shown = words
    return {"ledger": ledger, "platform": platform}


def _said(at: datetime, status: str) -> dict[str, Any]:
    return {"at": moment(at), "status": status}
