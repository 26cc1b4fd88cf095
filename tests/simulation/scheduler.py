"""Virtual time, and processes that are greenlets on it; every choice comes from one seed."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

from greenlet import getcurrent, greenlet


START = datetime(2026, 3, 2, 1, tzinfo=UTC)

MOST_TURNS = 6_000
"""How often one process may lose the turn; more is a loop without an end."""

STALL = (1.0, 90.0)
"""How long a process stands still that was stopped, or whose machine was moved."""

LAST_LINES = 60
"""How much of the trace a failure shows."""


class Killed(BaseException):
    """kill -9, as it looks from inside: nothing catches it, and nothing works any more."""


class Broken(BaseException):
    """An invariant does not hold; `promise` says which. Nothing that guards a shop swallows it."""

    def __init__(self, promise, what):
        self.promise = promise
        super().__init__(f"{promise}: {what}")


class Process(greenlet):
    """One operating system process of the carrier."""

    def __init__(self, scheduler, name, work, *, mortal, after=None):
        super().__init__(parent=scheduler.hub)
        self.scheduler, self.name, self.work = scheduler, name, work
        self.mortal, self.after = mortal, after
        self.alive, self.killed, self.transactions = True, False, 0
        self.evaluations, self.put = 0, None
        """The PUT whose result this process has still to record."""
        self.readings = {}
        """When it last asked for each order that it was shown."""
        self.paused_until_us = 0
        """Until when it was told to send nothing."""

    def run(self):
        """Do the work; a kill ends it without a trace, any other exception breaks the run."""
        try:
            self.work(self)
        except Killed:
            pass
        except Broken as broken:
            self.scheduler.broken = self.scheduler.broken or broken
        except Exception as error:  # noqa: BLE001 - a crash is a finding, with its type
            self.scheduler.crashed(self, error)
        finally:
            self.alive = False
            self.scheduler.ended(self)


class Scheduler:
    """A heap of moments: (time, tie-break from the seed, what happens)."""

    def __init__(self, seed, *, kill_rate=0.0, kill_at=(), stall_rate=0.0):
        self.chance = random.Random(f"{seed}:schedule")
        self.deaths = random.Random(f"{seed}:deaths")
        self.stalling = random.Random(f"{seed}:stalls")
        self.kill_rate, self.kill_at = kill_rate, frozenset(kill_at)
        self.stall_rate = stall_rate
        self.hub = getcurrent()
        self.time_us = 0
        self.points = 0
        self.kills = 0
        self.on_kill = lambda: None
        self.labels = []
        self.met = Counter()
        """What happened sometimes, and how often: what never happens is not tested."""
        self.processes = []
        self.lines = []
        self.keep_lines = False
        self.broken = None
        self._hash = hashlib.sha256()
        self._heap = []
        self._number = count()

    @property
    def current(self):
        """The process that runs now; None while the stage itself acts."""
        here = getcurrent()
        return here if isinstance(here, Process) else None

    def now(self):
        """Return the virtual time."""
        return START + timedelta(microseconds=self.time_us)

    def sleep(self, seconds):
        """Let a process wait; the stage itself never does."""
        self.pause(seconds)

    def at(self, seconds, action):
        """Let something happen after a span, beside all processes."""
        moment = self.time_us + round(seconds * 1_000_000)
        heapq.heappush(self._heap, (moment, self.chance.random(), next(self._number), action))

    def spawn(self, name, work, *, mortal=True, delay=0.0, after=None):
        """Start a process; `after` is called when it has ended, or was killed."""
        process = Process(self, name, work, mortal=mortal, after=after)
        self.processes.append(process)
        self.at(delay, process.switch)
        return process

    def pause(self, seconds):
        """Let everybody else act for so long: the one place where a process loses the turn."""
        process = self.current
        if process is None:
            return
        self.check_alive(process)
        process.evaluations += 1
        if process.evaluations > MOST_TURNS:
            raise Broken("no process spins", f"{process.name} does not come to an end")
        if process.transactions:
            raise Broken("no transaction spans I/O", f"{process.name} waits inside one")
        self.at(max(seconds, 0.0), process.switch)
        self.hub.switch()
        self.check_alive(process)

    def check_alive(self, process):
        """Refuse all I/O of a process that was killed: its `finally` blocks are no life."""
        if process is not None and process.killed:
            raise Killed

    def kill_point(self, label):
        """Perhaps kill the process here, or let it stand still for a while."""
        process = self.current
        if process is None:
            return
        self.check_alive(process)
        if not process.mortal:
            return
        self.points += 1
        self.labels.append(label)
        if self.points in self.kill_at or self.deaths.random() < self.kill_rate:
            self.kills += 1
            process.killed = True
            self.on_kill()
            self.met[f"kill {label}"] += 1
            self.tell(f"KILLED {label}")
            raise Killed
        if not process.transactions and self.stalling.random() < self.stall_rate:
            self.met["stall"] += 1
            self.tell(f"stalled {label}")
            self.pause(self.stalling.uniform(*STALL))

    def tell(self, what):
        """Write a line of the trace."""
        name = self.current.name if self.current else "-"
        line = f"{self.time_us / 1e6:12.6f} {name:<10} {what}"
        self._hash.update(line.encode() + b"\n")
        self.lines.append(line)
        if not self.keep_lines and len(self.lines) > 2 * LAST_LINES:
            del self.lines[:LAST_LINES]

    @property
    def digest(self):
        """Return the hash of all lines so far."""
        return self._hash.hexdigest()

    def crashed(self, process, error):
        """Take note that a process ended by an exception that nobody expected."""
        self.tell(f"CRASH {type(error).__name__}: {error}")
        if self.broken is None:
            self.broken = Broken("no process crashes", f"{process.name}: {error!r}")
            self.broken.__cause__ = error

    def ended(self, process):
        """Take a process out, and let its owner know."""
        self.processes.remove(process)
        if process.after is not None:
            process.after(process)

    def run(self, until=None):
        """Let time pass until a condition holds, or until nothing is left to happen."""
        while self._heap and not (until is not None and until()):
            self.time_us, _, _, action = heapq.heappop(self._heap)
            action()
            if self.broken is not None:
                raise self.broken

    def bury(self):
        """Throw away what is still alive, so that no greenlet outlives its world."""
        self._heap.clear()
        for process in list(self.processes):
            process.killed, process.after = True, None
            if process and not process.dead:
                process.throw(Killed)
