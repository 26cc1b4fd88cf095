"""Onflow: a warehouse's stages, its Open API, and what its webhooks hint at."""

from carrierflow.platforms.onflow.onflow_platform import OnflowPlatform
from carrierflow.platforms.onflow.status_hints import hinted_shipment, is_admitted
from carrierflow.platforms.onflow.tracking_codes import ShipmentPaths


__all__ = ["OnflowPlatform", "ShipmentPaths", "hinted_shipment", "is_admitted"]
