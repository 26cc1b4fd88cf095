"""What every command shares: settings, the app, JSON or tables, errors as sentences."""

from __future__ import annotations

import functools
import inspect
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from carrierflow.app import Carrierflow
from carrierflow.errors import CarrierflowError, SealHeld, ShopHeld
from carrierflow.hashing import stamp
from carrierflow.intake import parse_time
from carrierflow.settings import LogFormat, Settings, load_settings
from carrierflow.wiring import build


__all__ = [
    "FAILED",
    "HELD",
    "INTERRUPTED",
    "ROOT",
    "TIME",
    "WORK_LEFT",
    "Session",
    "command",
    "moment",
    "short",
]

FAILED = 1
WORK_LEFT = 3
HELD = 75
PIPE_WIDTH = 200
ROOT = "carrierflow"
INTERRUPTED = 130


@dataclass
class Session:
    """One invocation of the command line."""

    config: Path | None = None
    database_url: str | None = None
    verbose: bool = False
    as_json: bool = False

    @cached_property
    def settings(self) -> Settings:
        """The settings of this invocation."""
        return load_settings(self.config, database_url=self.database_url)

    @cached_property
    def app(self) -> Carrierflow:
        """The application, built when a command first needs it."""
        set_up_logging(self.settings.log_format, verbose=self.verbose)
        return build(self.settings)

    @cached_property
    def console(self) -> Console:
        """Where tables go."""
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        return Console(highlight=False, width=width)

    def emit(self, document: Mapping[str, Any], show: Callable[[Console], None]) -> None:
        """Print one JSON document, or what a person wants to see."""
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            show(self.console)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
        """Return a plain table; empty cells stand for nothing known."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        return table

    @contextmanager
    def progress(
        self, what: str, total: int | None = None
    ) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar on a terminal, and nothing in a pipe; yields `update(done, total)`."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        with bar:
            task = bar.add_task(what, total=total)

            def update(done: int, total: int | None = None) -> None:
                bar.update(task, completed=done)
                if total is not None:
                    bar.update(task, total=total)

            yield update


def command(
    group: click.Group, name: str, *, example: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a command: it gets `--json`, an example in its help, and errors as sentences."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            context = click.get_current_context()
            session = context.ensure_object(Session)
            session.as_json = as_json
            with reporting(session, context):
                function(session, *args, **kwargs)

        run.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n  {example}"
        json_option = click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document."
        )
        made = group.command(name)(json_option(run))
        path = (name,) if group.name == ROOT else (group.name or "", name)
        for parameter in made.params:
            if isinstance(parameter, click.Option):
                _name_variable(parameter, path)
        return function

    return declare


def _name_variable(option: click.Option, path: Sequence[str]) -> None:
    """Let an option be given by a variable: CARRIERFLOW_, the command, the option."""
    longest = max(option.opts, key=len)
    option.envvar = "_".join(("carrierflow", *path, longest.strip("-"))).replace("-", "_").upper()
    option.show_envvar = True


@contextmanager
def reporting(session: Session, context: click.Context) -> Iterator[None]:
    """Turn our errors into one sentence and an exit code."""
    try:
        yield
    except (SealHeld, ShopHeld) as error:
        _fail(session, context, error, HELD)
    except CarrierflowError as error:
        _fail(session, context, error, FAILED)


def _fail(session: Session, context: click.Context, error: Exception, code: int) -> None:
    if session.as_json:
        click.echo(json.dumps({"error": type(error).__name__, "sentence": str(error)}))
    else:
        click.echo(f"Error: {error}", err=True)
    context.exit(code)


class Moment(click.ParamType[datetime, str]):
    """A time with a zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a time; one that cannot be placed is a usage error."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_time(value)
        except CarrierflowError as error:
            self.fail(str(error), param, ctx)


TIME = Moment()


def moment(value: datetime | None) -> str | None:
    """Write a time for people and programs alike."""
    return stamp(value) if value else None


def short(value: datetime | None) -> str:
    """Write a time for a table: UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S}Z" if value else ""


class JsonLines(logging.Formatter):
    """One JSON object a line: the event, and the facts beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line = {
            "time": stamp(datetime.fromtimestamp(record.created).astimezone()),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """The event, and the facts beside it, for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        told = " ".join(f"{name}={value}" for name, value in facts(record).items())
        line = f"{record.levelname.lower()} {record.getMessage()} {told}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD}


OTHERS = {"stamina": logging.ERROR, "psycopg": logging.CRITICAL, "sqlalchemy": logging.CRITICAL}
"""Libraries that log beside what they raise, and from which level on they may without `-v`."""


def set_up_logging(form: LogFormat, *, verbose: bool) -> None:
    """Send carrierflow's log lines to stderr; the library itself never configures logging."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logger = logging.getLogger("carrierflow")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    logger.propagate = False
    for library, quiet in OTHERS.items():
        logging.getLogger(library).setLevel(logging.INFO if verbose else quiet)
