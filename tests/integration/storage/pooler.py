"""A small transaction pooler: hands each transaction of its clients to the next of few servers.

It speaks as much of PostgreSQL's protocol as that takes, and like PgBouncer it refuses what a
client asks for of a session when it connects.
"""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import struct
import threading
from collections import deque

from sqlalchemy.engine import make_url


__all__ = ["Pooler"]

WITHOUT_ENCRYPTION = {80877103, 80877104}
"""Requests for TLS and for GSSAPI, which come before anything else; both are answered no."""

TRACKED = {"user", "database", "application_name", "client_encoding"}
ASKS = {b"Q", b"S"}
"""Messages that are each answered by one that says whether a transaction is open."""

EXTENDED = {b"P", b"B", b"D", b"E", b"C", b"H"}
READY, IDLE = b"Z", b"I"
PATIENCE = 30


class Pooler:
    """Listens on a port of its own for the clients of one database; a context manager."""

    def __init__(self, url, *, servers=3, hidden=False):
        self._url = make_url(url)
        self._hidden = hidden
        self._all = [_Server(self._url) for _ in range(servers)]
        self._free = queue.Queue()
        for server in self._all:
            self._free.put(server)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.handed_out = []
        """The processes of the servers that transactions were handed to, in their order."""

    def __enter__(self):
        threading.Thread(target=self._answer, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for server in self._all:
            server.socket.close()

    @property
    def url(self):
        """Where clients find it."""
        port = self._door.getsockname()[1]
        return self._url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)

    def _answer(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                _send_at_once(near)
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near, contextlib.suppress(OSError):
            if self._greet(near):
                _Client(self, near).serve()

    def _greet(self, near):
        """Let a client in, without asking a server; False if it asks for too much."""
        while True:
            (length,) = struct.unpack("!i", _exactly(near, 4))
            body = _exactly(near, length - 4)
            if struct.unpack("!i", body[:4])[0] not in WITHOUT_ENCRYPTION:
                break
            near.sendall(b"N")
        words = body[4:].rstrip(b"\0").decode().split("\0")
        if unknown := set(words[::2]) - TRACKED:
            text = f"SFATAL\0C08P01\0Munsupported startup parameter: {unknown}\0\0".encode()
            near.sendall(_message(b"E", text))
            return False
        first = self._all[0]
        key = struct.pack("!ii", first.process if self._hidden else id(near) % 2**31, 1)
        near.sendall(_message(b"R", struct.pack("!i", 0)) + first.told + _message(b"K", key))
        near.sendall(_message(READY, IDLE))
        return True

    def take(self):
        """Return the server that was idle for longest."""
        server = self._free.get(timeout=PATIENCE)
        self.handed_out.append(server.process)
        return server

    def give_back(self, server):
        """Let another transaction have a server."""
        self._free.put(server)


class _Server:
    """One connection to PostgreSQL."""

    def __init__(self, url):
        self.socket = socket.create_connection((url.host, url.port or 5432))
        _send_at_once(self.socket)
        words = {"user": url.username, "database": url.database, "client_encoding": "UTF8"}
        body = struct.pack("!i", 196608)
        body += b"".join(f"{k}\0{v}\0".encode() for k, v in words.items()) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.told, self.process, reader = b"", 0, _Reader(self.socket)
        kind = None
        while kind != READY:
            kind, body, whole = reader.one()
            assert kind != b"E", body
            self.told += whole if kind == b"S" else b""
            if kind == b"K":
                self.process = struct.unpack("!i", body[:4])[0]


class _Reader:
    """Reads whole messages from a socket."""

    def __init__(self, source):
        self.source = source
        self._waiting = b""
        self._messages = deque()

    def one(self):
        """Return the next message: its kind, its body, and all of it."""
        while not self._messages:
            self.more()
        return self._messages.popleft()

    def more(self):
        """Take in what has come, and return the whole messages in it."""
        data = self.source.recv(65536)
        if not data:
            raise ConnectionResetError
        self._waiting += data
        while len(self._waiting) >= 5:
            (length,) = struct.unpack("!i", self._waiting[1:5])
            if len(self._waiting) <= length:
                break
            whole, self._waiting = self._waiting[: length + 1], self._waiting[length + 1 :]
            self._messages.append((whole[:1], whole[5:], whole))

    def all(self):
        """Return all whole messages that have come."""
        self.more()
        found = list(self._messages)
        self._messages.clear()
        return found


class _Client:
    """One client, and the server that it has for its present transaction."""

    def __init__(self, pooler, near):
        self._pooler = pooler
        self._near = _Reader(near)
        self._server = None
        self._far = None
        self._asked = 0
        self._unfinished = False

    def serve(self):
        """Pass messages on until the client goes; a transaction that it leaves is taken back."""
        try:
            while True:
                mine = [self._near.source] + ([self._server.socket] if self._server else [])
                for one in select.select(mine, [], [])[0]:
                    if one is self._near.source:
                        self._up()
                    elif self._server is not None:
                        self._down()
        except ConnectionResetError:
            if self._server is not None:
                self._server.socket.sendall(_message(b"Q", b"ROLLBACK\0"))
                while not self._down():
                    pass

    def _up(self):
        for kind, _, whole in self._near.all():
            if kind == b"X":
                raise ConnectionResetError
            if self._server is None:
                self._server = self._pooler.take()
                self._far = _Reader(self._server.socket)
            self._asked += kind in ASKS
            self._unfinished = kind in EXTENDED or (self._unfinished and kind not in ASKS)
            self._server.socket.sendall(whole)

    def _down(self):
        """Pass answers on; True if the server was given back, for no transaction is open."""
        for kind, body, whole in self._far.all():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._near.source.sendall(whole)
            if kind == READY:
                self._asked -= 1
                if body == IDLE and self._asked <= 0 and not self._unfinished:
                    self._pooler.give_back(self._server)
                    self._server, self._asked = None, 0
                    return True
        return False


def _send_at_once(one):
    """Do not wait for more to send: each of two who do so waits for the other."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _exactly(source, count):
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def _message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body
