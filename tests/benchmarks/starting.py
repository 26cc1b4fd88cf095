"""What whoever starts the command line waits for, against an import of one library it works with.

CPU time of processes of their own: what is imported already costs nobody anything. All of them
were started once before, so that the bytecode of everything is there, as it is where a package is
installed.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.storage.encryption import generate_key

from .measure import Spread, as_installed, of_children, race, ratios
from .results import Budget, Figure


__all__ = ["starting"]

NOTHING, LIBRARY = "python -c pass", "import sqlalchemy"
COMMAND = "from carrierflow.cli import main; main()"

STARTS = {
    "import carrierflow": 0.4,
    "carrierflow --help": 0.8,
    "carrierflow --version": 0.8,
    "carrierflow record --help": 0.9,
    "carrierflow record": 4.0,
}
"""Each with how often an import of SQLAlchemy it may take, the interpreter's own start included."""


def starting(kinds, size, folder):
    """Start each again and again, and compare neighbours in time."""
    lines = {
        NOTHING: ("-c", "pass"),
        LIBRARY: ("-c", "import sqlalchemy"),
        "import carrierflow": ("-c", "import carrierflow"),
        "carrierflow --help": ("-c", COMMAND, "--help"),
        "carrierflow --version": ("-c", COMMAND, "--version"),
        "carrierflow record --help": ("-c", COMMAND, "record", "--help"),
        "carrierflow record": ("-c", COMMAND, *_a_scan(Path(folder) / "ledger.db")),
    }
    starts = {name: _Start(line, folder) for name, line in lines.items()}
    for each in starts.values():
        each.start()
    timings = race(starts, rounds=size.rounds, elsewhere=of_children)
    for name, found in timings.items():
        yield Figure(
            bench="a start",
            where="SQLite",
            who=name,
            spread=Spread.of([1_000 * timing.busy for timing in found]),
            unit="ms",
        )
    for name, limit in STARTS.items():
        yield Budget(
            promise=f"`{name}`, against `{LIBRARY}`",
            where="SQLite",
            limit=limit,
            spread=ratios(timings[name], timings[LIBRARY]),
        )


def _a_scan(path):
    """Return the command line of a scan that is accepted once, and then seen before."""
    url = f"sqlite:///{path}"
    with build(Settings(database_url=url, secret_key=generate_key())) as app:
        app.upgrade()
        app.shops.add("s1", token="token")
        app.ledger.open(Opening(ref=FulfillmentRef(shop="s1", order_id="1", fulfillment_id="2")))
    at = datetime.now(UTC).isoformat()
    return "--database-url", url, "record", "s1", "2", "picking", "--at", at


class _Start:
    """A process that is started and waited for."""

    def __init__(self, line, folder):
        self._line, self._folder = line, folder
        kept = {"PYTHONPYCACHEPREFIX": f"{Path(folder) / 'bytecode'}"}
        self._variables = as_installed() | kept

    def prepare(self, _number):
        """Return the work of one round."""
        return self.start

    def start(self):
        """Start it, and wait for its end."""
        subprocess.run(
            [sys.executable, *self._line],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.DEVNULL,
            check=True,
        )
