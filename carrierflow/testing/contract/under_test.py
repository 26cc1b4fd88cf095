"""The one thing that a platform's author writes for the contract: how its sandbox is handled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome


__all__ = ["PlatformUnderTest"]


class PlatformUnderTest(ABC):
    """A platform's sandbox with one shop in it; each promise makes one anew.

    The sandbox should be written from the platform's documents, not from the adapter: only then
    do both agree for a reason. It keeps no limit of requests; the contract does.

    Args:
        clock: the time there; it stands still until the contract moves it.
    """

    profile: ClassVar[PlatformProfile]
    """The platform, as it is connected to."""
    shop: ClassVar[str] = "contract"
    token: ClassVar[str] = "canary-5e1fc0de-token"  # noqa: S105 (it is to be looked for)
    """What opens the shop; it must appear nowhere."""
    carrier_code: ClassVar[str] = "external"
    options: ClassVar[Mapping[str, str]] = {}
    """What is chosen for the shop, where its platform's way would hold something back."""
    absent: ClassVar[tuple[str, str]]
    """The ids of an order and of a fulfillment that there are not, and could be."""
    lists_changes: ClassVar[bool] = True
    """Whether the platform lists what changed; one that does not says so, and is not asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    @abstractmethod
    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request, as the platform does."""

    @abstractmethod
    def add_parcel(self, state: Status, *, cod_amount: int = 0) -> tuple[str, str]:
        """Put a parcel there that shows a state; return the ids of its order and its own.

        Asked for are the states that the projection shows of a delivery, each of them.
        """

    @abstractmethod
    def shown(self, ref: FulfillmentRef) -> Status:
        """Return what the platform shows of a parcel, from the sandbox itself."""

    @abstractmethod
    def move(self, ref: FulfillmentRef, state: Status) -> None:
        """Let somebody over there move a parcel, from the state before or to its cancel."""

    @abstractmethod
    def reworded(self, body: bytes, ref: FulfillmentRef) -> bytes:
        """Return a reply in which a parcel, if it is there, is in a state that nobody knows."""

    @abstractmethod
    def spoiled(self, body: bytes, ref: FulfillmentRef, text: str) -> bytes:
        """Return a reply in which a parcel, if it is there, cannot be read, and holds a text."""

    @abstractmethod
    def refused(self, saying: str) -> HttpReply:
        """Return the platform's own no to a request, for a reason."""

    @abstractmethod
    def denied(self, saying: str) -> HttpReply:
        """Return the platform's own no to a token, for a reason."""

    def judged(self) -> Sequence[str]:
        """Return what the sandbox's own judge has seen that must not be; nothing without one."""
        return ()
