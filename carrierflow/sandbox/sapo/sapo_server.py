"""Sapo on a port, where it also sends webhooks without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.http_server import LocalServer
from carrierflow.sandbox.sapo.sapo_api import Sapo


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = ["SapoServer", "serve_sapo"]


class SapoServer(LocalServer[Sapo]):
    """A Sapo on a port of this machine; port 0 takes a free one.

    Whoever touches the world from another thread while it runs holds `lock`.
    """

    def __init__(
        self,
        world: SapoWorld,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        latency: float = 0.0,
    ) -> None:
        self.world = world
        self.lock = world.lock
        sapo = Sapo(world, faults=faults)
        super().__init__(sapo, sapo.event_sender.deliver, host=host, port=port, latency=latency)

    @property
    def sapo(self) -> Sapo:
        """The platform behind the port."""
        return self.platform


def serve_sapo(
    host: str,
    port: int,
    world: SapoWorld,
    *,
    ready: Callable[[SapoServer], None],
    faults: Faults | None = None,
    latency: float = 0.0,
) -> None:
    """Serve a world in this thread until it is interrupted, then close cleanly.

    `ready` is called with the server once its port is open.
    """
    SapoServer(world, host=host, port=port, faults=faults, latency=latency).serve(ready)
