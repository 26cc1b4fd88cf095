"""`states`: the lifecycle."""

from __future__ import annotations

import click

from carrierflow.cli.session import Session, command, print_exactly, print_json
from carrierflow.domain.lifecycle import as_dot, as_json, as_mermaid, as_rows, define


__all__ = ["register"]

COLUMNS = ("machine", "from", "to", "group", "means")


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "states", example="carrierflow states --format mermaid")(states)


@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "mermaid", "dot", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@click.option("--group", "groups", multiple=True, help="Switch an optional group of steps on.")
def states(session: Session, form: str, groups: tuple[str, ...]) -> None:
    """Print the lifecycle: every status, and every legal step."""
    chosen = groups or session.settings.lifecycle_groups
    definition = define(chosen, paid_on_delivery=session.settings.paid_on_delivery)
    if session.as_json or form == "json":
        print_json(as_json(definition))
    elif form == "mermaid":
        print_exactly(as_mermaid(definition))
    elif form == "dot":
        print_exactly(as_dot(definition))
    else:
        rows = [
            (r.machine, r.from_status, r.to_status, r.group, f"{r.to_label.en} · {r.to_label.vi}")
            for r in as_rows(definition)
        ]
        session.page.table(COLUMNS, rows)
