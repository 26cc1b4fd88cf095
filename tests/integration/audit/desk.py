"""An auditor at the command line of a ledger, whichever database it lies in."""

from __future__ import annotations

import json
from dataclasses import dataclass

from terminals import runner

from carrierflow.cli import cli


__all__ = ["Told", "verified"]


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


def verified(*arguments, url="sqlite:////nowhere/at/all.db", key_file="", **settings):
    """Run `audit verify` on a database, or on whatever the arguments name."""
    env = {"DATABASE_URL": url, "SEAL_KEY_FILE": str(key_file), **settings}
    given = {f"CARRIERFLOW_{name}": str(value) for name, value in env.items()}
    command = ["audit", "verify", *map(str, arguments), "--json"]
    outcome = runner().invoke(cli, command, env=given)
    assert outcome.stdout, outcome.output or outcome.exception
    return Told(outcome.exit_code, json.loads(outcome.stdout))
