"""Where one promise is tried: a sandbox behind a wire, an adapter before it, and a ledger."""

from __future__ import annotations

import functools
import socket
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from carrierflow.app.build import build
from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.settings import Settings
from carrierflow.domain.clock import EARLIEST
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Observation, Opening, Status
from carrierflow.domain.publication import PlatformWrite
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.domain.waiting import keep_waiting
from carrierflow.platforms.http.transport import HttpLimits
from carrierflow.platforms.profile import ShopLink
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.ports import Platform
from carrierflow.reconcile.projection import Projection
from carrierflow.reconcile.run_report import RunReport
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.http_server import LocalServer
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.testing.contract.under_test import PlatformUnderTest
from carrierflow.testing.contract.wallet import Wallet
from carrierflow.testing.contract.wire import Wire


__all__ = ["START", "Trial"]

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
ROOMY = {"rate_bucket": "1000000", "rate_leak": "1000000"}
PATIENT = HttpLimits(get_retries=1, get_backoff=0.01)
IMPATIENT = HttpLimits(request_timeout=0.25, get_retries=0, get_backoff=0.01)

_LOOK = 0.002
"""Seconds that pass whenever the carrier looks at the clock."""


class Trial:
    """A platform under test, and a carrier beside it; time is virtual, sockets and SQL are real."""

    def __init__(
        self, make: Callable[[ManualClock], PlatformUnderTest], folder: Path, *, look: float = _LOOK
    ) -> None:
        self.clock = ManualClock(START)
        self.under_test = make(self.clock)
        self.wire = Wire(self.under_test)
        self.wallet = Wallet()
        self._look = look
        self._folder = folder
        self._stack = ExitStack()
        self._server = LocalServer(self.wire)

    def __enter__(self) -> Self:
        self._stack.enter_context(self._server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def now(self) -> datetime:
        """Return the time; looking at it takes some."""
        self.clock.advance(self._look)
        return self.clock()

    @property
    def url(self) -> str:
        """The root of the platform."""
        return self._server.url

    @property
    def projection(self) -> Projection:
        """What the platform says that it shows and is told."""
        return self.under_test.profile.projection

    @functools.cached_property
    def states(self) -> tuple[Status, ...]:
        """The states of a delivery that the platform shows."""
        shown = (self.projection.shows(s) for s in Status if s.machine is Machine.DELIVERY)
        return tuple(dict.fromkeys(shown))

    @functools.cached_property
    def platform(self) -> Platform:
        """The adapter."""
        return self.connect()

    @functools.cached_property
    def impatient(self) -> Platform:
        """The adapter, which waits for no answer longer than a moment and asks once."""
        return self.connect(limits=IMPATIENT)

    def connect(self, *, limits: HttpLimits = PATIENT, base_url: str | None = None) -> Platform:
        """Make another adapter for the shop."""
        it = self.under_test
        shop = Shop(
            id=1,
            code=it.shop,
            platform=it.profile.name,
            base_url=base_url or self.url,
            carrier_code=it.carrier_code,
            state=ShopState.ACTIVE,
            added_at=START,
            encrypted_token=b"",
        )
        made = it.profile.connect(
            ShopLink(
                shop=shop,
                token=it.token,
                budget=self.wallet,
                limits=limits,
                now=self.now,
                sleep=self.clock.advance,
                idle=keep_waiting,
                chosen=it.profile.defaults,
            )
        )
        self._stack.callback(made.close)
        return made

    def nowhere(self) -> str:
        """Return a root at which nobody listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return f"http://127.0.0.1:{free.getsockname()[1]}"

    def parcel(self, state: Status, *, cod_amount: int = 0) -> FulfillmentRef:
        """Put a parcel on the platform alone."""
        order_id, own_id = self.under_test.add_parcel(state, cod_amount=cod_amount)
        return FulfillmentRef(shop=self.under_test.shop, order_id=order_id, fulfillment_id=own_id)

    def tell(
        self, ref: FulfillmentRef, write: PlatformWrite, *, by: Platform | None = None
    ) -> Observation:
        """Make one write as a run makes it, with the budget asked first."""
        platform = by or self.platform
        platform.wait_for_room()
        return platform.write(ref, write, not_later_than=self.clock() + timedelta(seconds=2))

    @functools.cached_property
    def first_write(self) -> tuple[Status, PlatformWrite]:
        """A state, and a write that the platform takes there."""
        for state in self.states:
            for write in self.projection.writes:
                is_delivery = write.to.machine is Machine.DELIVERY
                if is_delivery and write.to is not state and write.may_follow(state):
                    return state, write
        raise AssertionError("The platform is told nothing of a delivery.")

    def carrier(self, **settings: object) -> Carrierflow:
        """Build a carrier with an empty ledger and its shop on the platform."""
        it = self.under_test
        path = self._folder / "ledger.db"
        path.write_bytes(_empty_ledger())
        app = build(
            Settings.model_validate(
                {
                    "database_url": f"sqlite:///{path}",
                    "secret_key": generate_key(),
                    "get_backoff_seconds": 0.01,
                    "public_url": "https://carrier.example",
                    "carrier_name": "Contract",
                    **settings,
                }
            ),
            platforms=[] if it.profile.name in PLATFORMS else [it.profile],
            now=self.now,
            sleep=self.clock.advance,
            database_clock=DatabaseClock(self.now),
        )
        self._stack.callback(app.close)
        app.shops.add(
            it.shop,
            platform=it.profile.name,
            token=it.token,
            base_url=self.url,
            carrier_code=it.carrier_code,
            options={**ROOMY, **it.options},
        )
        return app

    @property
    def ledger_bytes(self) -> bytes:
        """Everything that the ledger keeps, as it lies on the disk."""
        return b"".join(each.read_bytes() for each in sorted(self._folder.glob("ledger.db*")))

    @property
    def ledger_path(self) -> Path:
        """Where the ledger lies."""
        return self._folder / "ledger.db"

    def take_up(
        self,
        app: Carrierflow,
        state: Status,
        walk: Iterable[Status] = (),
        *,
        cod_amount: int = 0,
    ) -> FulfillmentRef:
        """Put a parcel on both sides, and record a walk that the platform knows nothing of."""
        ref = self.parcel(state, cod_amount=cod_amount)
        app.ledger.open(Opening(ref=ref, cod_amount=cod_amount, tracking_number=ref.fulfillment_id))
        self.record(app, ref, walk)
        return ref

    def record(self, app: Carrierflow, ref: FulfillmentRef, walk: Iterable[Status]) -> None:
        """Record some legal steps, an hour of the road apart."""
        moment = self.clock() - timedelta(days=5)
        for status in walk:
            moment += timedelta(hours=1)
            event = Event(
                shop=ref.shop,
                fulfillment_id=ref.fulfillment_id,
                status=status,
                occurred_at=moment,
            )
            answer = app.ledger.record(event)
            if answer.verdict != "accepted":
                raise AssertionError(answer.sentence)

    def run(self, app: Carrierflow) -> RunReport:
        """Look at everything, once, a minute after the last time."""
        self.clock.advance(60)
        (report,) = app.reconcile(full=True)
        return report

    def road_to(self, status: Status) -> list[Status]:
        """Return the shortest legal way of a parcel from where it is taken up."""
        lifecycle = Lifecycle(DEFAULT)
        roads: list[list[Status]] = [[]]
        for road in roads:
            here = road[-1] if road else Status.READYTOPICK
            if here is status:
                return road
            steps = lifecycle.allowed(status.machine, here)
            roads += [[*road, step] for step in steps if step not in road]
        raise AssertionError(f"No way leads to {status}.")


@functools.cache
def _empty_ledger() -> bytes:
    """Return a ledger with nothing in it; making its tables takes longer than many a promise.

    They are older than any trial, whatever its clock says.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        app = build(Settings(database_url=f"sqlite:///{path}"), now=lambda: EARLIEST)
        app.upgrade()
        app.close()
        return path.read_bytes()
