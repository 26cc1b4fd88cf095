"""One request and its reply over HTTP, bounded in time and in size; policy is the client's.

The libraries of HTTP are imported with the first request: a scan that is recorded makes none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from carrierflow.domain.cleaning import cleaned, is_token
from carrierflow.domain.forking import ProcessLock, in_children
from carrierflow.domain.hearing import Hearing
from carrierflow.domain.urls import flaw_of_root
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import ConfigurationError
from carrierflow.platforms.http.replies import PlatformReply


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from carrierflow.domain import clock
    from carrierflow.platforms.http.connection import Departure


__all__ = ["HttpLimits", "Lost", "Method", "RequestCounter", "Token", "Transport", "bearer"]

Method = Literal["GET", "POST", "PUT", "DELETE"]

Token = str | Callable[[], str]
"""A bearer token, or what returns the one of this moment."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpLimits:
    """How long and how often to try, and how much to take in."""

    connect_timeout: float = 3.0
    request_timeout: float = 10.0
    """From the first byte sent to the last byte of the reply, however slowly it drips."""
    max_body: int = 8 * 1024 * 1024
    get_retries: int = 3
    get_backoff: float = 0.5
    """Before the first retry of a read; doubled for each further one."""
    longest_backoff: float = 8.0
    longest_pause: float = 300.0
    """How long a `Retry-After` is obeyed at most."""


class RequestCounter:
    """The requests that have left, as the port's `RequestCounts`; safe among threads.

    Attributes:
        get: reads.
        put: writes of a status, whatever the method; no other changes.
        throttled: replies that asked for a pause.
        alone: reads of what a list left out.
        hearing: whether the platform answers.
    """

    def __init__(self) -> None:
        self.hearing = Hearing()
        self.get = 0
        self.put = 0
        self.throttled = 0
        self.alone = 0
        self._lock = ProcessLock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(get={self.get}, put={self.put}, throttled={self.throttled})"

    def add(self, *, get: int = 0, put: int = 0, throttled: int = 0, alone: int = 0) -> None:
        """Count some more."""
        with self._lock:
            self.get += get
            self.put += put
            self.throttled += throttled
            self.alone += alone


class Lost(Exception):  # noqa: N818 (internal: what happened, no "Error")
    """No reply came; `departed` says whether the request may have arrived all the same."""

    def __init__(self, reason: str, *, departed: bool) -> None:
        self.reason = reason
        self.departed = departed
        super().__init__(reason)


def bearer(token: str) -> dict[str, str]:
    """Return the header that bears a token (RFC 6750)."""
    return {"Authorization": f"Bearer {token}"}


class Transport:
    """The way to what a platform has of one shop; any number of threads may use it at once.

    Without a token it is the way to a platform's accounts, where tokens come from.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: Token | None,
        limits: HttpLimits,
        now: clock.Clock,
        idle: Idle = keep_waiting,
        folder: str = "",
        headers: Callable[[str], Mapping[str, str]] = bearer,
    ) -> None:
        self.url = f"{_checked_root(base_url)}{folder}"
        self.counts = RequestCounter()
        self._token = _checked_token(token) if isinstance(token, str) else token
        self.secret = token if isinstance(token, str) else ""
        """The token that was sent last, so that it can be kept out of what is told."""
        self._limits = limits
        self._now = now
        self._while_reading = idle
        self._bear = headers
        self._idle: list[tuple[requests.Session, Departure]] = []
        in_children(self._leave_to_parent)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def renew_token(self) -> None:
        """Ask for the token of this moment, where it is not one for good."""
        if self._token is not None and not isinstance(self._token, str):
            self.secret = _checked_token(self._token())

    def _leave_to_parent(self) -> None:
        self._idle = []

    def close(self) -> None:
        """Close the connections that nobody is using."""
        while self._idle:
            self._idle.pop()[0].close()

    def exchange(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        check: Callable[[], None] | None = None,
    ) -> PlatformReply:
        """Send one request, once; `check` is called before the first byte and may raise.

        Only the write of a status has a check, and by it is counted as one.
        A read may be given up while its answer is waited for: what `idle` raises goes through.
        Whatever changes something there is heard out.

        Raises:
            Lost: no reply came.
        """
        from requests import Request, RequestException  # noqa: PLC0415 - with the first request

        from carrierflow.platforms.http.connection import TROUBLE  # noqa: PLC0415 - as above

        with self._session() as (session, departure):
            departure.prepare(
                reply_within=self._limits.request_timeout,
                check=check,
                idle=self._while_reading if method == "GET" else keep_waiting,
            )
            headers = self._headers(content_type)
            request = Request(method, self.url + path, headers, data=body, params=params)
            try:
                with self.counts.hearing.question():
                    reply = self._talk(session, request)
            except TROUBLE as exc:
                if isinstance(exc, RequestException):
                    exc.request = None  # its headers hold the token
                raise _lost(exc, departed=departure.departed) from exc
            else:
                departure.odd |= reply.flaw is not None
                return reply
            finally:
                if departure.departed:
                    self.counts.add(get=method == "GET", put=check is not None)

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {
            "Accept": JSON,
            "Accept-Encoding": "gzip, deflate",
            "Content-Type": content_type,
            "User-Agent": "carrierflow",
        }
        if self._token is not None:
            self.renew_token()
            headers |= self._bear(self.secret)
        return headers

    def _talk(self, session: requests.Session, request: requests.Request) -> PlatformReply:
        limits = self._limits
        prepared = session.prepare_request(request)
        asked_at = self._now()
        with session.send(
            prepared,
            stream=True,
            timeout=(limits.connect_timeout, limits.request_timeout),
            allow_redirects=False,
        ) as response:
            body, flaw = self._body(response)
            return PlatformReply(
                status=response.status_code,
                headers=response.headers,
                body=body,
                flaw=flaw,
                asked_at=asked_at,
                seen_at=self._now(),
            )

    def _body(self, response: requests.Response) -> tuple[bytes, str | None]:
        from carrierflow.platforms.http.connection import TROUBLE  # noqa: PLC0415 - as above

        # The status is known by now and decides alone where the body adds nothing to it, so
        # trouble with the body is noted and not raised.
        chunks: list[bytes] = []
        size = 0
        try:
            for chunk in response.iter_content(_CHUNK):
                size += len(chunk)
                if size > self._limits.max_body:
                    return b"", f"the reply is larger than {self._limits.max_body} bytes"
                chunks.append(chunk)
        except TROUBLE as exc:
            return b"", f"the reply broke off after {size} bytes ({_origin(exc)})"
        return b"".join(chunks), None

    @contextmanager
    def _session(self) -> Iterator[tuple[requests.Session, Departure]]:
        from carrierflow.platforms.http.connection import (  # noqa: PLC0415 - with the first request
            Departure,
            new_session,
        )

        # A session serves one thread at a time, and outlives it: a run's threads come and go. One
        # on which anything went wrong serves nobody any more.
        try:
            pair = self._idle.pop()
        except IndexError:
            departure = Departure()
            pair = new_session(departure), departure
        is_sound = False
        try:
            yield pair
            is_sound = not pair[1].odd
        finally:
            if is_sound:
                self._idle.append(pair)
            else:
                pair[0].close()


def _lost(exc: Exception, *, departed: bool) -> Lost:
    what = "no reply to a request that was sent" if departed else "no connection could be made"
    return Lost(f"{what} ({_origin(exc)})", departed=departed)


def _origin(exc: BaseException) -> str:
    """Return the name of the error at the bottom; texts may hold addresses, names do not."""
    while (deeper := exc.__cause__ or exc.__context__) is not None:
        exc = deeper
    return type(exc).__name__


def _checked_root(base_url: str) -> str:
    root = cleaned(base_url).rstrip("/")
    flaw = flaw_of_root(root)
    if flaw is not None:
        raise ConfigurationError(flaw)
    return root


def _checked_token(token: str) -> str:
    # An HTTP library would quote a bad header value, token and all, in its error.
    if not is_token(token):
        raise ConfigurationError(
            "The token is empty or holds blanks, line breaks or letters outside ASCII; "
            "store it again with `carrierflow shop rotate-token`."
        )
    return token
