"""`incidents`: what needs a person."""

from __future__ import annotations

from typing import IO, Any

import click

from carrierflow.cli.session import Session, command, moment
from carrierflow.cli.terminal import Page, json_text
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.platform_report import platform_report
from carrierflow.reconcile.request_collection import postman
from carrierflow.reconcile.resolution import curl


__all__ = ["register"]


@click.group()
def incidents() -> None:
    """See and resolve what needs a person."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(incidents)


def document_of(incident: Incident) -> dict[str, Any]:
    """Return an incident as JSON carries it."""
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
        "curl": curl(incident),
        "resolved_at": moment(incident.resolved_at),
        "action": incident.action,
        "resolved_by": incident.resolved_by,
        "resolved_reason": incident.resolved_reason,
    }


@command(incidents, "list", example="carrierflow incidents list --shop myshop")
@click.option("--shop", help="Only this shop.")
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
def list_incidents(session: Session, shop: str | None, *, everything: bool) -> None:
    """List what needs a person, oldest first."""
    found = session.app.incidents.all(shop=shop, state=None if everything else "open")
    documents = [document_of(incident) for incident in found]
    columns = ("id", "kind", "shop", "fulfillment_id", "opened_at", "state", "sentence")
    rows = [[each[name] for name in columns] for each in documents]
    session.emit({"incidents": documents}, lambda c: c.table(columns, rows))


@command(incidents, "show", example="carrierflow incidents show 7")
@click.argument("incident_id", metavar="ID")
def show(session: Session, incident_id: str) -> None:
    """Show one incident with its evidence, and the request to repeat by hand."""
    _emit(session, session.app.incidents.get(incident_id))


@command(incidents, "assign", example="carrierflow incidents assign 7 --owner lan")
@click.argument("incident_id", metavar="ID")
@click.option("--owner", required=True, help="Who looks after it: a code of your own.")
def assign(session: Session, incident_id: str, owner: str) -> None:
    """Write who looks after an incident."""
    _emit(session, session.app.incidents.assign(incident_id, owner))


@command(
    incidents,
    "resolve",
    example="carrierflow incidents resolve 7 --action adopt --actor lan --reason shop-is-right",
)
@click.argument("incident_id", metavar="ID")
@click.option(
    "--action",
    type=click.Choice([action.value for action in ResolveAction]),
    required=True,
    help="What to do about it.",
)
@click.option("--actor", required=True, help="Who decides: a code of your own, not a name.")
@click.option("--reason", required=True, help="Why.")
def resolve(session: Session, incident_id: str, action: str, actor: str, reason: str) -> None:
    """Carry out a decision; who decided and why is kept for ever.

    unfreeze looks again; adopt makes the ledger say what the platform shows; reassert tells
    the platform where the parcel stands; abandon stops looking after the fulfillment.
    """
    done = session.app.incidents.resolve(
        incident_id, ResolveAction(action), actor=actor, reason=reason
    )
    _emit(session, done)


@command(incidents, "export", example="carrierflow incidents export --out incidents.json")
@click.option(
    "--out", type=click.File("w", encoding="utf-8"), default="-", help="Where to; stdout if none."
)
@click.option("--shop", help="Only this shop.")
def export(session: Session, out: IO[str], shop: str | None) -> None:
    """Write the requests of open incidents as a Postman collection, without tokens.

    Each shop's token is a variable of its own, token_ and its code. Every request has a test, so
    that `newman run` fails where one is refused.
    """
    found = session.app.incidents.all(shop=shop)
    collection = postman(found, header_of=lambda code: _header_of(session, code))
    out.write(json_text(collection) + "\n")


@command(incidents, "report", example="carrierflow incidents report 7")
@click.argument("incident_id", metavar="ID")
def report(session: Session, incident_id: str) -> None:
    """Print what to write to the platform's own people, with the request as a curl line."""
    incident = session.app.incidents.get(incident_id)
    letter = platform_report(incident, header=_header_of(session, incident.shop))

    def draw(page: Page) -> None:
        for line in letter.splitlines():
            (page.command if line.startswith("curl ") else page.say)(line)

    session.emit({"letter": letter}, draw)


def _header_of(session: Session, code: str) -> tuple[str, str]:
    return PLATFORMS[session.app.shops.get(code).platform].token_header


def _emit(session: Session, incident: Incident) -> None:
    document = document_of(incident)
    lines = [
        f"Incident {incident.id}: {incident.kind} ({incident.state})",
        incident.sentence,
        f"  shop {incident.shop}, fulfillment {incident.fulfillment_id or '-'}",
        f"  opened {document['opened_at']}, seen {incident.times_seen} times",
        *json_text(incident.evidence).splitlines(),
    ]
    if incident.action:
        lines.append(f"  {incident.action} by {incident.resolved_by}: {incident.resolved_reason}")

    def draw(page: Page) -> None:
        page.say(*lines)
        if document["curl"]:
            page.command(document["curl"])

    session.emit(document, draw)
