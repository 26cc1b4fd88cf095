"""What the connections to shops do alike, whatever is spoken there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from carrierflow.domain.model import Unreadable
from carrierflow.errors import (
    AccessDenied,
    Interrupted,
    NotThere,
    OutcomeUnknown,
    ReadRefused,
    TryLater,
)
from carrierflow.platforms.http.client import PlatformClient


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.platforms.http.transport import RequestCounter
    from carrierflow.reconcile.ports import Budget


__all__ = ["ShopConnection"]

_REFUSALS = 5
"""So many single reads may be refused, where nothing was answered yet, before it is given up."""

S = TypeVar("S")
T = TypeVar("T")


class ShopConnection:
    """One shop on a platform: its requests, its budget, and when a no of it is believed.

    A platform that answered nothing yet may be none: a proxy, another host, a wrong address.
    Until then no refusal of it proves anything.
    """

    def __init__(
        self, *, shop: str, budget: Budget, client: PlatformClient, one_by_one: bool = True
    ) -> None:
        self.one_by_one = one_by_one
        """Whether each order that is asked for by id is a request of its own."""
        self._shop = shop
        self._budget = budget
        self._client = client
        self._has_answered = False
        self._refusals = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shop!r} at {self._client.url!r})"

    @property
    def requests(self) -> RequestCounter:
        """The requests that have left so far."""
        return self._client.counts

    def close(self) -> None:
        """Close the connections that nobody is using."""
        self._client.close()

    def room(self, seconds: float) -> int:
        """Return about how many requests the budget lets leave within a span."""
        return self._budget.room(seconds)

    def wait_for_room(self) -> None:
        """Wait until the budget has room for one write, and count it; reads do so themselves."""
        self._budget.spend()
        self._client.renew_token()

    def _heard(self) -> None:
        """Note that the platform answered something, as only it can."""
        self._has_answered = True

    def _at_its_address(self, read: Callable[[], T]) -> T | None:
        """Read something at its own address; None if the platform says that it is not there.

        Raises:
            ReadRefused: it does not say; also a 404 while nothing else was answered.
        """
        try:
            return read()
        except NotThere:
            if not self._has_answered:
                raise
            return None

    def _one_of_several(self, read: Callable[[], T]) -> T | None:
        """Read one of several things; None where it is not shown."""
        try:
            return read()
        except ReadRefused:
            self._refusals += not self._has_answered
            if self._refusals >= _REFUSALS:
                raise
            return None

    def _read_back(self, read: Callable[[], S | Unreadable], http_status: int | None) -> S:
        """Read a fulfillment after an answer, which alone does not say how it is now.

        Raises:
            OutcomeUnknown: it cannot be read.
        """
        try:
            seen = read()
        except (TryLater, AccessDenied, Interrupted) as error:
            reason = f"it answered, but what is true now could not be read ({error})"
            raise OutcomeUnknown(reason, http_status=http_status) from error
        if isinstance(seen, Unreadable):
            raise OutcomeUnknown(seen.reason, http_status=http_status)
        return seen
