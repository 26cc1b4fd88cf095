"""`webhooks`: what a shop tells us by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from carrierflow.carrier_service.registration import Subscription
from carrierflow.cli.session import Session, command
from carrierflow.cli.terminal import Page


__all__ = ["register"]

COLUMNS = ("id", "topic", "url")


@click.group()
def webhooks() -> None:
    """Switch a shop's webhooks on and off."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(webhooks)


def _emit(session: Session, shop: str, found: Sequence[Subscription], sentence: str) -> None:
    rows = [[row.id, row.topic, row.url] for row in found]

    def draw(page: Page) -> None:
        if rows:
            page.table(COLUMNS, rows)
        page.say(sentence)

    session.emit({"shop": shop, "subscriptions": [asdict(row) for row in found]}, draw)


@command(webhooks, "subscribe", example="carrierflow webhooks subscribe myshop")
@click.argument("shop")
def subscribe(session: Session, shop: str) -> None:
    """Switch a shop's webhooks on; doing it again changes nothing.

    From then on `reconcile` looks once an hour whether the platform dropped them, and switches
    them on again.
    """
    found = session.app.webhooks.subscribe(shop)
    _emit(session, shop, found, f"The webhooks of shop {shop} are on.")


@command(webhooks, "list", example="carrierflow webhooks list myshop")
@click.argument("shop")
def list_webhooks(session: Session, shop: str) -> None:
    """List what a shop sends by webhook, and where to."""
    found = session.app.webhooks.listed(shop)
    state = "on" if found else "off"
    _emit(session, shop, found, f"The webhooks of shop {shop} are {state}.")


@command(webhooks, "unsubscribe", example="carrierflow webhooks unsubscribe myshop")
@click.argument("shop")
def unsubscribe(session: Session, shop: str) -> None:
    """Switch a shop's webhooks off; runs find out what changed, only later."""
    session.app.webhooks.unsubscribe(shop)
    _emit(session, shop, [], f"The webhooks of shop {shop} are off.")
