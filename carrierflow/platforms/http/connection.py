"""HTTP connections that know whether a request has left, and how long its reply may take.

Whether a write may be repeated depends on one fact: did a byte of it leave? The exceptions of an
HTTP library do not tell (a reset may come before or after), so the connection itself takes note,
at the last moment at which the send deadline can still stop it.

A connection is kept only where it said one plain reply and nothing else. What an earlier request
left behind on it would be read as the answer to a later one.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from functools import partial
from http import HTTPStatus
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.wait import wait_for_read

from carrierflow.domain.waiting import LISTEN, Idle, keep_waiting
from carrierflow.platforms.http.connecting import connect
from carrierflow.platforms.http.tls import PatientTls, trusting


if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

__all__ = ["TROUBLE", "Departure", "new_session"]

TROUBLE = (requests.RequestException, HTTPError, OSError)
"""What the libraries raise where no reply came, or not all of it."""


class Departure:
    """The one request that a session has in hand: may it leave, has it, and until when to listen.

    Attributes:
        departed: whether a byte of the request may have left.
        odd: whether more came back than one plain reply; the connection is not used again.
    """

    def __init__(self) -> None:
        self.departed = False
        self.odd = False
        self._check: Callable[[], None] | None = None
        self._idle: Idle = keep_waiting
        self._seconds = 0.0
        self._until = 0.0

    def prepare(
        self, *, reply_within: float, check: Callable[[], None] | None, idle: Idle = keep_waiting
    ) -> None:
        """Begin another request; `check` raises if it comes too late to be sent.

        `idle` is called while its reply is waited for, and raises if nobody wants it any more.
        """
        self.departed = self.odd = False
        self._check = check
        self._idle = idle
        self._seconds = reply_within

    def leave(self) -> None:
        """Say that the first byte leaves now; the connection stands."""
        if self.departed:
            return
        if self._check is not None:
            self._check()
        self.departed = True
        # Monotonic, and no clock that a test may replace: it bounds waiting on a socket.
        self._until = time.monotonic() + self._seconds

    def ask(self) -> None:
        """Ask whether anybody still wants what is waited for; it raises if not."""
        self._idle()

    def next_slice(self) -> float:
        """Return how long to listen until this is to be asked again.

        Raises:
            TimeoutError: the time is up, however lively the other side drips.
        """
        self._idle()
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the reply took too long")
        return min(left, LISTEN)


class _BoundedReader(io.RawIOBase):
    """The reading end of a socket where all reads of one reply together have one deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, departure: Departure) -> None:
        self._raw = raw
        self._sock = sock
        self._departure = departure
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self._is_over:
            return 0
        while True:
            self._sock.settimeout(self._departure.next_slice())
            try:
                # Past the raw reader, which reads no more after its first time-out.
                return self._sock.recv_into(buffer)
            except TimeoutError:
                continue

    def end(self) -> bool:
        """Read no more, and tell whether there is more on the connection."""
        self._is_over = True
        unread = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) else 0
        return unread > 0 or wait_for_read(self._sock, timeout=0.0)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ReplyReader(io.BufferedReader):
    """One reply as it is read; when that is done, it looks for what came behind it."""

    def __init__(self, source: _BoundedReader, departure: Departure) -> None:
        super().__init__(source)
        self._source = source
        self._departure = departure

    def close(self) -> None:
        if not self.closed:
            try:
                self._departure.odd |= self._source.end() or bool(self.peek(1))
            except (OSError, ValueError):
                self._departure.odd = True
        super().close()


def _new_socket(connection: HTTPConnection, departure: Departure) -> socket.socket:
    address = connection.host.strip("[]"), connection.port
    options = connection.socket_options or ()
    try:
        return connect(address, connection.timeout, departure.ask, options)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "it takes no connection") from error
    except OSError as error:
        raise NewConnectionError(connection, "it cannot be connected to") from error


class _BoundedResponse(HTTPResponse):
    """A reply that is read within its one deadline."""

    def __init__(
        self, sock: socket.socket, *args: Any, departure: Departure, **kwargs: Any
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self._departure = departure
        self.fp = _ReplyReader(_BoundedReader(self.fp.detach(), sock, departure), departure)

    def _read_status(self) -> tuple[str, int, str]:
        # http.client passes over 100 alone, and takes any other 1xx for the reply itself; the
        # true reply would then be there for the next request. It passes over all of them here.
        version, status, reason = super()._read_status()  # type: ignore[misc]
        self._departure.odd |= status < HTTPStatus.OK
        is_interim = status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS
        return version, HTTPStatus.CONTINUE if is_interim else status, reason


class _Noted(HTTPConnection):
    """A connection that takes note of what leaves, and whose replies are bounded."""

    def __init__(self, *args: Any, departure: Departure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.departure = departure
        self.response_class = cast(
            "type[HTTPResponse]", partial(_BoundedResponse, departure=departure)
        )

    def _new_conn(self) -> socket.socket:
        return _new_socket(self, self.departure)

    def send(self, data: Any) -> None:
        # A plain connection is made here, a TLS one before; both are checked after that.
        if self.sock is None:
            self.connect()
        self.departure.leave()
        super().send(data)


class _Plain(_Noted):
    """HTTP."""


class _Secure(_Noted, HTTPSConnection):
    """HTTP over TLS, with the context of all our connections."""

    def connect(self) -> None:
        if self.ssl_context is None:
            shared = trusting(self.ca_certs, self.ca_cert_dir)
            self.ca_certs = self.ca_cert_dir = None  # urllib3 would read them again
            self.ssl_context = cast("ssl.SSLContext", PatientTls(shared, self.departure.ask))
        super().connect()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def _pools(departure: Departure) -> dict[str, Callable[..., HTTPConnectionPool]]:
    """Return what makes pools; each of their connections notes what leaves in one place."""
    return {
        "http": partial(_PlainPool, departure=departure),
        "https": partial(_SecurePool, departure=departure),
    }


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        # Even with redirects off, requests reads the whole body of one to prepare the next hop.
        return None


def new_session(departure: Departure) -> requests.Session:
    """Return a session that keeps no cookies, follows nothing, retries nothing and obeys no proxy.

    One platform warns that a request which carries cookies may fail although it answers 200, so
    none is kept for anybody. The environment is asked neither for proxies nor for
    netrc.
    """
    never = Retry(total=0, read=False, respect_retry_after_header=False)
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=never)
    adapter.poolmanager.pool_classes_by_scheme = _pools(departure)
    session = _Session()
    session.trust_env = False
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    session.adapters.clear()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
