"""The commands of the how-to make a backup that is a ledger again, on each database."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest
from carrier import START, Carrier, carried
from databases import create
from docs.pages import DOCS, FENCE
from sqlalchemy import text
from sqlalchemy.engine import make_url

from carrierflow import Event, FulfillmentRef, Opening, Settings, Status, Verdict, build
from carrierflow.sandbox.haravan import ManualClock, SandboxServer, World
from carrierflow.storage.encryption import generate_key


PAGE = (DOCS / "howto" / "back-up-and-restore.md").read_text("utf-8")
SECTIONS = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mariadb": "MariaDB and MySQL"}
SCANS = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)


def lines_of(kind):
    """Return the commands of the page that back a database up, and that restore it."""
    section = PAGE.split(f"\n## {SECTIONS[kind]}\n")[1].partition("\n## ")[0]
    backup, restore = (found[3] for found in FENCE.finditer(section) if found[2] == "bash")
    return backup, restore


def variables(kind, database, restored, folder):
    """Return what a person would put for the names in the commands."""
    old, new = make_url(database.url), make_url(restored.url)
    found = {"BACKUP": str(folder / "backup"), "DATABASE": old.database, "RESTORED": new.database}
    if kind == "postgres":
        found |= {
            "DATABASE": old.set(drivername="postgresql").render_as_string(hide_password=False),
            "RESTORED": new.set(drivername="postgresql").render_as_string(hide_password=False),
        }
    if kind == "mariadb":
        words = {"host": old.host, "port": old.port, "user": old.username, "password": old.password}
        given = (f"--{name}={value}" for name, value in words.items() if value)
        found["SERVER"] = shlex.join([*given, "--protocol=tcp"])
    return os.environ | found


def shell(line, environment):
    """Run a line of the page."""
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr


def opened(database, key, make_engine):
    return build(Settings(secret_key=key), engine=make_engine(database))


def scan(status):
    return Event(shop="myshop", fulfillment_id="1", status=status, key=str(status))


@pytest.mark.backups
def test_a_backup_becomes_a_ledger_again(own_database, make_engine, tmp_path):
    """What was in it verifies, is guarded, opens with its key, and takes again what came after."""
    kind, key = own_database.kind, generate_key()
    with create(kind, tmp_path, migrated=False) as restored:
        app = opened(own_database, key, make_engine)
        app.shops.add("myshop", token="canary", base_url="http://127.0.0.1")
        ref = FulfillmentRef(shop="myshop", order_id="1", fulfillment_id="1")
        app.ledger.open(Opening(ref=ref, cod_amount=None))
        app.ledger.record(scan(SCANS[0]))
        environment = variables(kind, own_database, restored, tmp_path)
        backup, restore = lines_of(kind)

        shell(backup, environment)
        app.ledger.record(scan(SCANS[1]))
        shell(restore, environment)

        engine = make_engine(restored)
        again = build(Settings(secret_key=key), engine=engine)
        assert again.verify().ok
        assert "picking" == again.parcel("myshop", "1").delivery.status
        assert 1 == again.reseal()
        with engine.connect() as connection, pytest.raises(Exception, match="never changed"):
            connection.execute(text("UPDATE carrierflow_history SET actor = 'x'"))
        verdicts = [again.ledger.record(scan(status)).verdict for status in SCANS]
        assert [Verdict.DUPLICATE, Verdict.ACCEPTED, Verdict.ACCEPTED] == verdicts
        assert again.upgrade() == app.upgrade()
        engine.dispose()


@pytest.mark.backups
def test_a_ledger_that_is_too_old_is_met_by_the_brake(own_database, tmp_path):
    """Of thirty parcels that went on since the backup none is frozen, and no platform is told.

    Recorded again, as the page says, they agree; a few that are behind are frozen, each for itself.
    """
    server = SandboxServer(World(clock=ManualClock(START)))
    with (
        create(own_database.kind, tmp_path, migrated=False) as restored,
        carried(Carrier, own_database.url, server) as carrier,
    ):
        environment = variables(own_database.kind, own_database, restored, tmp_path)
        backup, restore = lines_of(own_database.kind)
        carrier.connect("myshop", bucket_size=100_000, leak_per_second=100_000)
        refs = [carrier.parcel("myshop") for _ in range(30)]
        reconciled(carrier)
        shell(backup, environment)
        recorded(carrier, refs)
        assert 30 == reconciled(carrier).published
        shell(restore, environment)
        carrier.app = carrier.another_app(database_url=restored.url)
        told = carrier.writes

        report = reconciled(carrier)
        assert ("brake", 0) == (report.end_reason, report.frozen)
        assert [None] * 30 == [carrier.app.parcel("myshop", r.fulfillment_id).frozen for r in refs]

        recorded(carrier, refs[:10])
        assert ("done", 20) == (reconciled(carrier).end_reason, len(carrier.app.incidents.all()))
        recorded(carrier, refs[10:])
        reconciled(carrier)
        assert [] == carrier.app.incidents.all()
        assert all(carrier.agrees(ref) for ref in refs)
        assert told == carrier.writes


def recorded(carrier, refs):
    """Record the scan that each of these parcels had after the backup."""
    for ref in refs:
        carrier.record(ref, "picking")


def reconciled(carrier):
    """Look at everything, a while later; returns what the run says."""
    carrier.clock.advance(1800)
    (report,) = carrier.app.reconcile(full=True)
    return report


def test_the_page_tells_of_every_database():
    """Each database that we work on has a section with two commands."""
    assert set(SECTIONS.values()) <= set(re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE))
    assert [2, 2, 2] == [len(lines_of(kind)) for kind in SECTIONS]
