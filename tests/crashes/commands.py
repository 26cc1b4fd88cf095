"""The command line as processes of its own, forked from a warm one so that each costs little."""

from __future__ import annotations

import itertools
import os
import sys
import time

from carrierflow.cli import main

from .processes import CONTEXT


__all__ = ["Command"]


NUMBERS = itertools.count()
"""Each command's answer is a file of its own."""


class Command:
    """One command that was started, in a folder and with an environment of its own."""

    def __init__(self, arguments, *, folder, environment):
        self._file = folder / f"said-{next(NUMBERS)}.txt"
        self._file.write_text("")
        self.process = CONTEXT.Process(
            target=_live, args=(arguments, str(folder), environment, str(self._file)), daemon=True
        )
        self.process.start()

    @property
    def said(self):
        """All that it has printed so far, on both streams."""
        return self._file.read_text(encoding="utf-8", errors="replace")

    @property
    def lives(self):
        """Whether it still runs."""
        return self.process.is_alive()

    def send(self, number):
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def wait(self, seconds):
        """Let it live so long, or until it ends."""
        self.process.join(seconds)

    def end(self, *, seconds):
        """Wait for its end; return after how many seconds that was, and None if it never ended."""
        began = time.monotonic()
        self.process.join(seconds)
        if self.lives:
            self.process.kill()
            self.process.join()
            return None
        return time.monotonic() - began

    @property
    def code(self):
        """How it ended: its exit code, or the signal that killed it, negative."""
        return self.process.exitcode


def _live(arguments, folder, environment, file):
    """Be the command."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    number = os.open(file, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(number, stream)
    sys.argv = ["carrierflow", *arguments]
    main()
