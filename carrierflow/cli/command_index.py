"""Which module has which commands; it is imported when one of them is asked for."""

from __future__ import annotations

from importlib import import_module

import click


__all__ = ["PARTS", "Commands"]

PARTS = {
    "db_and_keys": "db keys",
    "shops": "shop import",
    "carriers": "carrier",
    "webhooks": "webhooks",
    "recording": "open record amend show notes history",
    "revisions": "revise",
    "files": "record-file",
    "reconciling": "reconcile apply",
    "status": "status",
    "parcel_list": "list",
    "incidents": "incidents",
    "notifying": "notify",
    "following": "changes",
    "delivering": "deliver",
    "auditing": "audit",
    "reporting": "audit",
    "movements": "audit",
    "sampling": "audit",
    "runs": "runs",
    "erasing": "erase",
    "states": "states",
    "scheduler": "schedule",
    "serving": "serve",
    "local": "sandbox demo",
}
"""The modules here, and what each adds: commands, groups of them, or something to a group."""


class Commands(click.Group):
    """All commands; a scan that is recorded does not wait for what a report needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names of all, by the alphabet."""
        return sorted({name for names in PARTS.values() for name in names.split()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or a group with all that is in it."""
        if cmd_name not in self.commands:
            for part, names in PARTS.items():
                if cmd_name in names.split():
                    import_module(f"carrierflow.cli.{part}").register(self)
        return super().get_command(ctx, cmd_name)
