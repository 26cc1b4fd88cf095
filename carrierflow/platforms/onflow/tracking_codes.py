"""What names a shipment of Onflow's, and the addresses that are made of it.

The document of the cancel prints an example whose code is missing: `/api/v1/shipments/b2c//cancel`.
Nobody knows what Onflow does with that, so nothing but a code ever gets into an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from carrierflow.domain.limits import ID
from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import ConfigurationError


__all__ = ["ShipmentPaths", "is_shipment", "is_tracking_code"]

_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{ID - 1}}}")
_PLACE = "{tracking_code}"
_TEMPLATE = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/\{tracking_code\}(?:/[A-Za-z0-9._~-]+)*")
_STEPS = {".", ".."}


def is_tracking_code(text: str) -> bool:
    """Tell whether a text can be one segment of an address, as `OASC…` can.

    All codes printed begin with OASC; what else they may begin with is not documented.
    """
    return _CODE.fullmatch(text) is not None


def is_shipment(ref: FulfillmentRef) -> bool:
    """Tell whether a reference names a shipment: order and fulfillment are one tracking code."""
    return ref.order_id == ref.fulfillment_id and is_tracking_code(ref.fulfillment_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipmentPaths:
    """Where below the base URL a shipment is read and cancelled.

    The cancel is printed so. The detail was printed so once; its siblings have `b2c` in between.

    Raises:
        ConfigurationError: one is no path with exactly one `{tracking_code}`, as a segment.
    """

    detail: str = f"/api/v1/shipments/{_PLACE}/detail"
    cancel: str = f"/api/v1/shipments/b2c/{_PLACE}/cancel"

    def __post_init__(self) -> None:
        for template in (self.detail, self.cancel):
            if not _TEMPLATE.fullmatch(template) or _STEPS & {*template.split("/")}:
                raise ConfigurationError(
                    f"{template!r} is no path of Onflow's; it begins with / and has "
                    f"{_PLACE} as one of its segments."
                )

    def detail_of(self, code: str) -> str:
        """Return where a shipment is read."""
        return _filled(self.detail, code)

    def cancel_of(self, code: str) -> str:
        """Return where a shipment is cancelled."""
        return _filled(self.cancel, code)


def _filled(template: str, code: str) -> str:
    return template.replace(_PLACE, quote(code, safe=""))
