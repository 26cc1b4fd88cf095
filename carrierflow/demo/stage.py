"""What the tour is played on: a ledger, a sandbox on a port of this machine, one virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from carrierflow.app.build import build
from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.settings import Settings
from carrierflow.demo.itineraries import MerchantAction
from carrierflow.demo.scenario import ManualEdit, PlannedParcel
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.errors import InvalidInput
from carrierflow.sandbox.haravan import (
    Haravan,
    HttpRequest,
    Legal,
    ManualClock,
    Outcome,
    ParcelRef,
    SandboxServer,
    World,
)
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key


__all__ = ["LEDGER", "SHOP", "TourStage", "ref_of", "stage"]

SHOP = "demo"
LEDGER = "ledger.db"
FIRST_ORDER = 1_229_400_000
FIRST_FULFILLMENT = 1_054_900_000
SECONDS_AWAY = 0.12
"""How far away the platform is: what one request takes, there and back, on the virtual clock."""

EDITS = {MerchantAction.MARK_DELIVERED: "delivered", MerchantAction.MOVE_BACK: "picking"}


class DistantHaravan(Haravan):
    """A platform that is some way off: each request takes its time on the virtual clock."""

    def __init__(self, world: World, *, clock: ManualClock, legal: Legal) -> None:
        super().__init__(world, legal=legal)
        self._clock = clock

    def dispatch(self, request: HttpRequest) -> Outcome:
        """Answer a request after the way there; the way back takes as long."""
        self._clock.advance(SECONDS_AWAY / 2)
        outcome = super().dispatch(request)
        self._clock.advance(SECONDS_AWAY / 2)
        return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class TourStage:
    """The carrier, the platform, and the time for both."""

    app: Carrierflow
    server: SandboxServer
    clock: ManualClock
    legal: Legal

    def wait_until(self, moment: datetime) -> None:
        """Let the time pass."""
        self.clock.advance(max(0.0, (moment - self.clock()).total_seconds()))

    def book(self, parcel: PlannedParcel) -> None:
        """Let the shop make a parcel, and open it in the ledger."""
        ref, waybill = ref_of(parcel.number), f"DEMO{parcel.number:05d}"
        with self.server.lock:
            self.server.world.add_parcel(
                shop=SHOP,
                order_id=int(ref.order_id),
                fulfillment_id=int(ref.fulfillment_id),
                cod_amount=parcel.cash,
                tracking_number=waybill,
            )
        self.app.ledger.open(
            Opening(ref=ref, tracking_number=waybill, cod_amount=parcel.cash or None)
        )

    def meddle(self, work: ManualEdit) -> None:
        """Do by hand, on the platform, what a merchant does."""
        ref = ref_of(work.parcel)
        order_id, fulfillment_id = int(ref.order_id), int(ref.fulfillment_id)
        with self.server.lock:
            if work.action is MerchantAction.CANCEL:
                self.server.world.cancel_order(SHOP, order_id)
            else:
                place = ParcelRef(SHOP, order_id, fulfillment_id)
                self.server.world.edit(place, carrier_status=EDITS[work.action])


def ref_of(number: int) -> FulfillmentRef:
    """Return the names of a parcel on both sides."""
    return FulfillmentRef(
        shop=SHOP,
        order_id=str(FIRST_ORDER + number),
        fulfillment_id=str(FIRST_FULFILLMENT + number),
    )


@contextmanager
def stage(folder: Path | None, *, begin: datetime) -> Iterator[TourStage]:
    """Set everything up, and take it down again; the ledger stays if a folder is given.

    Raises:
        InvalidInput: if the folder holds a ledger already or cannot be used.
    """
    with _folder(folder) as place:
        clock = ManualClock(begin)
        app = _carrier(place / LEDGER, clock)
        legal = _legal_steps(app)
        world = World(clock=clock)
        server = SandboxServer(world)
        server.haravan = DistantHaravan(world, clock=clock, legal=legal)
        server.faults = server.haravan.faults
        token = generate_key()
        world.add_shop(code=SHOP, token=token)
        try:
            with server:
                app.shops.add(SHOP, token=token, base_url=server.url)
                yield TourStage(app=app, server=server, clock=clock, legal=legal)
        finally:
            app.store.engine.dispose()


def _carrier(ledger: Path, clock: ManualClock) -> Carrierflow:
    app = build(
        _settings(database_url=f"sqlite:///{ledger}", secret_key=generate_key()),
        now=clock,
        sleep=clock.advance,
        database_clock=DatabaseClock(clock),
    )
    app.upgrade()
    return app


def _settings(**given: str) -> Settings:
    """Return settings that the environment cannot change: the tour is always the same."""
    defaults: dict[str, Any] = {n: field.default for n, field in Settings.model_fields.items()}
    return Settings(**(defaults | given))


def _legal_steps(app: Carrierflow) -> Legal:
    return {
        machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
        for machine in app.lifecycle.definition.machines
    }


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with TemporaryDirectory(prefix="carrierflow-demo-") as name:
            yield Path(name)
        return
    if (folder / LEDGER).exists():
        raise InvalidInput(f"{folder / LEDGER} exists; name another directory, or remove it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be used as a directory: {error.strerror}.") from error
    yield folder
