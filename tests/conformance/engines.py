"""The engines, each with workers as processes of their own that are started, killed and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from rabbitmq import BROKER
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from carrierflow import Settings, build
from carrierflow.domain import clock
from carrierflow.domain.shop import ShopState
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.tables import shops

from . import hosts, slow_platform
from .notes import Notes


__all__ = ["ENGINES", "Engine", "running", "until"]

TESTS = Path(__file__).parents[1]


def until(condition, *, seconds, every=0.05, what="it"):
    """Wait until something holds; fail if it does not within so long."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(every)
    return found


class Engine:
    """A carrier with many shops on the slow platform, and the workers of one engine.

    `work` is how long reading a shop takes, `threads` how many shops one worker looks after.
    """

    databases = ("postgres", "mariadb")

    def __init__(self, url, folder, *, work=0.05, threads=4, workers=2, hold=120, lease=20):
        self.url, self.threads, self.lease = url, threads, lease
        self.folder, self.work = folder, work
        self.queue = f"conformance-{uuid.uuid4().hex[:8]}"
        self.notes = Notes(folder)
        self.processes, self.once = [], []
        self.key = generate_key()
        self.settings = {"lease_seconds": lease}
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(
                [os.environ.get("PYTHONPATH", ""), str(TESTS.parent), str(TESTS)]
            ),
            "CARRIERFLOW_DATABASE_URL": url,
            "CARRIERFLOW_SECRET_KEY": self.key,
            "CARRIERFLOW_LEASE_SECONDS": str(lease),
            slow_platform.NOTES: str(folder),
            slow_platform.WORK: str(work),
            hosts.QUEUE: self.queue,
            hosts.SLOTS: str(threads * workers),
            hosts.THREADS: str(threads),
            hosts.HOLD: str(hold),
            hosts.SECONDS: "20",
        }

    def add_shops(self, count):
        """Connect so many shops, all of them due, in one statement; return their codes."""
        now = clock.now()
        codes = [f"shop-{number:05}" for number in range(count)]
        fixed = {
            "platform": slow_platform.NAME,
            "base_url": "http://127.0.0.1",
            "carrier_code": "external",
            "state": ShopState.ACTIVE,
            "added_at": now,
            "swept_to": now,
            "next_due": now,
            "fence": 0,
            "rate_until_us": 0,
            "paused_until_us": 0,
            "unanswered": 0,
        }
        keys = KeyRing(self.key)
        rows = [
            fixed | {"code": code, "token": keys.encrypt(b"token", context=f"token of shop {code}")}
            for code in codes
        ]
        app = self.application()
        with app.store.begin() as connection:
            connection.execute(insert(shops), rows)
        app.close()
        self.analyze()
        return codes

    def analyze(self):
        """Let PostgreSQL know what its tables hold, as it does by itself within a minute."""
        if self.url.startswith("postgres"):
            self.on_database("ANALYZE")

    def application(self):
        """Build the carrier's application as a process of its own would."""
        os.environ[slow_platform.NOTES] = str(self.folder)
        os.environ[slow_platform.WORK] = "0"
        settings = Settings(database_url=self.url, secret_key=self.key, **self.settings)
        return build(settings, platforms=[slow_platform.profile()])

    def on_database(self, statement, *, missing_ok=False):
        """Do one statement on the database; return its rows, if it has any."""
        app = self.application()
        try:
            alone = app.store.engine.execution_options(isolation_level="AUTOCOMMIT")
            with alone.connect() as connection:
                done = connection.execute(text(statement))
                return done.all() if done.returns_rows else []
        except DBAPIError:
            if not missing_ok:
                raise
            return []
        finally:
            app.close()

    def unended(self):
        """Count the runs that the database does not know the end of."""
        query = "SELECT count(*) FROM carrierflow_runs WHERE end_reason IS NULL"
        ((count,),) = self.on_database(query)
        return count

    def wake_failed(self):
        """Let shops be due now whose run the database broke off: they wait five minutes else."""
        failed = self.on_database(
            "SELECT code FROM carrierflow_shops WHERE id IN"
            " (SELECT shop FROM carrierflow_runs WHERE end_reason = 'failed')"
        )
        app = self.application()
        for (code,) in failed:
            if code not in self.notes.done():
                app.wake(code)
        app.close()

    def logs(self):
        """Return the end of what each process said."""
        return "".join(file.read_text("utf-8")[-2000:] for file in self.folder.glob("*.log"))

    def restart_dead(self):
        """Start every process again that ended, as a supervisor does; return None."""
        for place, process in enumerate(self.processes):
            if process.poll() is not None and process.args[1:] not in self.once:
                self.processes[place] = self._started(*process.args[1:])

    def prepare(self):
        """Make what the engine needs, before any worker is started."""

    def start_worker(self):
        """Start one more worker; return its process."""
        return self._start(*self.worker_command())

    def start_dispatcher(self):
        """Start what sends dispatches, where no worker does; None if one does."""

    def purge(self):
        """Empty the engine's queue."""

    def clean_up(self):
        """Leave nothing of the engine's behind."""

    def _start(self, *command):
        self.processes.append(self._started(*command))
        return self.processes[-1]

    def _started(self, *command):
        log = self.folder / f"{uuid.uuid4().hex}.log"
        with log.open("wb") as file:
            return subprocess.Popen(
                [sys.executable, *command],
                env=self.environment,
                cwd=self.folder,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pids_of(self, process):
        """Return the ids of a process and of all that it started."""
        found = {process.pid}
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = file.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == process.pid:  # its session
                found.add(int(file.parent.name))
        return found

    def cpu_seconds(self):
        """Return the CPU time of all processes that still run."""
        pids = {pid for it in self.processes if it.poll() is None for pid in self.pids_of(it)}
        ticks = 0
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self, process):
        """Kill -9 a worker with all its processes; return their ids and when that was."""
        pids = self.pids_of(process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
        return pids, time.monotonic()

    def signal(self, process, number):
        """Send a signal to a worker with all its processes."""
        os.killpg(process.pid, number)

    def end(self):
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=20)
        self.clean_up()


class Loop(Engine):
    """The built-in loop."""

    databases = ("sqlite", "postgres", "mariadb")

    def worker_command(self):
        return ("-m", "conformance.hosts")


class CeleryThreads(Engine):
    """Celery on RabbitMQ, its workers with threads."""

    pool = "threads"

    def worker_command(self):
        queues = f"{self.queue},{self.queue}-duties"
        return (
            *("-m", "celery", "-A", "conformance.hosts:celery_app", "worker", "-P", self.pool),
            *("-c", str(self.threads), "-Q", queues, "-l", "WARNING", "-n", uuid.uuid4().hex),
            *("--without-gossip", "--without-mingle"),
        )

    def start_dispatcher(self):
        command = ("-m", "celery", "-A", "conformance.hosts:celery_app", "beat", "-l", "WARNING")
        return self._start(*command, "-s", str(self.folder / f"beat-{len(self.processes)}"))

    def purge(self):
        self._broker(lambda channel: channel.queue_purge(self.queue))

    def clean_up(self):
        def delete(channel):
            for name in ("", "-duties", "-default"):
                channel.queue_delete(f"{self.queue}{name}")

        self._broker(delete)

    def _broker(self, do):
        from kombu import Connection  # noqa: PLC0415

        with Connection(os.environ[BROKER]) as connection, connection.channel() as channel:
            do(channel)


class CeleryPrefork(CeleryThreads):
    """Celery on RabbitMQ, its workers with processes."""

    pool = "prefork"


class Procrastinate(Engine):
    """Procrastinate on the ledger's own PostgreSQL."""

    databases = ("postgres",)

    def prepare(self):
        command = ("-m", "procrastinate", "--app", "conformance.hosts.procrastinate_app")
        process = self._start(*command, "schema", "--apply")
        self.once.append(process.args[1:])
        assert process.wait(timeout=60) == 0, self.logs()

    def worker_command(self):
        return (
            *("-m", "procrastinate", "--log-level", "warning"),
            *("--app", "conformance.hosts.procrastinate_app", "worker"),
            *("--concurrency", str(self.threads), "--delete-jobs", "always"),
        )

    def purge(self):
        self.on_database("DELETE FROM procrastinate_jobs WHERE status = 'todo'")


ENGINES = {
    "loop": Loop,
    "celery-threads": CeleryThreads,
    "celery-prefork": CeleryPrefork,
    "procrastinate": Procrastinate,
}


@contextmanager
def running(name, url, folder, **options):
    """Build an engine by its name; end all of it at the end."""
    engine = ENGINES[name](url, folder, **options)
    try:
        engine.prepare()
        yield engine
    finally:
        engine.end()
