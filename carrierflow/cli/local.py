"""`sandbox` and `demo`: a platform on this machine, and the tour."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from carrierflow.app.settings import LogFormat
from carrierflow.cli.listening import listening
from carrierflow.cli.log_lines import set_up_logging
from carrierflow.cli.ranges import SECONDS, SEED
from carrierflow.cli.session import FAILED, NARROWEST, Session, command, tell
from carrierflow.cli.terminal import Page
from carrierflow.demo import TourFigures, draw, play, write
from carrierflow.demo.scenario import FEWEST
from carrierflow.demo.screen import WIDTH
from carrierflow.domain.lifecycle import define
from carrierflow.platforms.registry import DEFAULT
from carrierflow.sandbox.http_server import LocalServer
from carrierflow.sandbox.kinds import SandboxPlan
from carrierflow.sandbox.sandboxes import APP, SANDBOXES


__all__ = ["register", "show_tour"]


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "sandbox", example="carrierflow sandbox --port 8070 --shop myshop")(sandbox)
    command(cli, "demo", example="carrierflow demo --seed 7 --keep tour")(demo)


_which = click.option(
    "--platform",
    type=click.Choice(list(SANDBOXES)),
    default=DEFAULT.name,
    show_default=True,
    help="Which one to play.",
)


@_which
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", default=8070, show_default=True, type=click.IntRange(0, 65535), help="0: any."
)
@click.option("--shop", "shops", multiple=True, default=["demo"], help="A shop to begin with.")
@click.option(
    "--token",
    default="sandbox-token",
    show_default=True,
    help="The first shop's bearer token; '' where the app is still to be installed.",
)
@click.option(
    "--parcels", default=0, show_default=True, type=click.IntRange(0, 100_000), help="Per shop."
)
@click.option("--client-id", default=APP.client_id, show_default=True, help="The app's name.")
@click.option(
    "--client-secret",
    default=APP.client_secret,
    show_default=True,
    help="What signs callbacks and webhooks.",
)
@click.option("--webhook-url", default="", metavar="URL", help="Where the app hears of webhooks.")
@click.option("--install-url", default="", metavar="URL", help="Where the app is installed.")
@click.option(
    "--poll-seconds",
    default=APP.poll_seconds,
    show_default=True,
    type=SECONDS,
    help="How often carriers are asked for details; 0: only on demand.",
)
def sandbox(
    session: Session,
    platform: str,
    host: str,
    port: int,
    shops: tuple[str, ...],
    token: str,
    parcels: int,
    **app: Any,
) -> None:
    """Run a platform on this machine until Ctrl-C.

    Its state is at /_sandbox/state, faults on request at /_sandbox/faults, and what it saw at
    /_sandbox/judge; parcels are moved at /_sandbox/edit. What concerns an app is for platforms
    that have one. Further shops have the token with their code behind it.
    """
    wanted = SandboxPlan(
        tokens={
            code: f"{token}-{code}" if token and number else token
            for number, code in enumerate(shops)
        },
        parcels=parcels,
        legal=_legal(session),
        app=app,
    )

    kind = SANDBOXES[platform]

    def ready(server: LocalServer[Any]) -> None:
        document = {"url": server.url, "shops": list(shops), "token": token}
        lines = [f"{kind.title} sandbox at {server.url}"]
        lines += [f"{page}: {server.url}{path}" for page, path in kind.pages.items()]
        session.emit(document, lambda c: c.say(*lines))

    with listening(host, port):
        server = kind.open(host, port, wanted)
    server.serve(ready)


def _legal(session: Session) -> dict[str, set[tuple[str, str]]]:
    definition = define(session.settings.lifecycle_groups)
    return {
        m.machine.value: {(e.from_status, str(e.to_status)) for e in m.edges}
        for m in definition.machines
    }


@_which
@click.option(
    "--parcels", default=200, show_default=True, type=click.IntRange(FEWEST, 5000), help="How many."
)
@click.option("--seed", default=1, show_default=True, type=SEED, help="Another seed, other days.")
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the ledger here; by default it is temporary.",
)
def demo(session: Session, platform: str, parcels: int, seed: int, keep: Path | None) -> None:
    """Take the tour: a carrier's week, a shop that drifted, and how it is put right.

    Everything happens on this machine, on a virtual clock, with a ledger of its own. Exits with
    1 if anything did not come true.
    """
    with _quiet(verbose=session.verbose), session.progress("days") as update:
        side = SANDBOXES[platform].tour
        scenario = write(parcels=parcels, seed=seed, cast=side.cast)
        figures = play(scenario, side, keep=keep, progress=update)
    show_tour(session, figures)


def show_tour(session: Session, figures: TourFigures) -> None:
    """Print a tour; a promise that did not hold is an error."""
    width = max(shutil.get_terminal_size((WIDTH, 0)).columns, NARROWEST)  # in a pipe too
    page = Page(click.echo, width=width, bold=sys.stdout.isatty())
    session.emit(figures.document(), lambda _: draw(page, figures))
    problems = figures.problems()
    if problems:
        tell(f"Error: {' '.join(problems)}")
        raise click.exceptions.Exit(FAILED)


@contextmanager
def _quiet(*, verbose: bool) -> Iterator[None]:
    """Keep the log from the screen, which tells the same in better words, unless asked for it."""
    logger = logging.getLogger("carrierflow")
    if verbose:
        set_up_logging(LogFormat.TEXT, verbose=True)
        yield
        return
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
