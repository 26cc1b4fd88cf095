"""Making a connection in slices, so that whoever waits for one can be told to wait no longer.

A host behind a dropped route answers no attempt to connect, and one that hangs behind its kernel
says nothing to a TLS handshake. The libraries wait for both in one go.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from urllib3.util.wait import wait_for_read, wait_for_write

from carrierflow.domain.waiting import LISTEN, Idle


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["connect", "shake_hands"]

UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY}


def connect(
    address: tuple[str, int],
    seconds: float | None,
    idle: Idle,
    options: Iterable[tuple[Any, ...]],
) -> socket.socket:
    """Connect to the first place of an address that takes it; each is given so many seconds.

    None is as long as it takes.

    Raises:
        OSError: none does; the last one's trouble, `TimeoutError` among it.
    """
    trouble: OSError = OSError("the name has no address")
    for family, kind, number, _, place in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, number)
        try:
            for option in options:
                sock.setsockopt(*option)
            sock.setblocking(False)
            _join(sock, place, _deadline(seconds), idle)
        except OSError as error:
            sock.close()
            trouble = error
        except BaseException:
            sock.close()
            raise
        else:
            sock.settimeout(seconds)
            return sock
    raise trouble


def shake_hands(sock: ssl.SSLSocket, idle: Idle) -> None:
    """Shake hands on a connection that stands, within its time-out; whatever is raised closes it.

    Raises:
        TimeoutError: the other side took longer.
        OSError: it is not whom it should be, or it broke off.
    """
    seconds = sock.gettimeout()
    sock.settimeout(0.0)
    try:
        _shake_until(_deadline(seconds), sock, idle)
    except BaseException:
        sock.close()
        raise
    sock.settimeout(seconds)


def _shake_until(until: float, sock: ssl.SSLSocket, idle: Idle) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            _await(sock, wait_for_read, until, idle)
        except ssl.SSLWantWriteError:
            _await(sock, wait_for_write, until, idle)
        else:
            return


def _deadline(seconds: float | None) -> float:
    return math.inf if seconds is None else time.monotonic() + seconds


def _join(sock: socket.socket, place: Any, until: float, idle: Idle) -> None:
    code = sock.connect_ex(place)
    if code in UNDER_WAY:
        _await(sock, wait_for_write, until, idle)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _await(sock: socket.socket, ready: Callable[..., bool], until: float, idle: Idle) -> None:
    while True:
        idle()
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the connection took too long")
        if ready(sock, timeout=min(LISTEN, left)):
            return
