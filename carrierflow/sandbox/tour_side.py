"""A platform's side of the tour: one shop, some way off, and what happens to it over there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from carrierflow.sandbox.http_server import LocalServer


if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from carrierflow.sandbox.clocks import ManualClock
    from carrierflow.sandbox.exchange import HttpRequest, Outcome
    from carrierflow.sandbox.http_server import SandboxPlatform
    from carrierflow.sandbox.legal_steps import Legal
    from carrierflow.sandbox.tour_cast import Cast, Itinerary, MerchantAction


__all__ = ["SHOP", "DistantPlatform", "Judged", "NaiveCall", "TourSide", "TourWords"]

SHOP = "demo"
SECONDS_AWAY = 0.12
"""How far away a platform is: what one request takes, there and back, on the virtual clock."""


class DistantPlatform:
    """A platform that is some way off: each request takes its time, and is remembered."""

    def __init__(self, platform: SandboxPlatform, clock: ManualClock) -> None:
        self.faults = platform.faults
        self.requests: list[tuple[str, str]] = []
        self._platform = platform
        self._clock = clock

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer a request after the way there; the way back takes as long."""
        self.requests.append((request.method, request.path))
        self._clock.advance(SECONDS_AWAY / 2)
        outcome = self._platform.handle(request)
        self._clock.advance(SECONDS_AWAY / 2)
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveCall:
    """The request by which a simple integration tells one scan."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the platform's own recorder saw since it last forgot."""

    gets: int
    writes: int
    illegal: tuple[str, ...]
    """The fulfillments of illegal writes, where nobody else had moved them meanwhile."""
    unlawful: int
    """All writes that were out of order."""
    repeated: int
    after_end: int
    """Writes about parcels at which nothing can be done any more."""
    touched: frozenset[str]
    """The fulfillments that somebody else moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TourWords:
    """How the tour speaks of a platform; names in braces are figures."""

    against: str
    method: str
    """By which HTTP method it is told something."""
    told: str
    """The same, of what was told."""
    viewer: str
    """Who looks at the platform."""
    pushed: str
    by_hand: str
    wrong: str
    alike: str = ""
    reading: str
    naive_reading: str = ""
    """How a naive script reads; empty where it could read in no other way."""
    adopted: str
    star: str
    open: str
    moral: str
    remedies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What a person would most likely decide here, and why, where it is not as everywhere."""


class Forgetful(Protocol):
    """A recorder, as far as the tour asks for the same of each."""

    def forget(self) -> None:
        """Begin anew."""
        ...


class TourWorld(Protocol):
    """A sandbox's world, likewise."""

    lock: threading.RLock

    @property
    def recorder(self) -> Forgetful:
        """What writes down what was asked there."""
        ...


class TourSide(ABC):
    """One shop of a sandbox: what is booked and done there by hand, and what it shows.

    Parcels are called by their number in the tour. Statuses are said in the ledger's words, as the
    platform's documents let them be understood.
    """

    name: ClassVar[str]
    words: ClassVar[TourWords]
    cast: ClassVar[Cast]
    star: ClassVar[Itinerary]
    """Of those parcels one is shown with its whole history."""
    pause: ClassVar[float]
    """Seconds between two pushes, within the platform's limit."""
    carrier_code: ClassVar[str] = "external"
    """What the shop's parcels say of who carries them."""

    def __init__(self, platform: SandboxPlatform, clock: ManualClock, world: TourWorld) -> None:
        self._distant = DistantPlatform(platform, clock)
        self._recorder = world.recorder
        self.server = LocalServer(self._distant)
        self.lock = world.lock
        """Held by whoever touches the shop while it is served."""

    @classmethod
    @abstractmethod
    def opened(cls, clock: ManualClock, token: str, legal: Legal) -> Self:
        """Open the shop; `legal` is for a recorder that does not write the steps down itself."""

    @abstractmethod
    def names(self, number: int) -> tuple[str, str]:
        """Return what order and fulfillment of a parcel are called; a stranger's are nobody's."""

    def waybill(self, number: int) -> str:
        """Return a parcel's tracking number."""
        return f"DEMO{number:05d}"

    @abstractmethod
    def book(self, number: int, cash: int) -> None:
        """Let the shop make a parcel."""

    @abstractmethod
    def meddle(self, number: int, action: MerchantAction) -> None:
        """Do by hand, on the platform, what a merchant does."""

    @abstractmethod
    def shown(self) -> Mapping[str, tuple[str, str]]:
        """Return delivery and cash of every fulfillment, as the platform shows them."""

    @abstractmethod
    def naive_call(self, number: int, status: str) -> NaiveCall | None:
        """Return how a simple integration tells a scan; None where there is no such call."""

    @abstractmethod
    def judged(self) -> Judged:
        """Return what the recorder saw."""

    def forget(self) -> None:
        """Let the recorder begin anew."""
        self._distant.requests.clear()
        self._recorder.forget()

    def requests_about(self, number: str) -> list[tuple[str, str]]:
        """Return the requests, since it last forgot, whose path names an order or a parcel."""
        return [(method, path) for method, path in self._distant.requests if number in path]
