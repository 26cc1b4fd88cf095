"""Pipes, odd names, closed and full streams: what is recorded, and how a command ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest


AT = '{"shop": "alpha", "fulfillment_id": "%s", "status": "picking", "at": "%s"}\n'


def piped(content):
    """Return the path under which a shell hands over `<(...)`, and the thread that feeds it."""
    reading, writing = os.pipe()

    def feed():
        with os.fdopen(writing, "wb") as stream:
            stream.write(content)

    thread = threading.Thread(target=feed)
    thread.start()
    return f"/dev/fd/{reading}", thread, reading


def rows(parcel, moment="2038-01-01T08:30+07:00"):
    return (AT % (parcel, moment)).encode()


def test_a_file_is_read_from_a_pipe_of_the_shell(ready, shop):
    """`<(...)` can be read once only; its rows are recorded, and known when they come again."""
    for code, count in ((1, 1), (1, 1)):
        path, thread, reading = piped(rows(shop) * 3)
        answer = ready("record-file", path, "--json", "--force")
        thread.join()
        os.close(reading)
        assert (code, 3 * count) == (answer.code, answer.json["rows"])


def test_a_file_whose_name_is_no_utf_8_is_recorded(ready, shop):
    """Its name is shown and kept with the odd byte's code, and it is known the second time."""
    name = os.fsdecode(b"scans-\xff\x1b.jsonl")
    ready.file(name, "\n" + '{"shop": "alpha"}')

    first = ready("record-file", name)
    again = ready("record-file", name)
    told = ready("record-file", name, "--json")

    assert (1, 1) == (first.code, again.code)
    assert r"scans-\udcff\x1b.jsonl was recorded before" in again.err
    assert name in told.json["sentence"]


def test_a_file_counts_as_recorded_once_its_verdicts_are_written(ready, shop):
    """Where the disk of the verdicts is full, the file may be recorded again as it is."""
    ready.file("scans.jsonl", '{"shop": "alpha"}\n')

    full = ready("record-file", "scans.jsonl", "--verdicts", "/dev/full")
    plan = ready("reconcile", "--plan-out", "/dev/full")
    again = ready("record-file", "scans.jsonl", "--verdicts", "verdicts.jsonl", "--json")

    assert (1, 1) == (full.code, plan.code)
    assert "No space left on device" in full.err
    assert "No space left on device" in plan.err
    assert 1 == again.json["rows"]
    assert 1 == len((ready.folder / "verdicts.jsonl").read_text().splitlines())


FORKING = """
import os, sys
from carrierflow.cli import main

def aims(name):
    if name == "closed":
        os.close(1)
        sys.stdout = sys.__stdout__ = None
        return
    encoding = name if name in {"cp1252", "ascii"} else "utf-8"
    if name == "unread":
        reading, target = os.pipe()
        os.close(reading)
    else:
        way = "/dev/full" if name == "full" else f"{name}.txt"
        target = os.open(way, os.O_WRONLY | os.O_CREAT)
    os.dup2(target, 1)
    sys.stdout = sys.__stdout__ = open(1, "w", encoding=encoding, closefd=False)

for name in sys.argv.pop(1).split(","):
    if os.fork() == 0:
        os.dup2(os.open(f"{name}.err", os.O_WRONLY | os.O_CREAT), 2)
        aims(name)
        main()
    open(f"{name}.code", "w").write(str(os.waitstatus_to_exitcode(os.wait()[1])))
"""
"""Runs one command several times, each as a process whose stdout is another one."""

SAYS = {
    "closed": "Error: not all of the answer could be printed: it is closed.",
    "full": "Error: not all of the answer could be printed: No space left on device.",
    "unread": "",
    "cp1252": "",
    "ascii": "",
}
"""For each way out, what stderr says: a reader that has enough needs no telling."""


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("record alpha {shop} delivered", 1),
        pytest.param("states", 0, marks=pytest.mark.slow),
        pytest.param("--help", 0, marks=pytest.mark.slow),
    ],
)
def test_the_exit_code_is_the_verdict_s_whatever_becomes_of_stdout(ready, shop, command, code):
    """A closed, full, unread or narrow-minded stdout changes nothing, and leaves no traceback."""
    arguments = command.format(shop=shop).split()

    subprocess.run(
        [sys.executable, "-c", FORKING, ",".join(SAYS), *arguments],
        env={**os.environ, **ready.environment},
        cwd=ready.folder,
        timeout=60,
        check=True,
    )

    codes = {name: int((ready.folder / f"{name}.code").read_text()) for name in SAYS}
    assert dict.fromkeys(SAYS, code) == codes
    assert SAYS == {name: (ready.folder / f"{name}.err").read_text().strip() for name in SAYS}
    assert (ready.folder / "ascii.txt").read_bytes()


def test_standard_input_is_read_by_its_name(ready, shop):
    """`/dev/stdin` is a file like any other."""
    command = [sys.executable, "-m", "carrierflow", "record-file", "--json"]
    environment = {**os.environ, **ready.environment}

    done = subprocess.run(
        [*command, "/dev/stdin"],
        input=b'{"shop": "alpha"}\n',
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (1, True) == (done.returncode, b'"rejected": 1' in done.stdout)
