"""A wire between us and a server that can be cut, at a COMMIT or at once, and that can freeze."""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading


__all__ = ["Cut", "Freeze", "Wire"]

COMMIT = b"COMMIT"
"""How both drivers ask for it, in clear."""

END_OF_HEAD = b"\r\n\r\n"
"""What ends the head of an answer over HTTP."""

RESET = struct.pack("ii", 1, 0)
"""Linger for no time: what is under way is dropped, and the other side gets a reset."""


class Cut(enum.Enum):
    """Where a wire is cut at a COMMIT."""

    BEFORE = "the COMMIT never arrives"
    AFTER = "the COMMIT is done, its answer never arrives"
    DURING = "the COMMIT leaves, and nobody knows"


class Freeze(enum.Enum):
    """Where a wire freezes at a packet of ours."""

    BEFORE = "it never arrives"
    AFTER = "it arrives, its answer never does"
    INSIDE = "it arrives, and the head and half of the body of its answer do"


class Wire:
    """Listens on a port of its own and passes everything on to a server; a context manager."""

    def __init__(self, host, port):
        self._server = host, port
        self.port = 0
        self._lock = threading.Lock()
        self._pairs = set()
        self._cut_at, self._how = 0, Cut.BEFORE
        self.commits = self.cuts = 0
        self._thawed = threading.Event()
        self._thawed.set()
        self._freeze_at, self.passed = 0, 0
        self._freeze_word, self._freeze_how = b"", Freeze.BEFORE
        self._asks = None
        self.open_door()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thaw()
        self.close_door()
        self.cut_all()

    def freeze(self, *, after=0, word=b"", how=Freeze.BEFORE):
        """Swallow what comes, at once or at so many packets of ours that have a word in them.

        Nothing is cut: whoever waits for an answer waits on.
        """
        with self._lock:
            self.passed, self._freeze_at = 0, after
            self._freeze_word, self._freeze_how = word, how
        if not after:
            self._thawed.clear()

    def thaw(self):
        """Let everything go on where it stood."""
        with self._lock:
            self._freeze_at = 0
        self._thawed.set()

    @property
    def is_frozen(self):
        """Whether nothing passes."""
        return not self._thawed.is_set()

    def _pass(self, pair, data):
        """Wait while it is frozen; count the packets, and freeze when it is time for that."""
        with self._lock:
            is_named = self._freeze_word in data
            self.passed += is_named
            if is_named and self.passed == self._freeze_at:
                if self._freeze_how is Freeze.BEFORE:
                    self._thawed.clear()
                else:
                    self._asks = pair
        self._thawed.wait()

    def open_door(self):
        """Let connections in, on the same port each time."""
        self._door = socket.create_server(("127.0.0.1", self.port))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._answer, args=(self._door,), daemon=True).start()

    def close_door(self):
        """Refuse new connections."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def cut(self, how, *, commit=1):
        """Cut at one of the next COMMITs: the first, unless another is named."""
        with self._lock:
            self.commits, self._cut_at, self._how = 0, commit, how

    def mend(self):
        """Cut no more."""
        with self._lock:
            self.commits = self._cut_at = 0

    def cut_all(self):
        """Cut every connection that there is, now; return how many."""
        with self._lock:
            pairs = set(self._pairs)
        for pair in pairs:
            self._hang_up(pair)
        return len(pairs)

    def _answer(self, door):
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            try:
                pair = near, socket.create_connection(self._server)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs.add(pair)
            swallow = threading.Event()
            for pump in (self._upwards, self._downwards):
                threading.Thread(target=pump, args=(pair, swallow), daemon=True).start()

    def _upwards(self, pair, swallow):
        near, far = pair
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                self._pass(pair, data)
                how = self._due(data)
                if how in {Cut.AFTER, Cut.DURING}:
                    swallow.set()
                if how is not Cut.BEFORE:
                    far.sendall(data)
                if how in {Cut.BEFORE, Cut.DURING}:
                    break
        self._hang_up(pair)

    def _downwards(self, pair, swallow):
        near, far = pair
        with contextlib.suppress(OSError):
            while (data := far.recv(65536)) and not swallow.is_set():
                if self._asks is pair:
                    data = self._withhold(near, data)
                self._thawed.wait()
                near.sendall(data)
        self._hang_up(pair)

    def _withhold(self, near, data):
        """Freeze in an answer, of which some may pass; return what is left of it."""
        self._asks = None
        self._thawed.clear()
        if self._freeze_how is Freeze.AFTER:
            return data
        body = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        half = body + (len(data) - body) // 2
        near.sendall(data[:half])
        return data[half:]

    def _due(self, data):
        """Count a COMMIT, and return how to cut there, if it is the one."""
        if COMMIT not in data:
            return None
        with self._lock:
            self.commits += 1
            if self.commits != self._cut_at:
                return None
            self.cuts += 1
            return self._how

    def _hang_up(self, pair):
        with self._lock:
            self._pairs.discard(pair)
        for one in pair:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                one.shutdown(socket.SHUT_RDWR)
            one.close()
