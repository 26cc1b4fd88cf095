"""Prints the lowest version of each requirement of the project, as constraints for pip.

The tests are run with exactly these: hosts that have versions as old can install us.
"""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path


PROJECT = Path(__file__).parents[1] / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[\w-]+)(\[.*\])?>=(?P<floor>[\w.]+)(?P<marker>;.*)?")


def floors(project):
    """Yield one constraint for each requirement of a project.

    Raises:
        SystemExit: if one has no floor, or more than that.
    """
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    for requirement in chain(project["project"]["dependencies"], *extras, *groups):
        found = REQUIREMENT.fullmatch(requirement)
        if found is None:
            raise SystemExit(f"{requirement}: a requirement is a name, >= and the lowest version.")
        yield f"{found['name']}=={found['floor']}{found['marker'] or ''}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in floors(tomllib.loads(PROJECT.read_text("utf-8"))))
