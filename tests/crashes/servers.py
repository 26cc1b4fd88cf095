"""Database servers of a test's own, which may be stopped and crashed; never a shared one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from databases import Database, required
from sqlalchemy.exc import DBAPIError


__all__ = ["PRIVATE", "MariaDB", "PostgreSQL"]

PATIENCE = 60
"""Seconds within which a server is up, or down."""


class _Server:
    """One server with a data directory of its own on a free port; a context manager."""

    kind = ""
    stops = ()
    """The signals that end it: politely, and as a crash."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="carrierflow-server-"))
        self.port = _free_port()
        self._log = self.folder / "log"
        self._process = None

    def __enter__(self):
        account = self._account()
        if account is not None:
            shutil.chown(self.folder, account)
        self._run(self._create())
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def database(self):
        """The database of the server that a test may use."""
        return Database(self.kind, self._url())

    def start(self):
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._serve(), stdout=log, stderr=log, user=self._account()
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < end, self._log.read_text()[-2000:]
            assert self._process.poll() is None, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def stop(self, how):
        """End it by a signal, and wait until it is down."""
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def _answers(self):
        engine = self.database.build()
        try:
            engine.connect().close()
        except DBAPIError:
            return False
        finally:
            engine.dispose()
        return True

    def _run(self, command):
        done = subprocess.run(
            command, user=self._account(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _account(self):
        """Return the account that it runs as, where it must not run as ours."""
        return


class PostgreSQL(_Server):
    """A PostgreSQL of our own: SIGINT stops it, SIGQUIT makes it crash."""

    kind = "postgres"
    stops = (signal.SIGINT, signal.SIGQUIT)

    def __exit__(self, *_):
        """PostgreSQL's children outlive a parent that is killed; a crash ends them all."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _create(self):
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
        return [_program("initdb"), "-D", f"{self.folder}/data", *options]

    def _serve(self):
        where = ["-p", f"{self.port}", "-k", f"{self.folder}"]
        return [
            _program("postgres"),
            *("-D", f"{self.folder}/data", *where, "-c", "listen_addresses=127.0.0.1"),
        ]

    def _url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _account(self):
        """PostgreSQL refuses to run as root."""
        return "postgres" if os.geteuid() == 0 else None


class MariaDB(_Server):
    """A MariaDB of our own: SIGTERM stops it, SIGKILL makes it crash."""

    kind = "mariadb"
    stops = (signal.SIGTERM, signal.SIGKILL)

    def __enter__(self):
        """The database that it comes with is made with an encoding that we refuse."""
        super().__enter__()
        engine = self.database.build()
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER DATABASE test CHARACTER SET utf8mb4")
        engine.dispose()
        return self

    def _create(self):
        return [
            _program("mariadb-install-db", "mysql_install_db"),
            *("--no-defaults", f"--datadir={self.folder}/data", f"--user={_myself()}"),
            "--auth-root-authentication-method=normal",
        ]

    def _serve(self):
        return [
            _program("mariadbd", "mysqld"),
            *("--no-defaults", f"--datadir={self.folder}/data", f"--user={_myself()}"),
            *(f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"),
            *("--bind-address=127.0.0.1", f"--port={self.port}"),
        ]

    def _url(self):
        return f"mariadb://root@127.0.0.1:{self.port}/test"


PRIVATE = {"postgres": PostgreSQL, "mariadb": MariaDB}


def _program(*names):
    """Find one of a server's own programs, whose folder need not be on the path."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/libexec"]
    asked = shutil.which("pg_config")
    if asked:
        told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(told.stdout.strip())
    folders += map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(folders))
        if found:
            return found
    sentence = f"There is no program {' or '.join(names)} to start a server of our own with."
    if required():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def _myself():
    return pwd.getpwuid(os.geteuid()).pw_name
