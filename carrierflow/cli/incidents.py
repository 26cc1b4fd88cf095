"""`incidents`: what needs a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import IO, Any, NoReturn, TypeVar

import click

from carrierflow.cli.fulfillment_json import overview
from carrierflow.cli.incident_text import (
    HeaderOf,
    draw_incident,
    draw_outcome,
    draw_steps,
    incident_document,
    list_rows,
    preview_lines,
    whole_document,
)
from carrierflow.cli.parcel_list import AFTER, LINES, more
from carrierflow.cli.ranges import HOURS
from carrierflow.cli.session import FAILED, INTERRUPTED, WORK_LEFT, Session, command, tell
from carrierflow.cli.terminal import Page, json_text
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.incident_kinds import KINDS
from carrierflow.domain.listing import MOST_LISTED
from carrierflow.platforms.registry import DEFAULT, PLATFORMS
from carrierflow.reconcile.platform_report import platform_report
from carrierflow.reconcile.rehearsal import ResolutionPreview
from carrierflow.reconcile.request_collection import postman


__all__ = ["emit_proposal", "register"]

F = TypeVar("F", bound=Callable[..., Any])

UNTOUCHED = "Nothing was done."


@click.group()
def incidents() -> None:
    """See and resolve what needs a person."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(incidents)


def narrowed(function: F) -> F:
    """Give a command the options that say which incidents it is about."""
    for option in (
        click.option(
            "--older-than", "hours", type=HOURS, help="Only what is open for so many hours."
        ),
        click.option("--shop", help="Only this shop."),
        click.option("--kind", type=click.Choice(list(KINDS)), help="Only this kind."),
    ):
        function = option(function)
    return function


def many(function: F) -> F:
    """Give a command that changes incidents one of them, or a choice that is confirmed first."""
    for option in (
        click.option("--yes", is_flag=True, help="Do it without asking."),
        click.option("--all", "everything", is_flag=True, help="All that are open."),
    ):
        function = option(function)
    return click.argument("incident_id", metavar="[ID]", required=False)(narrowed(function))


@command(incidents, "list", example="carrierflow incidents list --shop myshop")
@narrowed
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@AFTER
@click.option("--limit", type=LINES, help="How long a page is; all of them if none.")
def list_incidents(
    session: Session,
    kind: str | None,
    shop: str | None,
    hours: float | None,
    after: str | None,
    limit: int | None,
    *,
    everything: bool,
) -> None:
    """List what needs a person, oldest first; many of one kind in one shop are one line.

    With --kind, each is a line. The next page is asked for by --after and the same options.
    """
    state = None if everything else "open"
    if after is None and limit is None:
        found, cursor = _narrowed(session, state, kind, shop, hours), None
    else:
        page = session.app.incidents.page(
            shop=shop,
            state=state,
            kind=kind,
            opened_before=_before(session, hours),
            after=after,
            limit=limit or MOST_LISTED,
        )
        found, cursor = list(page.incidents), page.next
    header_of = _headers(session)
    documents = [incident_document(incident, header_of) for incident in found]
    columns = ("id", "kind", "shop", "fulfillment", "opened_at", "state", "sentence")
    rows = list_rows(found, each=kind is not None)

    def draw(to: Page) -> None:
        to.table(columns, rows)
        more(to, cursor)

    session.emit({"incidents": documents, "next": cursor}, draw)


@command(incidents, "show", example="carrierflow incidents show 7")
@click.argument("incident_id", metavar="ID")
def show(session: Session, incident_id: str) -> None:
    """Show one incident with both sides' history, and what each decision would do."""
    app = session.app
    incident = app.incidents.get(incident_id)
    timeline = fulfillment = None
    if incident.order_id is not None and incident.fulfillment_id is not None:
        timeline = app.timeline(incident.shop, incident.fulfillment_id)
        fulfillment = overview(timeline.parcel, app.projection_of)
    previews = _possible(session, incident)
    document = whole_document(incident, _headers(session), timeline, fulfillment, previews)

    def draw(page: Page) -> None:
        draw_incident(page, incident, document)
        draw_steps(page, document, previews)

    session.emit(document, draw)


def _possible(session: Session, incident: Incident) -> list[ResolutionPreview]:
    """Return what can be decided about an incident, with what each decision would do."""
    actions: tuple[ResolveAction, ...] = (ResolveAction.RESUME,)
    if incident.proposal is not None:
        return []
    if incident.state == "open":
        actions = KINDS[incident.kind].actions if incident.kind in KINDS else tuple(ResolveAction)
    elif incident.action != ResolveAction.ABANDON:
        return []
    return [session.app.incidents.preview(incident.id, action) for action in actions]


@command(incidents, "assign", example="carrierflow incidents assign 7 --owner lan --actor mai")
@many
@click.option("--owner", required=True, help="Who looks after it: a code of your own.")
@click.option("--actor", required=True, help="Who says so: a code of your own, not a name.")
def assign(
    session: Session,
    incident_id: str | None,
    kind: str | None,
    shop: str | None,
    hours: float | None,
    owner: str,
    actor: str,
    *,
    everything: bool,
    yes: bool,
) -> None:
    """Write who looks after one incident, or after all that the options choose."""
    chosen = _chosen(session, incident_id, kind, shop, hours, everything=everything)
    _confirm(session, chosen, f"Assign these to {owner}?", yes=yes or incident_id is not None)
    done = [session.app.incidents.assign(each.id, owner, actor=actor) for each in chosen]
    _emit_done(session, done, many=incident_id is None)


@command(
    incidents,
    "resolve",
    example="carrierflow incidents resolve 7 --action adopt --actor lan --reason shop-is-right",
)
@many
@click.option(
    "--action",
    type=click.Choice([action.value for action in ResolveAction]),
    required=True,
    help="What to do about it.",
)
@click.option("--actor", required=True, help="Who decides: a code of your own, not a name.")
@click.option("--reason", required=True, help="Why.")
@click.option("--dry-run", is_flag=True, help="Say what it would write and have told.")
def resolve(
    session: Session,
    incident_id: str | None,
    kind: str | None,
    shop: str | None,
    hours: float | None,
    action: str,
    actor: str,
    reason: str,
    *,
    everything: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Carry out a decision; who decided and why is kept for ever.

    unfreeze looks again; adopt makes the ledger say what the platform shows; reassert tells
    the platform where the parcel stands; abandon stops looking after the fulfillment, and
    resume takes that back. What the options choose is shown first, and done after a yes.

    What takes more people than one is only proposed; exits with 3 where anything is.
    """
    wanted, desk = ResolveAction(action), session.app.incidents
    chosen = _chosen(session, incident_id, kind, shop, hours, everything=everything)
    if dry_run:
        _rehearse(session, [desk.preview(each.id, wanted) for each in chosen])
        return
    _confirm(session, chosen, f"Resolve these with {action}?", yes=yes or incident_id is not None)
    done = [desk.resolve(each.id, wanted, actor=actor, reason=reason) for each in chosen]
    _emit_done(session, done, many=incident_id is None)
    _exit_if_waiting(done)


@command(incidents, "approve", example="carrierflow incidents approve 7 --actor mai")
@click.argument("incident_id", metavar="ID")
@click.option("--actor", required=True, help="Who approves: a code of your own, not a name.")
def approve(session: Session, incident_id: str, actor: str) -> None:
    """Approve what somebody else proposed; the last who has to has it carried out.

    Exits with 3 where more people have to.
    """
    done = session.app.incidents.approve(incident_id, actor=actor)
    _emit_done(session, [done], many=False)
    _exit_if_waiting([done])


@command(
    incidents,
    "reject",
    example="carrierflow incidents reject 7 --actor mai --reason parcel-found",
)
@click.argument("incident_id", metavar="ID")
@click.option("--actor", required=True, help="Who rejects: a code of your own, not a name.")
@click.option("--reason", required=True, help="Why.")
def reject(session: Session, incident_id: str, actor: str, reason: str) -> None:
    """Take away what was proposed; the incident stays open, unless it is a correction."""
    done = session.app.incidents.reject(incident_id, actor=actor, reason=reason)
    _emit_done(session, [done], many=False)


def emit_proposal(session: Session, waiting: Incident) -> NoReturn:
    """Show an incident that waits for approval, and exit as where work is left."""
    _emit_done(session, [waiting], many=False)
    raise click.exceptions.Exit(WORK_LEFT)


def _exit_if_waiting(done: Sequence[Incident]) -> None:
    if any(each.proposal for each in done):
        raise click.exceptions.Exit(WORK_LEFT)


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
    collection = postman(found, header_of=_headers(session))
    out.write(json_text(collection) + "\n")


@command(incidents, "report", example="carrierflow incidents report 7")
@click.argument("incident_id", metavar="ID")
def report(session: Session, incident_id: str) -> None:
    """Print what to write to the platform's own people, with the request as a curl line."""
    incident = session.app.incidents.get(incident_id)
    letter = platform_report(incident, header=_headers(session)(incident.shop))

    def draw(page: Page) -> None:
        for line in letter.splitlines():
            (page.command if line.startswith("curl ") else page.say)(line)

    session.emit({"letter": letter}, draw)


def _headers(session: Session) -> HeaderOf:
    """Return what says of a shop in which header its platform takes the token, and in what form."""

    @cache
    def header_of(code: str) -> tuple[str, str]:
        return PLATFORMS.get(session.app.shops.get(code).platform, DEFAULT).token_header

    return header_of


def _narrowed(
    session: Session, state: str | None, kind: str | None, shop: str | None, hours: float | None
) -> list[Incident]:
    before = _before(session, hours)
    return [
        each
        for each in session.app.incidents.all(shop=shop, state=state)
        if kind in {None, each.kind} and (before is None or each.opened_at <= before)
    ]


def _before(session: Session, hours: float | None) -> datetime | None:
    return None if hours is None else session.app.now() - timedelta(hours=hours)


def _chosen(
    session: Session,
    incident_id: str | None,
    kind: str | None,
    shop: str | None,
    hours: float | None,
    *,
    everything: bool,
) -> list[Incident]:
    """Return the one incident of an id, or the open ones that options choose."""
    by_options = everything or (kind, shop, hours) != (None, None, None)
    if incident_id is not None:
        if by_options:
            raise click.UsageError("Give an ID, or say by options which incidents; not both.")
        return [session.app.incidents.get(incident_id)]
    if not by_options:
        raise click.UsageError("Give an ID, or --kind, --shop, --older-than or --all.")
    return _narrowed(session, "open", kind, shop, hours)


def _confirm(session: Session, chosen: Sequence[Incident], question: str, *, yes: bool) -> None:
    """Show what was chosen, and go on after a yes; a program has to have said it beforehand."""
    if yes or not chosen:
        return
    if session.as_json:
        raise click.UsageError("With --json nobody can be asked; add --yes, or try --dry-run.")
    tell(
        *(
            f"{number} {kind} {shop} {about or '-'}"
            for number, kind, shop, about, *_ in list_rows(chosen)
        )
    )
    if not _says_yes(f"{len(chosen)} incidents. {question}"):
        tell(UNTOUCHED)
        raise click.exceptions.Exit(FAILED)


def _says_yes(question: str) -> bool:
    """Ask a person; Ctrl-C and an input that ends are no answer."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        tell(UNTOUCHED)
        raise click.exceptions.Exit(INTERRUPTED) from None


def _rehearse(session: Session, previews: Sequence[ResolutionPreview]) -> None:
    lines = [
        line
        for preview in previews
        for line in (f"Incident {preview.incident}", *preview_lines(preview))
    ]
    document = {"previews": [asdict(preview) for preview in previews]}
    session.emit(document, lambda page: page.say(*lines, "Nothing was written."))
    if any(preview.refused is not None for preview in previews):
        raise click.exceptions.Exit(FAILED)  # as without --dry-run


def _emit_done(session: Session, done: Sequence[Incident], *, many: bool) -> None:
    """Show what became of the incidents; the only one by itself."""
    header_of = _headers(session)
    documents = [incident_document(incident, header_of) for incident in done]
    if many:
        waiting = sum(each.proposal is not None for each in done)
        said = f"Incidents: {len(done)}." + (f" Waiting for approval: {waiting}." * bool(waiting))
        session.emit({"incidents": documents}, lambda page: page.say(said))
    else:
        session.emit(documents[0], lambda page: draw_outcome(page, done[0]))
