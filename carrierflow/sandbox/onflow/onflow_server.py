"""Onflow on a port, where its warehouse works and its webhooks go out without being asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.sandbox.http_server import LocalServer
from carrierflow.sandbox.onflow.gate import Onflow


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.onflow.b2c_endpoints import OnflowPaths
    from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = ["OnflowServer", "serve_onflow"]


class OnflowServer(LocalServer[Onflow]):
    """An Onflow on a port of this machine; port 0 takes a free one.

    Whoever touches the world from another thread while it runs holds `lock`.
    """

    def __init__(
        self,
        world: OnflowWorld,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        paths: OnflowPaths | None = None,
        latency: float = 0.0,
    ) -> None:
        self.world = world
        self.lock = world.lock
        onflow = Onflow(world, faults=faults, paths=paths)
        super().__init__(onflow, onflow.hook_sender.deliver, host=host, port=port, latency=latency)

    @property
    def onflow(self) -> Onflow:
        """The platform behind the port."""
        return self.platform


def serve_onflow(
    host: str,
    port: int,
    world: OnflowWorld,
    *,
    ready: Callable[[OnflowServer], None],
    faults: Faults | None = None,
    paths: OnflowPaths | None = None,
    latency: float = 0.0,
) -> None:
    """Serve a world in this thread until it is interrupted, then close cleanly.

    `ready` is called with the server once its port is open.
    """
    server = OnflowServer(world, host=host, port=port, faults=faults, paths=paths, latency=latency)
    server.serve(ready)
