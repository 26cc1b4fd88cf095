"""The sandboxes that there are, by the name of their platform; of the first one, its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.haravan.haravan_kind import APP, HARAVAN_SANDBOX
from carrierflow.sandbox.haravan.sandbox_server import SandboxServer
from carrierflow.sandbox.haravan.world import World
from carrierflow.sandbox.onflow.onflow_kind import ONFLOW_SANDBOX
from carrierflow.sandbox.sapo.sapo_kind import SAPO_SANDBOX


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.kinds import SandboxKind


__all__ = ["APP", "SANDBOXES", "SandboxServer", "World"]

SANDBOXES: Mapping[str, SandboxKind] = {
    "haravan": HARAVAN_SANDBOX,
    "sapo": SAPO_SANDBOX,
    "onflow": ONFLOW_SANDBOX,
}
