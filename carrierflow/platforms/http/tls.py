"""The TLS context of our connections: one in a process, for reading a CA bundle takes 30 ms.

It is shared among our own connections and with nobody else in the process, and is never changed
once it is made: other threads shake hands with it meanwhile.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context

from carrierflow.domain.forking import ProcessLock, in_children
from carrierflow.platforms.http.connecting import shake_hands


if TYPE_CHECKING:
    import socket

    from carrierflow.domain.waiting import Idle


__all__ = ["PatientTls", "trusting"]

_Bundle = tuple[str | None, str | None, tuple[tuple[int, int], ...]]


class PatientTls:
    """The shared context as one connection sees it, with the handshake in slices.

    urllib3 sets what it wishes for on each connection's context; what it sets here stays here,
    and is what the shared one was made with: certificates and names are checked.
    """

    def __init__(self, shared: ssl.SSLContext, idle: Idle) -> None:
        self.verify_mode = shared.verify_mode
        self.check_hostname = shared.check_hostname
        self._shared = shared
        self._idle = idle

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        """Leave the protocols as they are set."""

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str | None) -> ssl.SSLSocket:
        """Begin TLS on a connection that stands, with the server of that name and no other."""
        secure = self._shared.wrap_socket(
            sock, do_handshake_on_connect=False, server_hostname=server_hostname
        )
        shake_hands(secure, self._idle)
        return secure


class _Contexts:
    """The context that was made last. A child makes its own: a lock in ours may be held."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._forget()
        in_children(self._forget)

    def _forget(self) -> None:
        self._made: tuple[_Bundle, ssl.SSLContext] | None = None

    def trusting(self, file: str | None, folder: str | None) -> ssl.SSLContext:
        bundle = file, folder, tuple(_stamp(each) for each in (file, folder) if each)
        with self._lock:
            if self._made is None or self._made[0] != bundle:
                self._made = bundle, _new_context(file, folder)
            return self._made[1]


def _stamp(path: str) -> tuple[int, int]:
    """Return what is another number once a bundle was renewed."""
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size


def _new_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(file, folder)
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    return context


_CONTEXTS = _Contexts()


def trusting(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return the context that trusts the certificates of a file, of a folder, or of both.

    Raises:
        OSError: they cannot be read.
    """
    return _CONTEXTS.trusting(file, folder)
