"""`revise`: what was agreed about a parcel."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from carrierflow.cli.incidents import emit_proposal
from carrierflow.cli.ranges import CASH
from carrierflow.cli.recording import entry_document
from carrierflow.cli.session import Session, command
from carrierflow.domain.revision import Revised, Revision


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add this command."""
    example = (
        "carrierflow revise myshop 1054978733 --cod-amount 450000 --actor lan "
        "--reason seller-lowered-it"
    )
    command(cli, "revise", example=example)(revise)


@click.argument("shop")
@click.argument("fulfillment_id")
@click.option("--cod-amount", type=CASH, help="Cash to collect from now on, in whole đồng.")
@click.option("--tracking-number", help="The carrier's own number from now on, the waybill.")
@click.option("--actor", required=True, help="Who changes it: a code of your own, not a name.")
@click.option("--reason", required=True, help="Why it is changed.")
@click.option("--correction", is_flag=True, help="Another amount was collected than was written.")
def revise(session: Session, shop: str, fulfillment_id: str, **given: Any) -> None:
    """Change what was agreed about a fulfillment: its cash to collect, or its waybill.

    The same once more writes nothing. The amount of cash that was collected changes only with
    --correction. Where corrections take more people than one, such a change is only proposed, and
    somebody else has to approve the incident that it is; it exits with 3 then.
    """
    ref = session.app.parcel(shop, fulfillment_id).ref
    answer = session.app.incidents.revise(Revision(ref=ref, **given))
    if isinstance(answer, Revised):
        session.emit(_document(answer), lambda c: c.say(answer.sentence))
    else:
        emit_proposal(session, answer)


def _document(answer: Revised) -> dict[str, Any]:
    return {
        "shop": answer.ref.shop,
        "order_id": answer.ref.order_id,
        "fulfillment_id": answer.ref.fulfillment_id,
        "revision": answer.number,
        "changed": answer.changed,
        "sentence": answer.sentence,
        "before": asdict(answer.before),
        "after": asdict(answer.after),
        "entries": [entry_document(entry) for entry in answer.entries],
    }
