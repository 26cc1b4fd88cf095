"""The socket around the platform: HTTP/1.1 with keep-alive, and connections that really break."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

from carrierflow.sandbox.background import Background
from carrierflow.sandbox.exchange import Dropped, HttpReply, HttpRequest, Outcome


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from carrierflow.sandbox.faults import Faults


__all__ = ["LocalServer", "SandboxPlatform"]

_LONGEST_BODY = 16 << 20


class SandboxPlatform(Protocol):
    """A platform in process, which a server puts on a port."""

    faults: Faults

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request; never raises for what a client sent."""


P = TypeVar("P", bound=SandboxPlatform)


class LocalServer(Generic[P]):
    """A platform on a port of this machine; port 0 takes a free one.

    Use it as a context manager, or call `start` and `stop`. `latency` seconds are added to every
    reply. `rounds` are made over and over while it runs, each in a thread of its own.
    """

    def __init__(
        self,
        platform: P,
        *rounds: Callable[[], object],
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
    ) -> None:
        self.platform = platform
        self.faults = platform.faults
        self._rounds = Background(*rounds)
        self._latency = latency
        self._http = _Listener((host, port), self._exchange)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The root under which the platform answers, without a slash at the end."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Answer requests from a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="sandbox", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Answer requests until `stop` is called from another thread."""
        self._rounds.start()
        self._http.serve_forever(poll_interval=0.05)

    def serve(self, ready: Callable[[Self], None]) -> None:
        """Answer requests in this thread until it is interrupted, then close cleanly.

        `ready` is called with the server before the first request.
        """
        try:
            ready(self)
            self.run()
        except KeyboardInterrupt:
            return
        finally:
            self.close()

    def stop(self) -> None:
        """Take no more requests and close every connection."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self.close()

    def close(self) -> None:
        """Close the port and every connection; for a server whose `run` has returned."""
        self._rounds.stop()
        self._http.hang_up()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _exchange(self, request: HttpRequest) -> Outcome:
        """Answer, call the carrier, and wait, none of which keeps another request from its turn."""
        outcome = self.platform.handle(request)
        delay = self._latency + (outcome.delay_seconds if isinstance(outcome, HttpReply) else 0.0)
        if delay:
            time.sleep(delay)
        return outcome


class _Listener(ThreadingHTTPServer):
    """A threading server that can hang up on its clients."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], exchange: Callable[[HttpRequest], Outcome]
    ) -> None:
        self.exchange = exchange
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection, so that `hang_up` can find it."""
        self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def hang_up(self) -> None:
        """Break every open connection."""
        for connection in tuple(self._open):
            _break(connection)


class _Handler(BaseHTTPRequestHandler):
    """One connection: requests in, replies out, one write each."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "carrierflow-sandbox"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        try:
            super().finish()
        except OSError:
            return  # the client has gone; there is nobody left to tell

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # the client has gone, or `hang_up` was called

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Say nothing: whoever runs the sandbox owns the terminal."""

    def do_GET(self) -> None:
        """Answer a request; every method goes the same way."""
        body = self._body()
        if body is None:
            return
        headers = dict(self.headers.items())
        request = HttpRequest.of(self.command, self.path, headers, body)
        outcome = self.server.exchange(request)
        if isinstance(outcome, Dropped):
            self.close_connection = True
            _break(self.connection)
        else:
            self._reply(outcome)

    def do_POST(self) -> None:
        """Answer as for GET."""
        self.do_GET()

    def do_PUT(self) -> None:
        """Answer as for GET."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Answer as for GET."""
        self.do_GET()

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            self.send_error(400, "The length of the body is missing, malformed or too great.")
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _reply(self, reply: HttpReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.is_truncated else reply.body)
        self.wfile.flush()
        if reply.is_truncated:
            self.close_connection = True
            _break(self.connection)


def _break(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was broken already
