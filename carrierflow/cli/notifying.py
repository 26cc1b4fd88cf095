"""`notify`: tell people of new incidents."""

from __future__ import annotations

from typing import Any

import click

from carrierflow.cli.session import FAILED, Session, command
from carrierflow.cli.terminal import Page
from carrierflow.errors import ConfigurationError
from carrierflow.reconcile.notification import Notified, Telling


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add these commands."""
    command(cli, "notify", example="carrierflow notify --dry-run")(notify)


@click.option("--dry-run", is_flag=True, help="Only show what would be told.")
@click.option("--even-quiet", is_flag=True, help="In quiet hours too.")
def notify(session: Session, *, dry_run: bool, even_quiet: bool) -> None:
    """Tell of new incidents by mail or into a chat, each once, all in one message.

    The settings say whom, and in which hours nobody is told: `notify_mail_to`, `notify_webhook`,
    `quiet_hours`. Exits with 1 if a message was not taken; it is told again then.
    """
    notifier = session.app.notifier
    if not notifier.can_notify:
        raise ConfigurationError("Nobody is to be told; set notify_mail_to or notify_webhook.")
    done = notifier.preview() if dry_run else notifier.notify(even_quiet=even_quiet)
    session.emit(_document(done, dry_run=dry_run), lambda page: _draw(page, done, dry_run=dry_run))
    if any(telling.problem for telling in done.tellings):
        raise click.exceptions.Exit(FAILED)


def _document(done: Notified, *, dry_run: bool) -> dict[str, Any]:
    return {"dry_run": dry_run, "quiet": done.quiet, "tellings": [_row(t) for t in done.tellings]}


def _row(telling: Telling) -> dict[str, Any]:
    return {
        "channel": telling.channel,
        "incidents": telling.incidents,
        "subject": telling.subject,
        "text": telling.text,
        "problem": str(telling.problem) if telling.problem else None,
    }


def _draw(page: Page, done: Notified, *, dry_run: bool) -> None:
    if done.quiet:
        page.say("These are quiet hours; what is new is told when they are over.")
    for telling in done.tellings:
        page.say(_sentence(telling, dry_run=dry_run))
        if dry_run:
            page.say(*telling.text.splitlines())


def _sentence(telling: Telling, *, dry_run: bool) -> str:
    if telling.problem:
        return str(telling.problem)
    if not telling.incidents:
        return f"Nothing is new for {telling.channel}."
    would = "Would be told" if dry_run else "Told"
    return f"{would} by {telling.channel}: {telling.incidents} new."
