"""A platform that is there and of no use: silent, slow, full, or asking for a pause."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress


__all__ = ["DRIP", "deaf", "useless"]

DRIP = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
"""After this, one byte comes every now and then."""


class Useless:
    """What a test sees of it: where it is, and how many requests have come."""

    def __init__(self, listener):
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.requests = 0
        self.over = threading.Event()


@contextmanager
def useless(answer):
    """Listen on loopback and give every request one answer; nothing at all if that is empty."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        platform = Useless(listener)
        threading.Thread(target=_accept, args=(listener, platform, answer), daemon=True).start()
        try:
            yield platform
        finally:
            platform.over.set()
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def deaf():
    """Listen, and take no connection: whoever comes waits until his patience is over."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield Useless(listener)


def _accept(listener, platform, answer):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, platform, answer), daemon=True).start()


def _serve(connection, platform, answer):
    with connection, suppress(OSError):
        while _request(connection):
            platform.requests += 1
            if answer:
                connection.sendall(answer)
            while answer == DRIP and not platform.over.wait(0.2):
                connection.sendall(b" ")
            if not answer:
                platform.over.wait()


def _request(connection):
    """Read the head of one request; False where there is none."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        try:
            part = connection.recv(1)
        except OSError:
            return False
        if not part:
            return False
        head += part
    return True
