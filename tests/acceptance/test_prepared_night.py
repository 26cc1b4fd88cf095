"""The prepared night can be brought to its right end by commands alone, and no other end passes."""

from __future__ import annotations

import json

import pytest
from terminals import runner

from carrierflow.cli import cli

from .night_cases import CASES
from .prepared_night import grade, prepared, settings_of


DECIDED = {
    "a slip of the shop's": "reassert",
    "a scan of the wrong parcel": "adopt",
    "an empty scanner": "adopt",
    "delivered too soon": "reassert",
    "a recall": "adopt",
    "a recall that came too late": "abandon",
    "a word of an app's": "unfreeze",
    "a locked warehouse": "unfreeze",
    "paid by transfer": "adopt",
    "an order that was taken away": "abandon",
}
"""The cases that are settled by a decision, as a person would write it."""

OTHER = {"reassert": "adopt", "adopt": "abandon", "abandon": "unfreeze", "unfreeze": "abandon"}
"""For each decision one that the facts do not bear out."""


@pytest.fixture
def night(tmp_path):
    """A prepared night, and a function that runs a command in it and grades it afterwards."""
    folder = tmp_path / "night"
    folder.mkdir()
    with prepared(folder) as server:
        yield Night(folder, server.url)


class Night:
    """Whoever is on duty."""

    def __init__(self, folder, url):
        self.folder, self._url = folder, url
        self.places = json.loads((folder / "places.json").read_text("utf-8"))
        settings = settings_of(folder)
        self._environment = {f"CARRIERFLOW_{name.upper()}": it for name, it in settings.items()}

    def __call__(self, *arguments, ends=(0,)):
        """Run a command."""
        found = runner().invoke(cli, [str(it) for it in arguments], env=self._environment)
        assert found.exit_code in ends, found.output
        return found

    def decide(self, name, action):
        """Decide about the incident of a case."""
        by = ("--actor", "lan", "--reason", "called-them")
        incident = self.places[name]["incident"]
        self("incidents", "resolve", incident, "--action", action, *by, ends=(0, 3))
        shown = json.loads(self("incidents", "show", incident, "--json").stdout)
        if shown["proposal"]:
            self("incidents", "approve", incident, "--actor", "mai")

    def run(self):
        """Let runs do what follows; a shop without its token fails them."""
        for _ in range(3):
            self("reconcile", "--full", "--wait", ends=(0, 1, 3))

    def wrong(self):
        """Return what the grader finds wrong, by the case."""
        return {each.name: each.why for each in grade(self.folder, self._url) if each.why}


@pytest.mark.slow
def test_what_the_facts_bear_out_is_right(night):
    """Twelve calls, eleven decisions and commands, and nothing is left to complain of."""
    assert {case.name for case in CASES} == set(night.wrong())
    for name, action in DECIDED.items():
        night.decide(name, action)
    night("shop", "rotate-token", "wine", "--token-file", night.folder / "wine-token.txt")
    night("import", "tea")

    night.run()

    assert {} == night.wrong()


@pytest.mark.slow
def test_anything_else_is_wrong(night):
    """Each decision that the facts do not bear out is found, and so is what was left alone."""
    for name, action in DECIDED.items():
        night.decide(name, OTHER[action])

    night.run()

    assert {case.name for case in CASES} == set(night.wrong())


def test_there_is_enough_to_decide():
    """Twelve incidents of eight kinds or more in several shops, and a call for each."""
    assert 12 == len(CASES) == len({case.name for case in CASES})
    assert len({case.kind for case in CASES}) >= 8
    assert len({case.shop for case in CASES}) >= 4
    assert all(case.call and case.right.actions for case in CASES)
