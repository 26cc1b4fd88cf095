"""An auditor at the command line of a ledger, whichever database it lies in."""

from __future__ import annotations

import json
from dataclasses import dataclass

from terminals import runner

from carrierflow.cli import cli


__all__ = ["Told", "verified", "verified_ledger"]


@dataclass(frozen=True)
class Told:
    """What `audit verify --json` said, and how it ended."""

    code: int
    document: dict

    @property
    def found(self):
        """What was found: where, and what."""
        return [(each["where"], each["what"]) for each in self.document["problems"]]

    def names(self, where, what):
        """Tell whether something is found that bears these words."""
        return any(where in place and what in said for place, said in self.found)


def verified(*arguments, **settings):
    """Run `audit verify` with some settings, by their names."""
    env = {f"CARRIERFLOW_{name.upper()}": str(value) for name, value in settings.items()}
    command = ["audit", "verify", *map(str, arguments), "--json"]
    outcome = runner().invoke(cli, command, env=env)
    if not isinstance(outcome.exception, SystemExit | None):
        raise outcome.exception
    return Told(outcome.exit_code, json.loads(outcome.stdout))


def verified_ledger(book, *arguments, **settings):
    """Verify a ledger by the command, with its own key."""
    own = {"database_url": book.url, "seal_key_file": book.key_file}
    return verified(*arguments, **own | settings)
