import os
import subprocess
import sys
from pathlib import Path

import pytest

from carrierflow import build, generate_key, load_settings
from carrierflow.sandbox.haravan import SandboxServer, World

from .pages import ROOT, load


PROMISED = {
    "quickstart": [
        "accepted: delivering → delivered.",
        "myshop: 1 GET, 3 PUT, 0 left",
        "ledger:   delivered / codpaid",
        "platform: delivered / codpaid",
    ],
    "own_fulfillments": [
        "CF-0001: The platform: no reply to a request that was sent (RemoteDisconnected).",
        "CF-0001: readytopick / codpending",
        "CF-0002: 1 in this order",
    ],
    "host_transaction": [
        "2002: rolled back",
        "2001: the ledger says delivered, payslips: 1",
        "2002: the ledger says readytopick, payslips: 0",
    ],
    "stop_a_driver": [
        "T-1: driver-7 is called back",
        "T-3: driver-4 is called back",
        "T-1: the feed says cancel at",
        "T-3: the feed says cancelled_in_transit at",
        "on the way: driver-9",
    ],
    "custom_lifecycle": [
        "refused   waitingforreturn cannot follow delivering",
        "accepted  delivering → waitingforreturn.",
        "accepted  waitingforreturn → delivering.",
        "accepted  delivering → delivered.  [codpending]",
    ],
}


def test_every_example_is_run():
    """No example is forgotten here."""
    examples = {path.stem for path in (ROOT / "examples").iterdir() if path.is_file()}

    assert set(PROMISED) | {"carrier", "nightly"} == examples


@pytest.mark.parametrize("name", PROMISED)
def test_an_example_prints_what_it_promises(name, capsys, monkeypatch):
    """The program runs to its end, and says what it is there to show."""
    for variable in [name for name in os.environ if name.startswith("CARRIERFLOW_")]:
        monkeypatch.delenv(variable)

    load(ROOT / "examples" / f"{name}.py").main()

    printed = capsys.readouterr().out
    assert [] == [line for line in PROMISED[name] if line not in printed]


@pytest.fixture
def world():
    """A platform with one parcel."""
    made = World()
    made.add_shop(code="myshop", token="sandbox-token")
    made.add_parcel(shop="myshop", order_id=1001, fulfillment_id=2001)
    return made


@pytest.fixture
def night(world, tmp_path, monkeypatch):
    """Run the nightly script on some rows, against that platform."""
    monkeypatch.setenv("CARRIERFLOW_DATABASE_URL", f"sqlite:///{tmp_path / 'night.db'}")
    monkeypatch.setenv("CARRIERFLOW_SECRET_KEY", generate_key())
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    def run(*rows):
        scans = tmp_path / "scans.jsonl"
        scans.write_text("\n".join(rows) + "\n")
        script = [str(ROOT / "examples" / "nightly.sh"), str(scans)]
        return subprocess.run(
            script, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    with SandboxServer(world) as server:
        app = build(load_settings())
        app.upgrade()
        app.shops.add("myshop", token="sandbox-token", base_url=server.url)
        app.store.engine.dispose()
        yield run


def test_the_nightly_script_says_nothing_when_all_is_told(night, world):
    """A good file is recorded, told and verified, and cron has nothing to mail."""
    done = night(
        '{"shop": "myshop", "fulfillment_id": "2001", "order_id": "1001",'
        ' "status": "picking", "at": "2026-03-01T08:30+07:00"}'
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert 1 == len(world.recorder.puts)


def test_the_nightly_script_says_what_was_rejected(night):
    """A bad row is named, and the rest of the night's work goes on."""
    done = night('{"shop": "myshop"}')

    assert 0 == done.returncode, done.stderr
    assert ["Some scans were rejected"] == [it.split(";")[0] for it in done.stdout.splitlines()]
    assert "row 1: The row has no fulfillment_id" in done.stderr
