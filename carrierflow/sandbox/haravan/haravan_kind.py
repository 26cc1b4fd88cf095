"""Haravan as one of the sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.haravan.haravan_tour import HaravanTour
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.sandbox_server import SandboxServer
from carrierflow.sandbox.haravan.world import World
from carrierflow.sandbox.kinds import SandboxKind, example_cash


if TYPE_CHECKING:
    from carrierflow.sandbox.kinds import SandboxPlan


__all__ = ["APP", "HARAVAN_SANDBOX"]

APP = App()
"""The app as it is unless its partner says otherwise."""


def open_sandbox(host: str, port: int, plan: SandboxPlan) -> SandboxServer:
    """Make a Haravan with some shops and parcels."""
    world = World(app=App(**plan.app))
    for code, token in plan.tokens.items():
        world.add_shop(code=code, token=token)
        for index in range(plan.parcels):
            world.add_parcel(shop=code, cod_amount=example_cash(index))
    return SandboxServer(world, host=host, port=port, legal=plan.legal)


HARAVAN_SANDBOX = SandboxKind(
    title="Haravan",
    open=open_sandbox,
    tour=HaravanTour,
    pages={"The seller's page": "/seller"},
)
