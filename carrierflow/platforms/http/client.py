"""HTTP with a platform: reads are retried, a write is tried exactly once and its fate is named.

| what became of a PUT, POST or DELETE                              | raised           |
|-------------------------------------------------------------------|------------------|
| the send deadline passed; no name, no connection, no TLS; 429     | `NotSent`        |
| 401, 403                                                          | `AccessDenied`   |
| any other 4xx, but not 408, 425 and 499                           | `Refused`        |
| 1xx, 3xx, 408, 425, 499, 5xx and beyond; lost or too slow after   | `OutcomeUnknown` |
| the first byte left; a reply that cannot be read; any but 429     |                  |
| that is not the platform's own, where a dialect can tell          |                  |

A refusal may be somebody else's word: a proxy answers 404 or 422 in the platform's place, too.

| what came of a GET                                                | raised                |
|-------------------------------------------------------------------|-----------------------|
| 401, 403                                                          | `AccessDenied`        |
| 404                                                               | `NotThere`            |
| 429, after the last retry                                         | `Throttled`           |
| 408, 409, 422, 425, 499, 5xx and beyond, 201 to 299, no reply or  | `PlatformUnavailable` |
| one that cannot be read, after the last retry; 1xx, 3xx at once;  |                       |
| any but 429 that is not the platform's own, after the last retry  |                       |
| any other 4xx at once, and 409, 422 after the last retry          | `ReadRefused`         |
"""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from carrierflow.domain import clock
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import (
    AccessDenied,
    Interrupted,
    NotSent,
    NotThere,
    OutcomeUnknown,
    PlatformUnavailable,
    ReadRefused,
    Refused,
    Throttled,
    TryLater,
)
from carrierflow.platforms.http.http_dialect import HttpDialect
from carrierflow.platforms.http.replies import (
    PlatformReply,
    UnreadableReply,
    refusal,
    retry_after,
)
from carrierflow.platforms.http.transport import (
    HttpLimits,
    Lost,
    Method,
    RequestCounter,
    Token,
    Transport,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    import stamina

    from carrierflow.reconcile.ports import Budget


__all__ = ["NotThere", "PlatformClient"]

T = TypeVar("T")

_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_CLIENT_CLOSED = 499
_NO_VERDICT = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, _CLIENT_CLOSED})
"""What a server in between says of a request that it gave up, wherever that was by then."""

# Integrations have seen 422 now and then for paged reads that were good.
_PASSING = _NO_VERDICT | {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
_SHORTEST_PAUSE = 1.0
_LONGEST_GROWN_PAUSE = 60.0

_log = logging.getLogger(__name__)


class _Again(Exception):  # noqa: N818 (internal: an instruction to the retry loop)
    """A read failed in a way that another try may mend; holds what to raise if none does."""

    def __init__(self, error: PlatformUnavailable) -> None:
        self.error = error
        super().__init__(str(error))


class PlatformClient:
    """One shop's requests to its platform, within the shop's budget.

    Args:
        dialect: what of HTTP is this platform's own.
        base_url: the root; the folder is added to it.
        token: what proves who asks, or what returns it; it appears in no error and no repr.
        budget: reads and writes spend from it; the write of a status does not, its caller has.
        limits: timeouts, sizes, retries.
        now: the clock by which the write of a status is too late.
        sleep: waits between two tries of a read.
        idle: called while a read waits for its answer; what it raises ends the wait.
        folder: where below the root the addresses are.

    Raises:
        ConfigurationError: the base URL or the token cannot be used.
    """

    def __init__(
        self,
        *,
        dialect: HttpDialect,
        base_url: str,
        token: Token,
        budget: Budget,
        limits: HttpLimits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
        folder: str = "",
    ) -> None:
        self._dialect = dialect
        self._limits = limits or HttpLimits()
        self._transport = Transport(
            base_url=base_url,
            token=token,
            limits=self._limits,
            now=now,
            idle=idle,
            folder=folder,
            headers=dialect.headers,
        )
        self._budget = budget
        self._now = now
        self._sleep = sleep
        self._lock = ProcessLock()
        self._throttled_in_a_row = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @property
    def url(self) -> str:
        """What every path is appended to."""
        return self._transport.url

    @property
    def counts(self) -> RequestCounter:
        """The requests that have left so far."""
        return self._transport.counts

    def renew_token(self) -> None:
        """Get a new token if the present one is about to end, before anything depends on it."""
        self._transport.renew_token()

    def close(self) -> None:
        """Close the connections that nobody is using; a later request opens new ones."""
        self._transport.close()

    def get(self, path: str, params: Mapping[str, str], read: Callable[[PlatformReply], T]) -> T:
        """Read something, trying again while that may help.

        Raises:
            NotThere: 404.
            ReadRefused: another clear no.
            AccessDenied: the token is not accepted.
            Throttled: the platform kept asking for a pause, or for a long one.
            PlatformUnavailable: no readable reply came.
        """
        wait, failed = 0.0, None
        try:
            for attempt in self._attempts():
                with attempt:
                    if failed:
                        self._rest(wait, failed)
                    wait = attempt.next_wait
                    try:
                        return self._get_once(path, params, read)
                    except _Again as again:
                        failed = again
                        raise
        except _Again as again:
            raise again.error from again.__cause__
        raise AssertionError("stamina goes on until an attempt returns or raises")

    def _rest(self, seconds: float, failed: _Again) -> None:
        """Wait for the next try; whoever gives it up hears why there was to be one."""
        try:
            self._sleep(seconds)
        except PlatformUnavailable:
            raise failed.error from failed.__cause__

    def put(self, path: str, read: Callable[[PlatformReply], T], *, not_later_than: datetime) -> T:
        """Tell a status by a PUT without a body, as `tell` does."""
        return self.tell("PUT", path, read, not_later_than=not_later_than)

    def tell(
        self,
        method: Method,
        path: str,
        read: Callable[[PlatformReply], T],
        *,
        not_later_than: datetime,
        document: Any = None,
    ) -> T:
        """Tell a status, exactly once; the caller has waited for the budget.

        Raises:
            NotSent: it certainly had no effect.
            OutcomeUnknown: it may have been applied, or may still be.
            Refused: the platform will not do it.
            AccessDenied: the token is not accepted.
        """

        def check() -> None:
            if self._now() > not_later_than:
                raise NotSent("the time for sending this request had passed before it could leave")

        check()
        return self._write(method, path, read, body=_printed(document), check=check)

    def send(
        self, method: Method, path: str, read: Callable[[PlatformReply], T], *, document: Any = None
    ) -> T:
        """Send one JSON document, or nothing, exactly once; a read must tell what became of it.

        Raises:
            NotSent: it certainly had no effect.
            OutcomeUnknown: it may have been applied, or may still be.
            Refused: the platform will not do it.
            AccessDenied: the token is not accepted.
        """
        self._budget.spend()
        return self._write(method, path, read, body=_printed(document))

    def write(
        self, method: Method, path: str, read: Callable[[PlatformReply], T], *, document: Any = None
    ) -> T:
        """Send as `send` does, to an address at which there may be nothing.

        Raises:
            NotThere: 404, there is nothing under that address to change.
        """
        try:
            return self.send(method, path, read, document=document)
        except Refused as refused:
            if refused.http_status == HTTPStatus.NOT_FOUND:
                raise NotThere(refused.reason) from None
            raise

    def _write(
        self,
        method: Method,
        path: str,
        read: Callable[[PlatformReply], T],
        *,
        body: bytes | None = None,
        check: Callable[[], None] | None = None,
    ) -> T:
        try:
            reply = self._exchange(method, path, body=body, check=check)
        except (TryLater, Interrupted) as exc:
            # There was no token to send it with.
            raise NotSent(str(exc)) from exc
        except Lost as lost:
            fate = OutcomeUnknown if lost.departed else NotSent
            raise fate(lost.reason) from lost.__cause__
        self._accept_write(reply)
        try:
            return read(reply)
        except UnreadableReply as exc:
            raise OutcomeUnknown(exc.reason, http_status=reply.status) from None

    def _accept_write(self, reply: PlatformReply) -> None:
        status = reply.status
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise NotSent(f"it asks us to wait {self._pause(reply):g} s", http_status=status)
        if not self._dialect.is_own(reply):
            raise OutcomeUnknown(self.refusal(reply), http_status=status)
        if status in _DENIED:
            self._deny(reply)
        if _is_refusal(status):
            raise Refused(self.refusal(reply), http_status=status)
        if not _is_success(status):
            raise OutcomeUnknown(f"HTTP {status} to a request that was sent", http_status=status)

    def _attempts(self) -> Iterator[stamina.Attempt]:
        # stamina's loop and backoff with our sleep, which it takes no argument for: the hook
        # makes it wait zero seconds, and `next_wait` says how long we sleep before the next try.
        import stamina  # noqa: PLC0415 - with the first request

        limits = self._limits
        return iter(
            stamina.retry_context(
                on=lambda exc: 0.0 if isinstance(exc, _Again) else False,
                attempts=limits.get_retries + 1,
                timeout=None,
                wait_initial=limits.get_backoff,
                wait_max=limits.longest_backoff,
                wait_jitter=0.0,
            )
        )

    def _get_once(
        self, path: str, params: Mapping[str, str], read: Callable[[PlatformReply], T]
    ) -> T:
        self._budget.spend()
        try:
            reply = self._exchange("GET", path, params)
        except Lost as lost:
            raise _Again(PlatformUnavailable(lost.reason)) from lost.__cause__
        self._accept_get(reply)
        try:
            return read(reply)
        except UnreadableReply as exc:
            raise _Again(PlatformUnavailable(exc.reason)) from None

    def _accept_get(self, reply: PlatformReply) -> None:
        status = reply.status
        if status == HTTPStatus.OK:
            return
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Again(Throttled(retry_after=self._pause(reply)))
        if not self._dialect.is_own(reply):
            raise _Again(PlatformUnavailable(self.refusal(reply)))
        if status in _DENIED:
            self._deny(reply)
        if status == HTTPStatus.NOT_FOUND:
            raise NotThere("HTTP 404, there is nothing under that address")
        fate = ReadRefused if _is_refusal(status) else PlatformUnavailable
        error = fate(self.refusal(reply))
        passes = _is_success(status) or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        raise _Again(error) if passes or status in _PASSING else error

    def _deny(self, reply: PlatformReply) -> NoReturn:
        raise AccessDenied(self.refusal(reply), http_status=reply.status)

    def refusal(self, reply: PlatformReply) -> str:
        """Return why a reply says no, short, and without anything personal or secret."""
        return refusal(reply, self._dialect.messages(reply), secret=self._transport.secret)

    def _exchange(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        check: Callable[[], None] | None = None,
    ) -> PlatformReply:
        reply = self._transport.exchange(method, path, params, body=body, check=check)
        if reply.status != HTTPStatus.TOO_MANY_REQUESTS:
            with self._lock:
                self._throttled_in_a_row = 0
        used = self._dialect.used_calls(reply)
        if used is not None:
            with self._whatever_the_budget_does():
                self._budget.learn_used(used)
        return reply

    def _pause(self, reply: PlatformReply) -> float:
        """Tell the budget to pause: as long as asked, longer each time in a row, never too long."""
        with self._lock:
            self._throttled_in_a_row += 1
            doublings = min(self._throttled_in_a_row, 10) - 1
        grown = min(_SHORTEST_PAUSE * 2.0**doublings, _LONGEST_GROWN_PAUSE)
        pause = min(max(grown, retry_after(reply) or 0.0), self._limits.longest_pause)
        self.counts.add(throttled=1)
        with self._whatever_the_budget_does():
            self._budget.pause(pause)
        return pause

    @contextmanager
    def _whatever_the_budget_does(self) -> Iterator[None]:
        # A reply must not be lost because the budget's database is busy: what became of a write
        # weighs more than what the budget might have learnt from it.
        try:
            yield
        except TryLater as exc:
            _log.info(self._dialect.budget_event, extra={"reason": str(exc)})


def _printed(document: Any) -> bytes | None:
    return None if document is None else json.dumps(document).encode()


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _is_refusal(status: int) -> bool:
    """Tell whether a status is a clear no: nothing was done, if it is the platform's own word."""
    is_clients = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_clients and status not in _NO_VERDICT
