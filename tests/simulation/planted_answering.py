"""Planted bugs in what the platform is answered."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from carrierflow.carrier_service import shipments
from carrierflow.domain.model import Status
from carrierflow.platforms.haravan.callbacks import HaravanDialect
from carrierflow.reconcile import batches

from .planted import bug


@bug
def detail_tells_head():
    """Order detail tells the ledger's head."""

    def head(parcel, _track):
        return Status(parcel.delivery.status), Status(parcel.cod.status)

    return [mock.patch.object(shipments, "published_status", head)]


@bug
def detail_of_frozen():
    """Order detail of a frozen parcel tells what we know, not what the platform shows."""
    standing = shipments.published_status

    def thawed(parcel, publication_log):
        return standing(replace(parcel, frozen=None), publication_log)

    return [mock.patch.object(shipments, "published_status", thawed)]


@bug
def unsigned_believed():
    """Calls are answered whoever signed them."""
    return [mock.patch.object(HaravanDialect, "is_signed", return_value=True)]


@bug
def webhooks_trusted():
    """Webhooks are relied on, and nothing is swept."""
    return [mock.patch.object(batches, "changed_orders", return_value=())]
