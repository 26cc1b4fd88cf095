from __future__ import annotations

import pytest
from sapo_carrier import SapoCarrier

from carrierflow import Event, Opening, Status
from carrierflow.sandbox.sapo import SapoServer, SapoWorld


BACK = ("picking", "delivering", "notmeetcustomer", "waitingforreturn")


@pytest.fixture
def sapo(shell):
    """A carrier whose one shop is on Sapo, at the ledger of the command line."""
    shell.environment["COLUMNS"] = "200"
    with SapoServer(SapoWorld()) as server:
        carrier = SapoCarrier(shell.environment["CARRIERFLOW_DATABASE_URL"], server.world, server)
        shell.environment["CARRIERFLOW_SECRET_KEY"] = carrier.settings.secret_key.get_secret_value()
        carrier.connect("alpha")
        yield carrier
        carrier.close()


def coming_back(carrier, *further):
    """Make a parcel that nobody met and that comes back, of which Sapo knows nothing."""
    ref = carrier.platform_parcel("alpha")
    carrier.app.ledger.open(Opening(ref=ref))
    for status in (*BACK, *further):
        event = Event(shop="alpha", fulfillment_id=ref.fulfillment_id, status=Status(status))
        assert "accepted" == carrier.app.ledger.record(event).verdict


def test_a_plan_names_each_write(shell, sapo):
    """Two actions that lead to one step have names of their own; nobody speaks of PUTs."""
    coming_back(sapo, "return")

    plan = shell("reconcile", "--dry-run")
    ((line,), run) = plan_of(shell), shell("reconcile")

    names = ["ship", "cancel_shipped", "receive_after_cancellation"]
    assert " → ".join(names) in plan.out
    assert "Writes wanted: 3." in plan.out
    assert names == [put["write"] for put in line["puts"]]
    assert ["delivering", "return", "return"] == [put["status"] for put in line["puts"]]
    assert "PUT" not in plan.out + plan.err + run.out + run.err
    assert 3 == len(sapo.actions())


def plan_of(shell):
    """Return the lines of a dry run."""
    return shell("reconcile", "--dry-run", "--json").json["plan"]


def test_a_plan_shows_what_is_held_and_why(shell, sapo):
    """Beside what would be told, and alone once that is told; nothing of it is written."""
    coming_back(sapo)

    before = shell("reconcile", "--dry-run")
    told = shell("reconcile")
    after = shell("reconcile", "--dry-run", "--full")

    assert [0, 0, 0] == [before.code, told.code, after.code], told.err
    held = "waitingforreturn: held, nothing takes it back"
    assert f" ship; {held}" in before.out
    assert held in after.out
    assert f"; {held}" not in after.out
    assert ["ship"] == sapo.actions()
