"""Whether a platform accepts a shop's token, asked by a read that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.domain.shop import Shop
from carrierflow.errors import (
    AccessDenied,
    CarrierflowError,
    InvalidInput,
    PlatformUnavailable,
    ShopRevoked,
)
from carrierflow.reconcile.ports import Platform


__all__ = ["NOBODYS_ORDER", "UNREAD", "ShopCheck", "TokenState", "check_shop", "require_accepted"]

NOBODYS_ORDER = "1"
"""Whether there is such an order does not matter: only a token that opens is told."""

UNREAD = (AccessDenied, PlatformUnavailable, ShopRevoked)
"""What keeps one shop from being read, and no other."""


class TokenState(StrEnum):
    """What is known of a shop's token after the platform was asked."""

    GOOD = "good"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    """The platform did not answer, so nothing is known."""
    NONE = "none"
    """The shop is revoked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopCheck:
    """What came of asking a shop's platform."""

    shop: str
    token: TokenState
    sentence: str

    @classmethod
    def of(cls, shop: str, error: CarrierflowError) -> ShopCheck:
        """Return what an error of `UNREAD` says about a shop."""
        return cls(shop=shop, token=_state_after(error), sentence=str(error))


def _state_after(error: CarrierflowError) -> TokenState:
    if isinstance(error, AccessDenied):
        return TokenState.REFUSED
    return TokenState.NONE if isinstance(error, ShopRevoked) else TokenState.UNREACHABLE


def check_shop(shop: Shop, connect: Callable[[Shop], Platform]) -> ShopCheck:
    """Ask for an order, to learn if the token is accepted; nothing is changed.

    Raises:
        WrongSecretKey: if the token does not open here.
    """
    try:
        _ask(shop, connect)
    except UNREAD as error:
        return ShopCheck.of(shop.code, error)
    return ShopCheck(
        shop=shop.code, token=TokenState.GOOD, sentence="The platform accepts the token."
    )


def require_accepted(shop: Shop, connect: Callable[[Shop], Platform]) -> None:
    """Ask for an order, so that nobody connects a shop that cannot be read.

    Raises:
        InvalidInput: if the token is refused, or the host does not answer.
    """
    try:
        _ask(shop, connect)
    except UNREAD as error:
        raise InvalidInput(
            f"{str(error).rstrip('.')}; shop {shop.code!r} was not added "
            "(`--no-check` adds it untried)."
        ) from error


def _ask(shop: Shop, connect: Callable[[Shop], Platform]) -> None:
    platform = connect(shop)
    try:
        platform.order(NOBODYS_ORDER)
    finally:
        platform.close()
