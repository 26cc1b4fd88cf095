"""Onflow: a warehouse's stages, its Open API, and what its webhooks hint at."""

from carrierflow.platforms.onflow.onflow_platform import OnflowPlatform
from carrierflow.platforms.onflow.status_hints import OnflowHints, is_admitted
from carrierflow.platforms.onflow.tracking_codes import ShipmentPaths


__all__ = ["OnflowHints", "OnflowPlatform", "ShipmentPaths", "is_admitted"]
