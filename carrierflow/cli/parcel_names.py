"""How a command is told which parcel it is about: by the platform's id, or by the waybill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from carrierflow.cli.session import Session
from carrierflow.errors import AmbiguousTrackingNumber, UnknownTrackingNumber


__all__ = ["fulfillment_of", "parcel", "parcel_and_status", "told_of"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_BY_WAYBILL = click.option(
    "--tracking-number", help="The carrier's own number, the waybill, in place of the id."
)


def parcel(function: _Command) -> _Command:
    """Let a command be told a parcel that there is; it hands all three to `fulfillment_of`."""
    for part in (
        _BY_WAYBILL,
        click.argument("fulfillment_id", required=False),
        click.argument("shop", required=False),
    ):
        function = part(function)
    return function


def fulfillment_of(
    session: Session, shop: str | None, fulfillment_id: str | None, tracking_number: str | None
) -> tuple[str, str]:
    """Return the shop and the id of the one parcel that is meant.

    Raises:
        UnknownTrackingNumber, AmbiguousTrackingNumber: if none bears the number, or several do.
    """
    if tracking_number is None:
        if shop is None or fulfillment_id is None:
            raise click.UsageError("Name SHOP and FULFILLMENT_ID, or give --tracking-number.")
        return shop, fulfillment_id
    if fulfillment_id is not None:
        raise click.UsageError("Give FULFILLMENT_ID or --tracking-number, not both.")
    found = session.app.find(tracking_number=tracking_number, shop=shop)
    if not found:
        raise UnknownTrackingNumber(shop, tracking_number)
    if len(found) > 1:
        raise AmbiguousTrackingNumber(shop, tracking_number, count=len(found))
    return found[0].ref.shop, found[0].ref.fulfillment_id


def parcel_and_status(function: _Command) -> _Command:
    """Let a command be told a parcel and a status; it hands both to `told_of`."""
    words = click.argument("words", nargs=-1, metavar="[FULFILLMENT_ID] STATUS")
    return words(_BY_WAYBILL(function))


def told_of(words: tuple[str, ...], tracking_number: str | None) -> tuple[str | None, str]:
    """Return the fulfillment's id, none where its tracking number was given, and the status."""
    match words, tracking_number:
        case (fulfillment_id, status), None:
            return fulfillment_id, status
        case (status,), str():
            return None, status
    raise click.UsageError("Name FULFILLMENT_ID and STATUS, or STATUS with --tracking-number.")
