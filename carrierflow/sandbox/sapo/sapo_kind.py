"""Sapo as one of the sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.kinds import SandboxKind, example_cash
from carrierflow.sandbox.sapo.sapo_server import SapoServer
from carrierflow.sandbox.sapo.sapo_tour import SapoTour
from carrierflow.sandbox.sapo.sapo_world import SapoWorld


if TYPE_CHECKING:
    from carrierflow.sandbox.kinds import SandboxPlan


__all__ = ["SAPO_SANDBOX"]


def open_sandbox(host: str, port: int, plan: SandboxPlan) -> SapoServer:
    """Make a Sapo with some shops and parcels."""
    world = SapoWorld()
    for code, token in plan.tokens.items():
        world.add_shop(code=code, token=token)
        for index in range(plan.parcels):
            world.add_parcel(shop=code, cod_amount=example_cash(index))
    return SapoServer(world, host=host, port=port)


SAPO_SANDBOX = SandboxKind(title="Sapo", open=open_sandbox, tour=SapoTour)
