"""Who may do what in which shop: bearer tokens, and the scopes that each was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


__all__ = ["Grants", "ScopeGrant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeGrant:
    """What one token opens; without scopes everything, without an end for ever."""

    shop: str
    scopes: AbstractSet[str] | None = None
    until: int | None = None

    def allows(self, scope: str) -> bool:
        """Whether the token has a scope; one for writing includes the one for reading."""
        wider = scope.replace(".read_", ".write_")
        return self.scopes is None or scope in self.scopes or wider in self.scopes


class Grants:
    """The tokens that are good for something."""

    def __init__(self) -> None:
        self._grants: dict[str, ScopeGrant] = {}

    def __contains__(self, token: str) -> bool:
        return token in self._grants

    def add(self, token: str, grant: ScopeGrant) -> None:
        """Let a token open a shop.

        Raises:
            BadInput: if the token is taken.
        """
        if token in self._grants:
            raise BadInput("A shop with the same token exists already.")
        self._grants[token] = grant

    def of(self, token: str, now: int) -> ScopeGrant | None:
        """Return what a token opens at this moment, if anything."""
        grant = self._grants.get(token)
        is_over = grant is not None and grant.until is not None and grant.until <= now
        return None if is_over else grant

    def opens(self, shop: str) -> bool:
        """Whether any token opens a shop."""
        return any(grant.shop == shop for grant in self._grants.values())

    def withdraw(self, token: str) -> None:
        """Let a token open nothing any more."""
        self._grants.pop(token, None)

    def close(self, shop: str) -> None:
        """Let no token open a shop any more."""
        self._grants = {token: grant for token, grant in self._grants.items() if grant.shop != shop}
