"""Onflow as one of the sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.kinds import SandboxKind
from carrierflow.sandbox.onflow.onflow_server import OnflowServer
from carrierflow.sandbox.onflow.onflow_tour import OnflowTour
from carrierflow.sandbox.onflow.warehouse import OnflowWorld


if TYPE_CHECKING:
    from carrierflow.sandbox.kinds import SandboxPlan


__all__ = ["ONFLOW_SANDBOX"]

_PACE = (20.0, 40.0, 120.0)
"""After how many seconds a shipment is picked, packed and handed over."""


def open_sandbox(host: str, port: int, plan: SandboxPlan) -> OnflowServer:
    """Make an Onflow with some accounts and shipments, whose warehouse works by itself."""
    world = OnflowWorld()
    for code, token in plan.tokens.items():
        world.add_account(code=code, token=token, pace=_PACE)
        for _ in range(plan.parcels):
            world.add_shipment(account=code)
    return OnflowServer(world, host=host, port=port)


ONFLOW_SANDBOX = SandboxKind(title="Onflow", open=open_sandbox, tour=OnflowTour)
