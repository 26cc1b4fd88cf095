"""Running the benchmarks: a table for people, JSON for programs, a plot for the docs."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from databases import KINDS, drop_templates, left_out, url_of
from rich.console import Console

from .at_size import at_size
from .auditing import auditing
from .connecting import connecting
from .draining import draining
from .idling import idling
from .listing import listing
from .looking import looking
from .plot import plot
from .reconciling import reconciling
from .recording import recording
from .results import Budget, missed
from .sizes import FULL, SMALL
from .starting import starting
from .starving import starving
from .tables import budget_table, figure_tables
from .virtual_day import virtual


__all__ = ["BENCHMARKS", "main", "measured"]

BENCHMARKS = {
    "recording": recording,
    "reconciling": reconciling,
    "looking": looking,
    "auditing": auditing,
    "listing": listing,
    "idling": idling,
    "starving": starving,
    "connecting": connecting,
    "starting": starting,
    "size": at_size,
    "virtual": virtual,
    "draining": draining,
}


def main(arguments=None):
    """Run benchmarks; the exit code says whether every budget was kept."""
    logging.disable(logging.CRITICAL)
    options = _parser().parse_args(arguments)
    console = Console(width=110)
    for sentence in left_out():
        console.print(sentence)
    kinds = [kind for kind in options.databases if kind == "sqlite" or url_of(kind)]
    size = SMALL if options.small else FULL
    figures, budgets = [], []
    try:
        for name in options.benchmarks or BENCHMARKS:
            found = list(measured(name, kinds, size, say=console.print))
            mine = [each for each in found if isinstance(each, Budget)]
            others = [each for each in found if not isinstance(each, Budget)]
            if options.json:
                _keep(options.json, name, others, mine)
            figures += others
            budgets += mine
    finally:
        drop_templates()
    for table in (*figure_tables(figures), budget_table(budgets)):
        console.print(table)
    if options.plot:
        options.plot.write_bytes(plot(figures))
    raise SystemExit(1 if missed(budgets) else 0)


def measured(name, kinds, size, *, say=print):
    """Run one benchmark on some databases; yield its figures and its budgets."""
    with tempfile.TemporaryDirectory() as folder:
        for each in BENCHMARKS[name](kinds, size, folder):
            if isinstance(each, Budget):
                say(f"{each.where}: {each.promise}: {each.verdict}")
            yield each


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("benchmarks", nargs="*", choices=[*BENCHMARKS, []])
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--json", type=Path, help="where the figures of each are kept")
    parser.add_argument("--plot", type=Path, help="draw them here, as SVG")
    parser.add_argument("--small", action="store_true", help="only show that everything runs")
    return parser


def _keep(file, name, figures, budgets):
    """Write what one benchmark measured, beside what is kept of the others."""
    packages = ("sqlalchemy", "psycopg", "pymysql", "transitions")
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[name] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "packages": {each: version(each) for each in packages},
        "figures": [figure.document() for figure in figures],
        "budgets": [budget.document() for budget in budgets],
    }
    file.write_text(json.dumps(kept, indent=1))
