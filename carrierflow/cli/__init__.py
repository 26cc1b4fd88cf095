"""The command line: parse, one call, render."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carrierflow.cli.command_index import Commands
from carrierflow.cli.session import INTERRUPTED, ROOT, Session, tell
from carrierflow.cli.streams import open_streams, why_lost


if TYPE_CHECKING:
    from carrierflow.app.settings import Settings

__all__ = ["cli", "main", "run"]


@click.group(
    ROOT,
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(package_name="carrierflow")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CARRIERFLOW_CONFIG",
    help="A TOML file of settings.",
)
@click.option("--database-url", help="Where the ledger lives; by default a SQLite file here.")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done to stderr.")
@click.pass_context
def cli(
    context: click.Context, config: Path | None, database_url: str | None, *, verbose: bool
) -> None:
    """Keep what a carrier knows and what a platform shows in agreement.

    Exit codes: 0 in order, 1 failed, 2 usage, 3 work left or incidents open, 75 another run
    holds the shop, 130 stopped by Ctrl-C.
    """
    made = context.obj or Session
    context.obj = made(config=config, database_url=database_url, verbose=verbose)


def main(
    arguments: Sequence[str] | None = None,
    *,
    name: str | None = None,
    load: Callable[..., Settings] | None = None,
) -> None:
    """Run the command line as this process; Ctrl-C is a clean stop.

    How it ends is what became of the work, also where the answer could not be printed.
    """
    open_streams()
    code = _run(arguments, name=name, load=load, alone=True)
    with suppress(OSError):
        sys.stdout.flush()
    problem = why_lost(sys.stdout)
    if problem is not None and problem.errno != errno.EPIPE:  # a reader that has enough says so
        tell(f"Error: not all of the answer could be printed: {problem.strerror}.")
    gc.freeze()  # or the interpreter looks for garbage in all that goes with the process
    raise SystemExit(code)


def run(
    arguments: Sequence[str] | None = None,
    *,
    name: str | None = None,
    load: Callable[..., Settings] | None = None,
) -> int:
    """Run the command line inside a process that goes on, and return the exit code.

    A host calls it by a `name` of its own, and has a place of its own from which to `load` the
    settings.
    """
    return _run(arguments, name=name, load=load, alone=False)


def _run(
    arguments: Sequence[str] | None,
    *,
    name: str | None,
    load: Callable[..., Settings] | None,
    alone: bool,
) -> int:
    given: dict[str, Any] = {"load": load} if load else {}
    made = partial(Session, alone=alone, **given)
    try:
        code = cli.main(arguments, prog_name=name, standalone_mode=False, obj=made)
    except click.exceptions.Abort:
        tell("Stopped; nothing is lost, the next run goes on.")
        return INTERRUPTED
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _show(error: click.ClickException) -> None:
    """Say what was wrong with the command line; what stood there is not taken for markup."""
    context = getattr(error, "ctx", None)
    if context is not None:
        tell(*context.get_usage().splitlines(), f"Try '{context.command_path} --help' for help.")
    tell(f"Error: {error.format_message()}")
