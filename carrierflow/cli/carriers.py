"""`carrier`: this carrier in the shops' lists of carriers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from carrierflow.cli.session import Session, command
from carrierflow.shops import Done, Registered


__all__ = ["register"]

SENTENCES = {
    Done.CREATED: "The carrier is registered in shop {shop} now, as {id}.",
    Done.CHANGED: "The registration {id} in shop {shop} is as it should be now.",
    Done.UNCHANGED: "The registration {id} in shop {shop} was as it should be.",
    Done.REMOVED: "The carrier is no longer registered in shop {shop}.",
    Done.ABSENT: "The carrier was not registered in shop {shop}.",
}
COLUMNS = ("id", "name", "code", "ours")


@click.group()
def carrier() -> None:
    """Register this carrier in shops, so that the platform calls it."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(carrier)


def _emit(session: Session, found: Registered) -> None:
    registration = asdict(found.registration) if found.registration else None
    document: dict[str, Any] = {
        "shop": found.shop,
        "done": found.done,
        "registration": registration,
    }
    named = {"shop": found.shop, "id": registration["id"] if registration else None}
    session.emit(document, lambda c: c.say(SENTENCES[found.done].format(**named)))


@command(carrier, "register", example="carrierflow carrier register myshop")
@click.argument("shop")
def register_carrier(session: Session, shop: str) -> None:
    """See to it that a shop knows this carrier, once, with the right addresses.

    Doing it again changes nothing, and mends what somebody changed.
    """
    _emit(session, session.app.carriers.register(shop))


@command(carrier, "list", example="carrierflow carrier list myshop")
@click.argument("shop")
def list_carriers(session: Session, shop: str) -> None:
    """List every carrier that a shop knows, and which one this is."""
    found = session.app.carriers.listed(shop)
    carriers = [
        {"id": row.ids[0] if row.ids else None, "name": row.name, "code": row.code, "ours": ours}
        for row, ours in found
    ]
    rows = [
        [each["id"], each["name"], each["code"], "yes" if each["ours"] else ""] for each in carriers
    ]
    session.emit({"carriers": carriers}, lambda c: c.table(COLUMNS, rows))


@command(carrier, "update", example="carrierflow carrier update myshop --inactive")
@click.argument("shop")
@click.option("--active/--inactive", default=None, help="Whether sellers can choose this carrier.")
def update_carrier(session: Session, shop: str, *, active: bool | None) -> None:
    """Mend the registration in a shop, and switch it on or off for sellers."""
    _emit(session, session.app.carriers.update(shop, active=active))


@command(carrier, "unregister", example="carrierflow carrier unregister myshop")
@click.argument("shop")
@click.option("--force", is_flag=True, help="Also while parcels are open there.")
def unregister_carrier(session: Session, shop: str, *, force: bool) -> None:
    """Take this carrier out of a shop; the platform calls it there no more."""
    _emit(session, session.app.carriers.unregister(shop, force=force))
