"""How a shop stands after what was done to it, act after act."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.shop import ShopState
from carrierflow.storage.shops import options_text


__all__ = ["ACTS", "Act", "shop_after"]

Act = tuple[str, Mapping[str, Any]]
"""What was done, and what it says of the shop."""

FIRST = {AdministrationKind.SHOP_ADDED, AdministrationKind.BROUGHT_IN}

STATE_AFTER: Mapping[str, ShopState] = {
    AdministrationKind.SHOP_ADDED: ShopState.ACTIVE,
    AdministrationKind.SHOP_PAUSED: ShopState.PAUSED,
    AdministrationKind.SHOP_RESUMED: ShopState.ACTIVE,
    AdministrationKind.SHOP_REVOKED: ShopState.REVOKED,
}
"""In which state an act leaves a shop, where it does not say so itself."""

SAID = ("platform", "base_url", "org_id", "carrier_code", "state")
"""What an act may say of a shop, under the name of its column."""

ACTS = (
    *FIRST,
    *STATE_AFTER,
    AdministrationKind.SHOP_SET,
    AdministrationKind.TOKEN_ROTATED,
)
"""The acts that a shop's row follows from."""


def shop_after(acts: Iterable[Act]) -> dict[str, Any] | None:
    """Say what a shop's row must say after its acts, oldest first; None if nobody added it."""
    row: dict[str, Any] | None = None
    options: dict[str, Any] = {}
    for kind, details in acts:
        if kind in FIRST:
            row, options = {}, json.loads(details.get("options") or "{}")
        elif row is None:
            return None
        elif kind == AdministrationKind.SHOP_SET:
            options |= {name: value for name, value in details.items() if name not in SAID}
        row |= {"state": STATE_AFTER[kind]} if kind in STATE_AFTER else {}
        row |= {name: details[name] for name in SAID if name in details}
    if row is None:
        return None
    return row | {"options": options_text({k: v for k, v in options.items() if v is not None})}
