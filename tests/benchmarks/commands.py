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

from .auditing import auditing
from .listing import listing
from .plot import plot
from .reconciling import reconciling
from .recording import recording
from .results import Budget, missed
from .sizes import FULL, SMALL
from .starving import starving
from .tables import budget_table, figure_tables


__all__ = ["BENCHMARKS", "main", "measured"]

BENCHMARKS = {
    "recording": recording,
    "reconciling": reconciling,
    "auditing": auditing,
    "listing": listing,
    "starving": starving,
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
            budgets += (each for each in found if isinstance(each, Budget))
            figures += (each for each in found if not isinstance(each, Budget))
            if options.json:
                options.json.write_text(_document(figures, budgets))
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
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--plot", type=Path, help="draw them here, as SVG")
    parser.add_argument("--small", action="store_true", help="only show that everything runs")
    return parser


def _document(figures, budgets):
    packages = ("sqlalchemy", "psycopg", "pymysql", "transitions")
    return json.dumps(
        {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": os.getloadavg(),
            "packages": {name: version(name) for name in packages},
            "figures": [figure.document() for figure in figures],
            "budgets": [budget.document() for budget in budgets],
        },
        indent=1,
    )
