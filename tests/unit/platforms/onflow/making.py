"""Replies of Onflow's as its documents print them, and the question that they answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from carrierflow.platforms.http.replies import PlatformReply, parse_document
from carrierflow.platforms.onflow.shipment_detail import ShipmentQuestion


PAYLOADS = Path(__file__).parents[3] / "payloads" / "onflow"
ASKED = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)
SEEN = datetime(2026, 3, 28, 1, 31, tzinfo=UTC)
CODE = "OASC51090555"
QUESTION = ShipmentQuestion(shop="w1", code=CODE, asked_at=ASKED, seen_at=SEEN)


def printed(name):
    """Return a printed body, byte by byte; codes, waybills and SKUs in them are invented."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def envelope(name):
    """Return the document of a printed body."""
    return parse_document(printed(name))


def detail(**changes):
    """Return the printed detail of a shipment that was handed over, with changes."""
    return envelope("shipment_handed_over")["data"] | changes


def reply(body, *, status=200):
    """Return a reply of so many bytes."""
    return PlatformReply(
        status=status, headers={}, body=body, flaw=None, asked_at=ASKED, seen_at=SEEN
    )
