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
from carrierflow.demo.scenario import ManualEdit, PlannedParcel
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.errors import InvalidInput
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.projection import Projection
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.legal_steps import Legal
from carrierflow.sandbox.tour_side import SHOP, Judged, TourSide
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key


__all__ = ["LEDGER", "TourStage", "stage"]

LEDGER = "ledger.db"


@dataclass(frozen=True, kw_only=True, slots=True)
class TourStage:
    """The carrier, the platform's side, and the time for both."""

    app: Carrierflow
    side: TourSide
    clock: ManualClock

    @property
    def projection(self) -> Projection:
        """What the platform can show and be told."""
        return PLATFORMS[self.side.name].projection

    def wait_until(self, moment: datetime) -> None:
        """Let the time pass."""
        self.clock.advance(max(0.0, (moment - self.clock()).total_seconds()))

    def ref_of(self, number: int) -> FulfillmentRef:
        """Return the names of a parcel on both sides."""
        order_id, fulfillment_id = self.side.names(number)
        return FulfillmentRef(shop=SHOP, order_id=order_id, fulfillment_id=fulfillment_id)

    def book(self, parcel: PlannedParcel) -> None:
        """Let the shop make a parcel, and open it in the ledger."""
        with self.side.lock:
            self.side.book(parcel.number, parcel.cash)
        self.app.ledger.open(
            Opening(
                ref=self.ref_of(parcel.number),
                tracking_number=self.side.waybill(parcel.number),
                cod_amount=parcel.cash or None,
            )
        )

    def meddle(self, work: ManualEdit) -> None:
        """Do by hand, on the platform, what a merchant does."""
        with self.side.lock:
            self.side.meddle(work.parcel, work.action)

    def judged(self) -> Judged:
        """Return what the platform's own recorder saw."""
        with self.side.lock:
            return self.side.judged()


@contextmanager
def stage(kind: type[TourSide], folder: Path | None, *, begin: datetime) -> Iterator[TourStage]:
    """Set everything up, and take it down again; the ledger stays if a folder is given.

    Raises:
        InvalidInput: if the folder holds a ledger already or cannot be used.
    """
    with _folder(folder) as place:
        clock, token = ManualClock(begin), generate_key()
        app = _carrier(place / LEDGER, clock)
        side = kind.opened(clock, token, _legal_steps(app))
        try:
            with side.server as server:
                app.shops.add(
                    SHOP,
                    platform=side.name,
                    token=token,
                    base_url=server.url,
                    carrier_code=side.carrier_code,
                )
                yield TourStage(app=app, side=side, clock=clock)
        finally:
            app.close()


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
