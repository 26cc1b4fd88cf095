"""`manage.py carrierflow …`: the whole command line, with the project's settings."""

from __future__ import annotations

from argparse import REMAINDER, ArgumentParser
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carrierflow.cli import main, run
from carrierflow.integrations.django.project import settings


__all__ = ["Command"]


class Command(BaseCommand):  # type: ignore[misc]  # Django has no types
    """Whatever follows goes to the command line as it is, `--help` too."""

    help = "Run carrierflow's commands with this project's settings."
    requires_system_checks: tuple[str, ...] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run from `manage.py`: it ends as the command does."""
        main(argv[2:], name=f"{Path(argv[0]).name} {argv[1]}", load=settings)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take everything, for `call_command`."""
        parser.add_argument("arguments", nargs=REMAINDER)

    def handle(self, *_: Any, arguments: list[str], **__: Any) -> None:
        """Run from `call_command`; what does not end well is a `CommandError` with its code."""
        with redirect_stdout(self.stdout), redirect_stderr(self.stderr):
            code = run(arguments, name="carrierflow", load=settings)
        if code:
            raise CommandError(f"The command ended with {code}.", returncode=code)
