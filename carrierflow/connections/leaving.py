"""Whether an app is still in a shop, asked of the platform itself."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from carrierflow.domain.shop import Shop
from carrierflow.errors import AccessDenied, ShopRevoked
from carrierflow.ports import Platform


__all__ = ["is_gone"]

NOBODYS_ORDER = "1"
"""Whether there is such an order does not matter: only a token that opens is told."""


def is_gone(shop: Shop, connect: Callable[[Shop], Platform]) -> bool:
    """Tell whether the shop's token opens nothing any more; one that lacks a right still opens.

    Raises:
        PlatformUnavailable: if the platform does not say.
        WrongSecretKey: if the token does not open here.
    """
    try:
        platform = connect(shop)
    except ShopRevoked:
        return True
    try:
        platform.order(NOBODYS_ORDER)
    except AccessDenied as error:
        return error.http_status != HTTPStatus.FORBIDDEN
    finally:
        platform.close()
    return False
