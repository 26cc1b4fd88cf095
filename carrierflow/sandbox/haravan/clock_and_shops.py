"""What stands under the platform's rules: shops, their tokens, and the supply of ids."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

from carrierflow.domain import clock as real_clock
from carrierflow.sandbox.haravan.call_log import CallLog
from carrierflow.sandbox.haravan.carrier_callables import CarrierCallables
from carrierflow.sandbox.haravan.consent import ConsentPages
from carrierflow.sandbox.haravan.parcels import Lags, ParcelRef
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.recorder import Recorder
from carrierflow.sandbox.haravan.scopes import Grants, ScopeGrant
from carrierflow.sandbox.haravan.shop_state import SandboxShop, ShopOptions
from carrierflow.sandbox.haravan.webhook_queue import WebhookQueue
from carrierflow.sandbox.refusals import BadInput, NotFound
from carrierflow.sandbox.world_clock import WorldClock


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


__all__ = ["ClockAndShops"]

_FIRST_ORDER_ID = 1229422895
_FIRST_FULFILLMENT_ID = 1054978733
_FIRST_ITEM_ID = 1305098847
_FIRST_ORG_ID = 1000342930


class ClockAndShops(WorldClock):
    """Time, shops and the supply of ids, for the world to play on."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = real_clock.now,
        callbacks: CarrierCallables | None = None,
        lags: Lags | None = None,
        app: App | None = None,
    ) -> None:
        super().__init__(clock)
        self.callbacks = callbacks or CarrierCallables()
        self.lags = lags or Lags()
        self.app = app or App()
        self.recorder = Recorder()
        self.shops: dict[str, SandboxShop] = {}
        self.reset(keep_shops=False)

    def add_shop(
        self, *, code: str, token: str, org_id: int | None = None, **options: Any
    ) -> SandboxShop:
        """Open a shop; `options` are the fields of `ShopOptions`.

        Without a token nothing opens the shop until its owner installs the app.

        Raises:
            BadInput: if the code or the token is taken.
        """
        if code in self.shops or token in self.grants:
            raise BadInput(f"A shop {code!r}, or one with the same token, exists already.")
        chosen = org_id if org_id is not None else _FIRST_ORG_ID + len(self.shops)
        shop = SandboxShop(code=code, token=token, org_id=chosen, options=ShopOptions(**options))
        self.shops[code] = shop
        if token:
            self.grants.add(token, ScopeGrant(shop=code))
        return shop

    def replace_token(self, code: str, token: str) -> None:
        """Give a shop another token; the old one is refused from now on.

        Raises:
            BadInput: if the token is taken.
        """
        shop = self.shop(code)
        self.grants.add(token, ScopeGrant(shop=code))
        self.grants.withdraw(shop.token)
        shop.token = token

    def shop(self, code: str) -> SandboxShop:
        """Return a shop by its code.

        Raises:
            NotFound: if there is none.
        """
        if code not in self.shops:
            raise NotFound(f"There is no shop {code!r}.")
        return self.shops[code]

    def shop_of(self, token: str) -> SandboxShop | None:
        """Return the shop that a bearer token opens, if any."""
        grant = self.grants.of(token, self.now())
        return self.shops[grant.shop] if grant is not None else None

    def reset(self, *, keep_shops: bool = True) -> None:
        """Forget orders, waiting requests and the recorder's; shops and tokens too if asked."""
        self.forget_late()
        self._cancelled: deque[ParcelRef] = deque()
        self._order_ids = count(_FIRST_ORDER_ID)
        self._fulfillment_ids = count(_FIRST_FULFILLMENT_ID)
        self._item_ids = count(_FIRST_ITEM_ID)
        self.webhook_queue = WebhookQueue()
        self.calls = CallLog()
        self.recorder.forget()
        if not keep_shops:
            self.shops.clear()
            self.grants = Grants()
            self.accounts = ConsentPages(self.grants)
        for shop in self.shops.values():
            shop.empty()
