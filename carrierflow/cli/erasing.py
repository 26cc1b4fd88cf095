"""`erase`: what names people, for one parcel or by age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from carrierflow.cli.ranges import DAYS
from carrierflow.cli.session import Session, command


if TYPE_CHECKING:
    from carrierflow.audit.erasure import Erased


__all__ = ["register"]


@click.group()
def erase() -> None:
    """Erase what names people; the history stays, and verifies."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(erase)


@command(
    erase,
    "parcel",
    example="carrierflow erase parcel myshop 1054978733 --actor lan",
    by_person=True,
)
@click.argument("shop")
@click.argument("fulfillment_id")
def erase_parcel(session: Session, shop: str, fulfillment_id: str) -> None:
    """Erase the notes of one parcel and the bodies of its order's webhooks, at once."""
    _tell(session, session.app.retention.erase_parcel(shop, fulfillment_id), {})


@command(erase, "old", example="carrierflow erase old --older-than 365 --dry-run")
@click.option(
    "--older-than",
    type=DAYS,
    help="Days since the parcel was closed; by default the setting retention_days.",
)
@click.option("--dry-run", is_flag=True, help="Count, and erase nothing.")
def erase_old(session: Session, older_than: float | None, *, dry_run: bool) -> None:
    """Erase notes, bodies of webhooks and names of files that are past their time.

    Only what closed parcels left behind; whatever an open one needs is kept.
    """
    retention = session.app.retention
    span = None if older_than is None else timedelta(days=older_than)
    erased = retention.past(span) if dry_run else retention.erase_past(span)
    _tell(session, erased, {"dry_run": dry_run})


def _tell(session: Session, erased: Erased, more: Mapping[str, Any]) -> None:
    verb = "would be" if more.get("dry_run") else "are"
    session.emit(
        {**more, **asdict(erased)},
        lambda c: c.say(
            f"{erased.notes} notes, {erased.webhooks} bodies of webhooks and {erased.files} names "
            f"of files {verb} erased."
        ),
    )
