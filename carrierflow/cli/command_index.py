"""Which module has which commands; it is imported when one of them is asked for.

A list of them, as help and a shell's completion show it, imports none.
"""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from carrierflow.cli.importing import importing


__all__ = ["PARTS", "SUMMARIES", "Commands"]

PARTS = {
    "db_and_keys": "db keys",
    "shops": "shop import",
    "carriers": "carrier",
    "webhooks": "webhooks",
    "recording": "open record amend show notes history",
    "revisions": "revise",
    "files": "record-file",
    "reconciling": "reconcile apply",
    "working": "work",
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

SUMMARIES = {
    "amend": "Correct where a parcel stands, by a new entry that needs no legal step.",
    "apply": "Carry out a plan that `reconcile --plan-out` wrote.",
    "audit": "Prove what happened.",
    "carrier": "Register this carrier in shops, so that the platform calls it.",
    "changes": "Print what happened, once and in order: a JSON object on each line.",
    "db": "Create, migrate and protect the tables.",
    "deliver": (
        "Push what happened to each destination, by signed messages, until each has everything."
    ),
    "demo": "Take the tour: a carrier's week, a shop that drifted, and how it is put right.",
    "erase": "Erase what names people; the history stays, and verifies.",
    "history": "Show every entry of a fulfillment, and every event that did not become one.",
    "import": "Bring the carrier's parcels that exist on the platform into the ledger.",
    "incidents": "See and resolve what needs a person.",
    "keys": "Make secret keys.",
    "list": "List fulfillments that are all of what the options say, page by page.",
    "notes": "Show the notes of a fulfillment in clear, or erase them for good.",
    "notify": "Tell of new incidents by mail or into a chat, each once, all in one message.",
    "open": "Start a fulfillment at readytopick, with its cash codpending or none.",
    "reconcile": "Compare the ledger with the platform and make the missing writes, in order.",
    "record": "Record one event of a parcel or of its cash.",
    "record-file": "Record many events from JSON lines or CSV; - reads stdin.",
    "revise": "Change what was agreed about a fulfillment: its cash to collect, or its waybill.",
    "runs": "List the runs that were made, the newest first, with how each ended and why.",
    "sandbox": "Run a platform on this machine until Ctrl-C.",
    "schedule": "Run jobs from a directory of plain files.",
    "serve": "Answer the platforms' callbacks and webhooks, until Ctrl-C.",
    "shop": "Connect shops.",
    "show": "Show where a fulfillment stands, here and on the platform.",
    "states": "Print the lifecycle: every status, and every legal step.",
    "status": "Show whether the shops are in order, and which of them need somebody.",
    "webhooks": "Switch a shop's webhooks on and off.",
    "work": "Look after shops as they become due, until Ctrl-C.",
}
"""The first sentence of each command's help."""


class Commands(click.Group):
    """All commands; a scan that is recorded does not wait for what a report needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names of all, by the alphabet."""
        return sorted(SUMMARIES)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of all and what each is for, as wide as click does."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name, limit)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, or else the options, that begin so."""
        names = (name for name in self.list_commands(ctx) if name.startswith(incomplete))
        found = [CompletionItem(name, help=_summary(name)) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or a group with all that is in it."""
        if cmd_name not in self.commands:
            for part, names in PARTS.items():
                if cmd_name in names.split():
                    with importing(alone=getattr(ctx.obj, "alone", False)):
                        module = import_module(f"carrierflow.cli.{part}")
                    module.register(self)
        return super().get_command(ctx, cmd_name)


def _summary(name: str, limit: int = 45) -> str:
    """Return what a command is for in so many letters, cut as click cuts it."""
    return click.Command(name, help=SUMMARIES[name]).get_short_help_str(limit)
