"""The steps of the how-to bring a ledger of an older version on, and back, with its role."""

from __future__ import annotations

import shlex
import uuid

import pytest
from databases import create
from docs.pages import DOCS, FENCE
from sqlalchemy import text
from sqlalchemy.engine import make_url
from terminals import runner

from carrierflow.cli import cli
from carrierflow.storage import build_engine
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.migrate import VERSION_TABLE, current_revision, head_revision

from .test_backups import lines_of, shell, variables


PAGE = (DOCS / "howto" / "deploy.md").read_text("utf-8")
ROLE = "carrierflow_app"
NEW = "carrierflow_administration"
BEFORE = "r0012"
"""The version before the one that made this table."""


def steps():
    """Return the lines of the page under Upgrade: as the owner, and then as the role."""
    section = PAGE.split("\n## Upgrade\n")[1].partition("\n## ")[0]
    lines = [line.strip() for found in FENCE.finditer(section) for line in found[3].splitlines()]
    return lines[:2], lines[2:]


@pytest.fixture
def role(own_database):
    """The name of a role that is dropped at the end."""
    name = f"cf_{uuid.uuid4().hex[:12]}"
    yield name
    engine = build_engine(own_database.url)
    lines = {
        "sqlite": [],
        "postgres": [f"DROP OWNED BY {name}", f"DROP ROLE {name}"],
        "mariadb": [f"DROP USER {name}"],
    }
    with engine.begin() as connection:
        for line in lines[own_database.kind]:
            connection.execute(text(line))
    engine.dispose()


@pytest.fixture
def run(role, tmp_path, monkeypatch):
    """Run a line of the page against a database; returns how it ended, and what it printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text("canary")
    (tmp_path / "token").write_text("t")
    key = generate_key()

    def invoke(url, line):
        _, *arguments = shlex.split(line.replace(ROLE, role))
        environment = {
            "CARRIERFLOW_DATABASE_URL": url,
            "CARRIERFLOW_SECRET_KEY": key,
            "CARRIERFLOW_ACTOR": "desk",
        }
        found = runner().invoke(cli, arguments, env=environment)
        return found.exit_code, found.stdout + found.stderr

    return invoke


def made_older(database, role):
    """Take from a database a table that a later version made, with the role's rights on it."""
    engine = build_engine(database.url)
    with engine.begin() as connection:
        if database.kind == "mariadb":
            connection.execute(text(f"REVOKE SELECT, INSERT ON {NEW} FROM {role}"))
        connection.execute(text(f"DROP TABLE {NEW}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{BEFORE}'"))
    engine.dispose()


def revision_of(database):
    engine = build_engine(database.url)
    with engine.connect() as connection:
        found = current_revision(connection)
    engine.dispose()
    return found


@pytest.mark.backups
@pytest.mark.slow
def test_an_upgrade_by_the_page_and_the_way_back(own_database, role, run, tmp_path):
    """Each step is needed and ends well, in the page's order; the backup is as it was before."""
    owner = own_database.url
    as_role = owner
    if own_database.kind != "sqlite":
        url = make_url(owner).set(username=role, password="canary")
        as_role = url.render_as_string(hide_password=False)
    add = "carrierflow shop add {} --no-check --base-url http://127.0.0.1 --token-file token"
    assert 0 == run(owner, f"carrierflow db harden --role {ROLE} --password-file password")[0]
    assert 0 == run(as_role, add.format("myshop"))[0]
    made_older(own_database, role)
    (upgrade, harden), checks = steps()
    with create(own_database.kind, tmp_path, migrated=False) as restored:
        environment = variables(own_database.kind, own_database, restored, tmp_path)
        backup, restore = lines_of(own_database.kind)
        shell(backup, environment)

        code, said = run(as_role, "carrierflow status")
        assert (1, True) == (code, f"is at schema {BEFORE}" in said)
        if own_database.kind != "sqlite":
            assert 1 == run(as_role, upgrade)[0]
            assert BEFORE == revision_of(own_database)

        assert (0, True) == _ended(run(owner, upgrade), head_revision())
        if own_database.kind != "sqlite":
            assert (1, True) == _ended(run(as_role, add.format("early")), "carrierflow db harden")
        assert 0 == run(owner, harden)[0]
        assert [0, 0] == [run(as_role, line)[0] for line in checks]
        assert 0 == run(as_role, add.format("late"))[0]
        assert (0, True) == _ended(run(owner, upgrade), head_revision())

        shell(restore, environment)
        assert BEFORE == revision_of(restored)
        assert (0, True) == _ended(run(restored.url, upgrade), head_revision())
        assert (0, True) == _ended(run(restored.url, "carrierflow shop list"), "myshop")


def _ended(found, word):
    code, said = found
    return code, word in said
