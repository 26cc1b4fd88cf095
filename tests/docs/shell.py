"""Runs the lines of a tutorial in one shell, beside the servers that it starts."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

from .pages import FENCE


BINARIES = Path(sys.executable).parent
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("CARRIERFLOW_")}

CURL = """\
    #!{python}
    import sys, urllib.error, urllib.request
    _, _, url, *data = sys.argv
    body = data[1].encode() if data else None
    try:
        reply = urllib.request.urlopen(url, data=body, timeout=10)
    except urllib.error.HTTPError as refusal:
        reply = refusal
    print(reply.read().decode())
"""
"""Stands in for curl where there is none."""


PLACE = re.compile(r"# (\S+\.py)(?P<end> \(add this at the end\))?\n")
"""How a file of a tutorial begins: with its place."""


def lines_of(page):
    """Return what is typed on a page, in order; a file of it is one line, which writes it."""
    found = []
    for fence in FENCE.finditer(page.read_text("utf-8")):
        language, block = fence[2], fence[3]
        if language == "python":
            place = PLACE.match(block)
            how = ">>" if place["end"] else ">"
            found.append(f"cat {how} {place[1]} <<'END OF FILE'\n{block}END OF FILE")
        elif language == "sh":
            found += filter(str.strip, block.splitlines())
    return found


@contextmanager
def serving(line, *, folder=None, **environment):
    """Run a line that serves until it is interrupted; yields the first address that it prints."""
    command = shlex.split(line)
    command[0] = str(BINARIES / command[0])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=folder, env=CLEAN | environment
    ) as process:
        try:
            yield re.search(r"http://[^\s,]+", process.stdout.readline())[0]
        finally:
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(timeout=20) in {0, 130}, line
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def outputs_of(lines, *, folder, programs, **environment):
    """Return what each line printed, when one shell runs them in order and none of them fails."""
    if shutil.which("curl") is None:
        program = programs / "curl"
        program.write_text(textwrap.dedent(CURL).format(python=sys.executable))
        program.chmod(0o755)
    script = "\n".join(["set -eu", *(f"printf '\\036'\n{line}" for line in lines)])
    path = f"{BINARIES}:{programs}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=CLEAN | {"PATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    printed = done.stdout.split("\036")[1:]
    assert (0, len(lines)) == (done.returncode, len(printed)), f"{done.stdout}\n{done.stderr}"
    return printed


def said(lines, outputs, line, *, number=0):
    """Return what a line printed; `number` counts where it stands more than once."""
    places = [index for index, each in enumerate(lines) if each.startswith(line)]
    return outputs[places[number]]


def free_port():
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
