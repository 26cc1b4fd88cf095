"""`sandbox` and `demo`: a Haravan on this machine, and the tour."""

from __future__ import annotations

import click

from carrierflow.cli.session import Session, command
from carrierflow.lifecycle import define
from carrierflow.sandbox import Faults, SandboxServer, World, serve


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "sandbox", example="carrierflow sandbox --port 8070 --shop myshop")(sandbox)


@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8070, show_default=True, type=click.IntRange(0, 65535), help="0: any.")
@click.option("--shop", "shops", multiple=True, default=["demo"], help="A shop to begin with.")
@click.option(
    "--token", default="sandbox-token", show_default=True, help="The first shop's bearer token."
)
@click.option("--parcels", default=0, show_default=True, type=click.IntRange(min=0), help="Per shop.")
def sandbox(
    session: Session, host: str, port: int, shops: tuple[str, ...], token: str, parcels: int
) -> None:
    """Run a Haravan on this machine, with faults on request, until Ctrl-C.

    Its state is at /_sandbox/state, its faults at /_sandbox/faults, what it saw at
    /_sandbox/judge. Further shops have the token with their code behind it.
    """
    world = World()
    for number, code in enumerate(shops):
        world.add_shop(code=code, token=token if number == 0 else f"{token}-{code}")
        for index in range(parcels):
            world.add_parcel(shop=code, cod_amount=50_000 * (index % 3))
    definition = define(session.settings.lifecycle_groups)
    legal = {
        m.machine.value: {(e.from_status, str(e.to_status)) for e in m.edges}
        for m in definition.machines
    }

    def ready(server: SandboxServer) -> None:
        document = {"url": server.url, "shops": list(shops), "token": token}
        session.emit(document, lambda _: click.echo(f"Haravan sandbox at {server.url}"))

    serve(host, port, world, ready=ready, faults=Faults(), legal=legal)
