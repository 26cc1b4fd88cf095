"""`audit`: proof."""

from __future__ import annotations

import time

import click

from carrierflow.cli.session import FAILED, Session, command


__all__ = ["register"]


@click.group()
def audit() -> None:
    """Prove what happened."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(audit)


@command(audit, "verify", example="carrierflow audit verify --json")
def verify(session: Session) -> None:
    """Replay the whole history: hashes, links, legal steps, couplings, heads.

    Exits with 1 and names the first bad row if anything is not as it was written.
    """
    began = time.perf_counter()
    with session.progress("rows") as update:
        done = session.app.verify(lambda rows: update(rows, None))
    seconds = time.perf_counter() - began
    first = done.problems[0] if done.problems else None
    document = {
        "ok": done.ok,
        "rows": done.rows,
        "fulfillments": done.fulfillments,
        "first_bad": f"{first.where}: {first.what}" if first else None,
        "problems": [{"where": p.where, "what": p.what} for p in done.problems],
        "rows_per_second": round(done.rows / seconds) if seconds else None,
    }
    if done.ok:
        text = f"{done.rows} entries of {done.fulfillments} fulfillments are as they were written."
    else:
        text = "\n".join(f"{p.where}: {p.what}" for p in done.problems)
    session.emit(document, lambda _: click.echo(text))
    if not done.ok:
        raise click.exceptions.Exit(FAILED)
