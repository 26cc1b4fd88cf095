"""Haravan on a port, where it also sends webhooks and polls carriers without being asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from carrierflow.sandbox.haravan.api import Haravan
from carrierflow.sandbox.http_server import LocalServer


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.haravan.world import World
    from carrierflow.sandbox.legal_steps import Legal


__all__ = ["SandboxServer", "serve"]


class SandboxServer(LocalServer[Haravan]):
    """A Haravan on a port of this machine; port 0 takes a free one.

    Whoever touches the world from another thread while it runs holds `lock`.
    """

    def __init__(
        self,
        world: World,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        legal: Legal | None = None,
        latency: float = 0.0,
    ) -> None:
        self.world = world
        self.lock = world.lock
        self._last_poll = time.monotonic()
        haravan = Haravan(world, faults=faults, legal=legal)
        rounds = (haravan.webhook_sender.deliver, self._poll)
        super().__init__(haravan, *rounds, host=host, port=port, latency=latency)

    @property
    def haravan(self) -> Haravan:
        """The platform behind the port; another one may be put in its place."""
        return self.platform

    @haravan.setter
    def haravan(self, platform: Haravan) -> None:
        self.platform = platform

    def _poll(self) -> None:
        every = self.world.app.poll_seconds
        if every and time.monotonic() - self._last_poll >= every:
            self.world.poll_all()
            self._last_poll = time.monotonic()


def serve(
    host: str,
    port: int,
    world: World,
    *,
    ready: Callable[[SandboxServer], None],
    faults: Faults | None = None,
    legal: Legal | None = None,
    latency: float = 0.0,
) -> None:
    """Serve a world in this thread until it is interrupted, then close cleanly.

    `ready` is called with the server once its port is open.
    """
    server = SandboxServer(world, host=host, port=port, faults=faults, legal=legal, latency=latency)
    server.serve(ready)
