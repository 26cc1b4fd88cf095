"""What every command shares: settings, the app, JSON or tables, errors as sentences."""

from __future__ import annotations

import functools
import inspect
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from carrierflow.app.build import build
from carrierflow.cli.importing import importing
from carrierflow.cli.terminal import Page, json_text
from carrierflow.domain.canonical import stamp
from carrierflow.errors import (
    CarrierflowError,
    DatabaseUnavailable,
    InvalidInput,
    SealHeld,
    ShopHeld,
)


if TYPE_CHECKING:
    from carrierflow.app.carrierflow import Carrierflow
    from carrierflow.app.settings import Settings

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
    "print_exactly",
    "print_json",
    "short",
    "tell",
]

NOBODY = (
    "Who does this is written down with it: name them by --actor or by CARRIERFLOW_ACTOR, "
    "a code of your own, not a name."
)

FAILED = 1
WORK_LEFT = 3
ANCHOR_BROKEN = 4
HELD = 75
NARROWEST = 20
ROOT = "carrierflow"
INTERRUPTED = 130


def _load_settings(config: Path | None, **given: Any) -> Settings:
    from carrierflow.app.settings import load_settings  # noqa: PLC0415 - no help waits for it

    return load_settings(config, **given)


@dataclass
class Session:
    """One invocation of the command line.

    What it builds the application of is imported when a command needs that: those who ask for
    help or for the version, and a shell that completes a name, do not wait for it.
    """

    config: Path | None = None
    database_url: str | None = None
    load: Callable[..., Settings] = _load_settings
    """What reads the settings; a host's framework has its own place for them."""
    verbose: bool = False
    as_json: bool = False
    actor: str | None = None
    """Who acts, where the command was told so."""
    makes_database: bool = False
    """Whether the command may make a database that is not there."""
    alone: bool = False
    """Whether the process is the command's own, and not a host's."""
    stays: bool = False
    """Whether the command goes on until it is stopped, so that nothing can wait for its end."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this invocation."""
        with importing(alone=self.alone):
            return self.load(self.config, database_url=self.database_url, actor=self.actor)

    @cached_property
    def app(self) -> Carrierflow:
        """The application, built when a command first needs it and closed when that ends."""
        from carrierflow.cli.log_lines import set_up_logging  # noqa: PLC0415 - commands alone
        from carrierflow.storage.engine import require_file  # noqa: PLC0415 - databases alone

        context = click.get_current_context()
        form, folded = self.settings.log_format, not (self.verbose or self.stays)
        context.call_on_close(set_up_logging(form, verbose=self.verbose, folded=folded))
        with importing(alone=self.alone):
            app = build(self.settings)
        context.call_on_close(app.close)
        if not self.makes_database:
            require_file(app.store.engine)
        return app

    @cached_property
    def page(self) -> Page:
        """Where tables and prose go."""
        return Page(click.echo, width=width_of(sys.stdout), bold=sys.stdout.isatty())

    def require_actor(self) -> None:
        """Refuse what people do where nobody says who does it; raises click's usage error."""
        if not self.settings.actor:
            raise click.UsageError(NOBODY)

    def require_tables(self, *, now: bool) -> None:
        """Refuse a database that this version cannot work on, before anything is begun.

        Whether it is there `now` matters to what is done once; a service waits for it.
        """
        try:
            with self.app.store.reading():
                pass
        except DatabaseUnavailable:
            if now:
                raise

    def emit(self, document: Mapping[str, Any], show: Callable[[Page], None]) -> None:
        """Print one JSON document, or what a person wants to see."""
        if self.as_json:
            print_json(document)
        else:
            show(self.page)

    @contextmanager
    def progress(
        self, what: str, total: int | None = None
    ) -> Iterator[Callable[[int, int | None], None]]:
        """Show a bar on a terminal, and nothing in a pipe; yields `update(done, total)`."""
        if not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        from carrierflow.cli.progress_bar import progress_bar  # noqa: PLC0415 - terminals alone

        with progress_bar() as bar:
            task = bar.add_task(what, total=total)

            def update(done: int, total: int | None = None) -> None:
                bar.update(task, completed=done)
                if total is not None:
                    bar.update(task, total=total)

            yield update


def command(
    group: click.Group, name: str, *, example: str, by_person: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a command: it gets `--json`, an example in its help, and errors as sentences.

    What `by_person` says that people do is an act on the installation, and names its actor: by
    `--actor`, or else by the setting.
    """

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            context = click.get_current_context()
            session = context.ensure_object(Session)
            session.as_json = as_json
            with reporting(session, context):
                if by_person:
                    session.actor = kwargs.pop("actor")
                    session.require_actor()
                function(session, *args, **kwargs)

        run.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n  {example}"
        json_option = click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document."
        )
        actor_option = click.option("--actor", help="Who does it; by default the setting actor.")
        options = actor_option(json_option(run)) if by_person else json_option(run)
        made = group.command(name)(options)
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
        for file in _files(context):
            file.flush()
    except (SealHeld, ShopHeld) as error:
        _fail(session, context, error, HELD)
    except CarrierflowError as error:
        _fail(session, context, error, FAILED)
    except UnicodeDecodeError:
        _fail(session, context, InvalidInput("A file that was given is not UTF-8."), FAILED)
    except OSError as error:
        for file in _files(context):
            with suppress(OSError):  # what it still holds cannot be written either
                file.close()
        name = f"{error.filename}: " if error.filename else ""
        problem = InvalidInput(f"A file cannot be read or written: {name}{error.strerror}.")
        _fail(session, context, problem, FAILED)


def _files(context: click.Context) -> list[IO[Any]]:
    """Return the files that options named."""
    return [value for value in context.params.values() if hasattr(value, "flush")]


def _fail(session: Session, context: click.Context, error: Exception, code: int) -> None:
    if session.as_json:
        print_json({"error": type(error).__name__, "sentence": str(error)})
    elif code == HELD:  # somebody else does the work: no complaint
        session.page.say(str(error))
    else:
        tell(f"Error: {error}")
    context.exit(code)


def print_json(document: Any) -> None:
    """Print a document as JSON, exact in whatever encoding the stream has."""
    click.echo(json_text(document, encoding=sys.stdout.encoding or "utf-8"))


def print_exactly(text: str) -> None:
    """Print what programs read byte by byte, in UTF-8 whatever the terminal speaks."""
    click.echo(text.encode(), nl=False)


def tell(*lines: str) -> None:
    """Tell a person something on stderr."""
    page = Page(partial(click.echo, err=True), width=width_of(sys.stderr), bold=False)
    page.say(*lines)


def width_of(stream: IO[str]) -> int | None:
    """Return how wide a person's terminal is; None for a pipe or a file: nothing wraps there."""
    return max(shutil.get_terminal_size().columns, NARROWEST) if stream.isatty() else None


class MomentParam(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """A time with a zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a time; one that cannot be placed is a usage error."""
        from carrierflow.ledger.files import parse_time  # noqa: PLC0415 - times alone

        if isinstance(value, datetime):
            return value
        try:
            return parse_time(value)
        except CarrierflowError as error:
            self.fail(str(error), param, ctx)


TIME = MomentParam()


def moment(value: datetime | None) -> str | None:
    """Write a time for people and programs alike."""
    return stamp(value) if value else None


def short(value: datetime | None) -> str:
    """Write a time for a table: UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S}Z" if value else ""
