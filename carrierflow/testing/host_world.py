"""All that a host's tests need of a carrier: its ledger, a platform in this process, a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.sandboxes import SandboxServer, World
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.testing.parcel_builder import open_at


__all__ = ["START", "HostWorld"]

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""What the clock says at first: Monday morning in Vietnam."""

HALF_A_DAY = timedelta(hours=12)


class HostWorld:
    """A carrier on a database of a test's own, and a platform beside it that nobody else sees.

    `app` is the `Carrierflow`, `clock` the time that it goes by, `platform` the sandbox's world.
    Nothing leaves this machine: the platform answers on loopback. Use it in a `with`.
    """

    def __init__(self, database_url: str, **settings: Any) -> None:
        """Build everything on an empty database; `settings` are those of `Settings`."""
        self.database_url = database_url
        self.clock = ManualClock(START)
        self.platform = World(clock=self.clock)
        self._server = SandboxServer(self.platform)
        given = {"secret_key": generate_key(), "get_backoff_seconds": 0.01, **settings}
        self.app = build(
            Settings(database_url=database_url, **given),
            now=self.clock,
            sleep=self.clock.advance,
            database_clock=DatabaseClock(self.clock),
        )
        self.app.upgrade()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
        self.app.close()

    def shop(self, code: str = "myshop") -> str:
        """Connect a shop that the platform has, and return its code."""
        token = f"token-{code}"
        self.platform.add_shop(code=code, token=token)
        self.app.shops.add(code, token=token, base_url=self._server.url, org_id="1000")
        return code

    def parcel(
        self,
        shop: str = "myshop",
        status: Status = Status.READYTOPICK,
        *,
        cod_amount: int = 0,
        tracking_number: str | None = None,
    ) -> FulfillmentRef:
        """Make a parcel that the platform shows at `readytopick`, and the ledger at a status.

        It was taken up half a day ago; the amount is whole đồng.

        Raises:
            InvalidInput: if no road leads to the status.
        """
        order, fulfillment = self.platform.add_parcel(
            shop=shop, cod_amount=cod_amount, carrier_status="readytopick"
        )
        ref = FulfillmentRef(shop=shop, order_id=str(order), fulfillment_id=str(fulfillment))
        open_at(
            self.app.ledger,
            ref,
            status,
            at=self.clock() - HALF_A_DAY,
            cod_amount=cod_amount,
            tracking_number=tracking_number,
            lifecycle=self.app.lifecycle,
        )
        return ref

    def shown(self, ref: FulfillmentRef) -> tuple[str, str]:
        """Return what the platform shows of a parcel: its delivery status, and its cash status."""
        shop = self.platform.shop(ref.shop)
        parcel = shop.parcel(int(ref.order_id), int(ref.fulfillment_id))
        return str(parcel.carrier_status), str(parcel.cod_status)
