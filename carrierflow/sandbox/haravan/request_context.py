"""A request that has passed the door, as the handlers of the platform's calls see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.list_queries import Reading
from carrierflow.sandbox.haravan.parcels import Order, ParcelRef
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.exchange import HttpRequest
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["RequestContext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """A request that has passed the door, with what its handler needs."""

    world: World
    shop: SandboxShop
    request: HttpRequest
    reading: Reading
    args: Mapping[str, str]

    @property
    def order_id(self) -> int:
        """The order that the path names."""
        return int(self.args["order"])

    @property
    def ref(self) -> ParcelRef:
        """The fulfillment that the path names."""
        return ParcelRef(self.shop.code, self.order_id, int(self.args["fulfillment"]))

    def order(self) -> Order:
        """Return the order that the path names, as true as the reading is."""
        return self.shop.order(self.order_id, self.reading.as_of)

    def wrapped(self, name: str) -> dict[str, Any]:
        """Return the object that the body wraps under a name."""
        inner = self.request.payload().get(name)
        if not isinstance(inner, dict):
            raise BadInput(f"The body has no object named {name!r}.")
        return inner
