"""The command line: parse, one call, render."""

from __future__ import annotations

from pathlib import Path

import click

from carrierflow.cli import (
    auditing,
    carriers,
    database,
    erasing,
    incidents,
    local,
    reconciling,
    recording,
    reporting,
    scheduler,
    serving,
    shops,
    states,
    webhooks,
)
from carrierflow.cli.session import INTERRUPTED, ROOT, Session


__all__ = ["cli", "main"]


@click.group(
    ROOT,
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
    context.obj = Session(config=config, database_url=database_url, verbose=verbose)


for part in (
    database,
    shops,
    carriers,
    webhooks,
    recording,
    reconciling,
    incidents,
    auditing,
    reporting,
    erasing,
    states,
    scheduler,
    serving,
    local,
):
    part.register(cli)


def main() -> None:
    """Run the command line; Ctrl-C is a clean stop."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped; nothing is lost, the next run goes on.", err=True)
        raise SystemExit(INTERRUPTED) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    raise SystemExit(code if isinstance(code, int) else 0)
