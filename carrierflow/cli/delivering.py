"""`deliver`: push what happened to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from carrierflow.audit.feed.passage import DeliveryEnd
from carrierflow.audit.feed.push import Delivery
from carrierflow.cli.ranges import POSITION
from carrierflow.cli.session import (
    FAILED,
    HELD,
    INTERRUPTED,
    WORK_LEFT,
    Session,
    command,
    moment,
    short,
)
from carrierflow.cli.stopping import stopping
from carrierflow.domain.destination import DestinationStanding


__all__ = ["register", "standing_document", "standing_text"]

CODES = {
    DeliveryEnd.FAILED: FAILED,
    DeliveryEnd.GONE: FAILED,
    DeliveryEnd.HELD: HELD,
    DeliveryEnd.RESTING: WORK_LEFT,
    DeliveryEnd.LATER: WORK_LEFT,
}
"""How the command ends after the end of a delivery; the first that any of them had counts."""

SENTENCES = {
    DeliveryEnd.DONE: "has everything",
    DeliveryEnd.LATER: "has more to come",
    DeliveryEnd.FAILED: "did not take what came next",
    DeliveryEnd.RESTING: "is tried again later, or now with --to",
    DeliveryEnd.GONE: "is gone for good; --to tries it all the same",
    DeliveryEnd.HELD: "is delivered to by another process",
}


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "deliver", example="carrierflow deliver --to https://backend.example/parcels")(
        deliver
    )


@click.option(
    "--to",
    metavar="URL",
    help="Only this destination of the settings, and at once, whatever became of the last tries.",
)
@click.option(
    "--after",
    type=POSITION,
    help="Have it go on behind this place of the log: again from there, or without what is before.",
)
def deliver(session: Session, to: str | None, after: int | None) -> None:
    """Push what happened to each destination, by signed messages, until each has everything.

    The setting `destinations` names them. Each gets everything at least once and in order; one that
    did not take a message is left alone for a while, and gets the same again. Exits with 1 if one
    failed or is gone, with 3 if one is left alone for now, with 75 if another process is at it.
    """
    if after is not None and to is None:
        raise click.UsageError("--after needs --to.")
    with stopping(session) as stopped:
        done = session.app.stopped_by(stopped.is_set).deliver(to=to, after=after)
    session.emit(
        {"deliveries": [_document(each) for each in done]},
        lambda page: page.say(*map(_sentence, done)),
    )
    if code := INTERRUPTED if stopped.is_set() else _code(done):
        raise click.exceptions.Exit(code)


def _code(done: Sequence[Delivery]) -> int:
    ends = {each.end for each in done}
    return next((code for end, code in CODES.items() if end in ends), 0)


def _document(done: Delivery) -> dict[str, Any]:
    return {"end": done.end, "delivered": done.delivered, **standing_document(done.standing)}


def _sentence(done: Delivery) -> str:
    if done.problem is not None:
        return str(done.problem)
    name = done.standing.destination
    return f"{name} {SENTENCES[done.end]}; delivered now: {done.delivered}."


def standing_document(each: DestinationStanding) -> dict[str, Any]:
    """Return how far a destination is, as JSON carries it."""
    return {
        "destination": each.destination,
        "position": each.position,
        "behind": each.behind,
        "delivered_at": moment(each.delivered_at),
        "failures": each.failures,
        "failing_since": moment(each.failing_since),
        "retry_at": moment(each.retry_at),
        "problem": each.problem,
        "gone_at": moment(each.gone_at),
    }


def standing_text(each: DestinationStanding) -> str:
    """Say in a sentence how far a destination is."""
    if each.gone_at is not None:
        return f"{each.destination} said at {short(each.gone_at)} that it is gone for good."
    if each.failing_since is not None:
        return (
            f"{each.destination} has taken nothing since {short(each.failing_since)} "
            f"({each.problem}); it is tried again at {short(each.retry_at)}."
        )
    return f"{each.destination} has the log but for its last {each.behind} places."
