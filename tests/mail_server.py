"""A mail server on loopback, and how to serve anything there."""

from __future__ import annotations

import socketserver
from contextlib import contextmanager
from threading import Thread


__all__ = ["mailbox", "served"]


@contextmanager
def served(server):
    """Serve in a thread of its own."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Post(socketserver.StreamRequestHandler):
    """A mail server that takes every letter."""

    def handle(self):
        self.wfile.write(b"220 post\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.letters.append(self.letter())
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
            if verb == b"QUIT":
                return

    def letter(self):
        """Read a letter up to the dot at its end."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)


@contextmanager
def mailbox():
    """A mail server on loopback."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.letters = []
        with served(server):
            yield server
