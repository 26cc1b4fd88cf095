"""A witness on loopback, as C2SP's `tlog-witness` says what one does."""

from __future__ import annotations

import base64
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carrierflow.audit.log.proof import Consistency
from carrierflow.audit.log.witness import WitnessKey


__all__ = ["WitnessServer"]


class Watcher(BaseHTTPRequestHandler):
    """A witness as its specification says: it remembers one checkpoint, and signs what follows."""

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        proof = Consistency.parse(asked)
        server = self.server
        if proof.old_size != server.size:
            self.answer(409, f"{server.size}\n")
        elif server.seen is not None and not proof.holds(server.seen):
            self.answer(422, "")
        else:
            server.seen = proof.checkpoint.checkpoint
            server.size = server.seen.size
            self.answer(200, server.cosigned(proof.checkpoint))

    def answer(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


class WitnessServer(ThreadingHTTPServer):
    """A witness with a key of its own."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Watcher)
        self.private = Ed25519PrivateKey.generate()
        raw = self.private.public_key().public_bytes_raw()
        self.key = WitnessKey(name="witness.example", key=raw)
        self.seen, self.size, self.signs = None, 0, self.private

    def cosigned(self, note):
        seconds = int(time.time())
        message = f"cosignature/v1\ntime {seconds}\n{note.text}".encode()
        raw = self.key.hash + seconds.to_bytes(8) + self.signs.sign(message)
        return f"\u2014 {self.key.name} {base64.b64encode(raw).decode()}\n"
