"""`list`: fulfillments by where they stand, page by page."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import click

from carrierflow.cli.fulfillment_json import overview
from carrierflow.cli.session import Session, command, short
from carrierflow.cli.spans import SPAN
from carrierflow.cli.terminal import Page
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.listing import MOST_LISTED
from carrierflow.domain.model import Machine, Status


__all__ = ["AFTER", "LINES", "more", "register"]

AFTER = click.option("--after", metavar="CURSOR", help="Go on where the page before ended.")
LINES = click.IntRange(1, MOST_LISTED)

COLUMNS = ("shop", "fulfillment", "tracking number", "status", "since", "remark")


def register(cli: click.Group) -> None:
    """Add this command."""
    example = "carrierflow list --status delivering --stuck-for 3d"
    command(cli, "list", example=example)(list_fulfillments)


def _statuses(machine: Machine) -> click.Choice:  # type: ignore[type-arg]  # click 8.1 takes none
    return click.Choice([status.value for status in Status if status.machine is machine])


@click.option("--shop", help="Only this shop.")
@click.option("--status", type=_statuses(Machine.DELIVERY), help="Only what stands there.")
@click.option("--cod-status", type=_statuses(Machine.COD), help="Only what its cash stands at.")
@click.option(
    "--stuck-for", type=SPAN, help="Only what has stood where it stands so long: 3d, 36h, 90m."
)
@click.option("--frozen", is_flag=True, help="Only what waits for a person.")
@click.option("--unpublished", is_flag=True, help="Only what the platform does not show yet.")
@click.option("--order", "order_id", metavar="ORDER_ID", help="Only this order.")
@click.option("--tracking-number", help="Only what bears this number, the waybill.")
@AFTER
@click.option("--limit", type=LINES, default=50, show_default=True, help="How long a page is.")
def list_fulfillments(
    session: Session,
    status: str | None,
    cod_status: str | None,
    stuck_for: timedelta | None,
    *,
    frozen: bool,
    unpublished: bool,
    **asked: Any,
) -> None:
    """List fulfillments that are all of what the options say, page by page.

    With --status or --stuck-for those that have stood there longest come first, else they are
    sorted by shop and fulfillment. --stuck-for alone leaves out what stands at a final status. The
    next page is asked for by --after and the same options.
    """
    app = session.app
    page = app.fulfillments(
        status=Status(status) if status else None,
        cod_status=Status(cod_status) if cod_status else None,
        since_before=None if stuck_for is None else app.now() - stuck_for,
        frozen=frozen or None,
        unpublished=unpublished or None,
        **asked,
    )
    projection_of = cache(app.projection_of)
    found = [overview(parcel, projection_of) for parcel in page.fulfillments]

    def draw(to: Page) -> None:
        to.table(COLUMNS, [_row(parcel) for parcel in page.fulfillments])
        more(to, page.next)

    session.emit({"fulfillments": found, "next": page.next}, draw)


def _row(parcel: Fulfillment) -> tuple[object, ...]:
    remarks = []
    if parcel.frozen is not None:
        remarks.append(f"frozen: {parcel.frozen}")
    if parcel.unpublished:
        remarks.append(f"{parcel.unpublished} unpublished")
    return (
        parcel.ref.shop,
        parcel.ref.fulfillment_id,
        parcel.tracking_number,
        parcel.delivery.status,
        short(parcel.entered_at),
        ", ".join(remarks),
    )


def more(page: Page, cursor: str | None) -> None:
    """Say how to ask for what comes after a page."""
    if cursor is not None:
        page.say("", "There are more; ask for them with the same options and")
        page.say(f"  --after {cursor}")
