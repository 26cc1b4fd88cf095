"""An authority of RFC 3161 on loopback: OpenSSL's own, behind HTTP."""

from __future__ import annotations

import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


__all__ = ["AuthorityServer", "make_authority", "openssl"]

CONFIG = """
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


def openssl(*arguments, folder, code=0):
    """Run OpenSSL, and return what it printed."""
    done = subprocess.run(
        [shutil.which("openssl"), *arguments],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert code in (None, done.returncode), done.stderr.decode()
    return done.stdout


class Desk(BaseHTTPRequestHandler):
    """Hands requests to `openssl ts`, and its answers back."""

    def do_POST(self):
        folder = self.server.folder
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        (folder / "asked.tsq").write_bytes(asked)
        stamp = ("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "asked.tsq")
        body = self.server.says or openssl(*stamp, folder=folder)
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def make_authority(folder):
    """Make the keys and certificates of an authority."""
    folder.mkdir()
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "req.cnf")
    (folder / "req.cnf").write_text(f"[req]\ndistinguished_name = dn\n[dn]\n{CONFIG}")
    root = ("-x509", "-extensions", "root", "-subj", "/CN=Root", "-days", "3650")
    openssl("req", *new, *root, "-keyout", "root.key", "-out", "root.pem", folder=folder)
    openssl(
        "req", *new, "-subj", "/CN=Stamps", "-keyout", "tsa.key", "-out", "tsa.csr", folder=folder
    )
    signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "3650")
    extended = ("-extfile", "req.cnf", "-extensions", "stamping")
    openssl("x509", "-req", "-in", "tsa.csr", "-out", "tsa.pem", *signed, *extended, folder=folder)
    return folder


class AuthorityServer(ThreadingHTTPServer):
    """The authority whose directory it is given."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Desk)
        self.folder, self.says = folder, b""
