"""`serve`: the carrier service as a process of its own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

import click

from carrierflow.app.load_file import load_name
from carrierflow.carrier_service import Carrier, CarrierService
from carrierflow.cli.listening import listening
from carrierflow.cli.session import INTERRUPTED, Session, command
from carrierflow.cli.stopping import hanging_up, stopping
from carrierflow.domain import clock
from carrierflow.domain.waiting import Stop
from carrierflow.errors import ConfigurationError
from carrierflow.scheduling import Loop, load_jobs


if TYPE_CHECKING:
    import uvicorn


__all__ = ["register"]

OWED = ("quote", "accept", "cancel")
"""The methods of a `Carrier`."""

DRAIN = 3
"""Seconds that requests under way get to end after a polite kill."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "serve", example="carrierflow serve --carrier carrier.py --port 8080")(serve)


@click.option(
    "--carrier",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A Python file that defines CARRIER: your prices, your parcels. Without it, webhooks "
    "that only hint are answered alone.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any."
)
@click.option(
    "--threads",
    default=3,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Callbacks worked on at once; more only where your CARRIER waits for others.",
)
@click.option(
    "--jobs",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Run the jobs of this directory too, beside the callbacks.",
)
def serve(
    session: Session, file: Path | None, host: str, port: int, threads: int, directory: Path | None
) -> None:
    """Answer the platforms' callbacks and webhooks, until Ctrl-C.

    They are found below each platform's name; /health, /ready, /metrics and /openapi.json
    stand beside.
    TLS belongs in front of it: the platform calls HTTPS only.
    """
    session.stays = True
    service = _service(session, file)
    session.require_tables(now=False)
    server = _server(session, service, host, port, threads)
    listener = _listening(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    session.emit({"url": url}, lambda c: c.say(_told(url, service)))
    session.app.warn_if_unguarded()
    gc.freeze()  # what is there now stays: no collection need look at it again

    def leaving() -> bool:
        return bool(server.should_exit)

    # The server sends the signal that ended it once more: that must not cut off a job's last PUT.
    with (
        stopping(session) as stopped,
        hanging_up(session, leaving),
        _jobs_beside(session, directory, leaving),
    ):
        server.run(sockets=[listener])
    if stopped.is_set():
        raise click.exceptions.Exit(INTERRUPTED)


def _listening(host: str, port: int) -> socket:
    """Listen at an address; raises `ConfigurationError` where that cannot be had."""
    with listening(host, port):
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)


def _service(session: Session, file: Path | None) -> CarrierService | None:
    return None if file is None else session.app.carrier_service(_carrier(file))


def _told(url: str, service: CarrierService | None) -> str:
    if service is None:
        return f"Webhooks are answered at {url}"
    return f"Callbacks are answered at {url}{service.dialect.mounted_at}"


def _server(
    session: Session, service: CarrierService | None, host: str, port: int, threads: int
) -> uvicorn.Server:
    try:
        import uvicorn  # noqa: PLC0415 - an extra: only this command needs it

        from carrierflow.web import create_app  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ConfigurationError(
            "`carrierflow serve` needs the extra `web`: pip install 'carrierflow[web]'."
        ) from error
    app = create_app(session.app, service, threads=threads)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN,
        )
    )


def _carrier(file: Path) -> Carrier:
    carrier = load_name(file, "CARRIER")
    missing = [name for name in OWED if not callable(getattr(carrier, name, None))]
    if missing:
        raise ConfigurationError(f"The CARRIER of {file} has no method {missing[0]!r}.")
    return cast("Carrier", carrier)


@contextmanager
def _jobs_beside(session: Session, directory: Path | None, leaving: Stop) -> Iterator[None]:
    """Run the jobs of a directory in a thread for a while; `leaving` ends them early."""
    if directory is None:
        yield
        return
    loop = Loop(load_jobs(directory), session.app, sleep=clock.sleep)
    stop = Event()
    thread = Thread(target=loop.run_until, args=(lambda: stop.is_set() or leaving(),), name="jobs")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
