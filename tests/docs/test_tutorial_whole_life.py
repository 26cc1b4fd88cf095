import json
import shutil
from functools import partial

import pytest

from . import shell
from .pages import DOCS, ROOT, blocks


pytestmark = pytest.mark.slow

PAGE = DOCS / "tutorial" / "a-shops-whole-life.md"
SANDBOX, SECOND, *THIRD = blocks(PAGE, "sh")
*PREPARED, SERVE = SECOND.strip().splitlines()
LINES = [line for block in THIRD for line in block.splitlines() if line.strip()]
said = partial(shell.said, LINES)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each line of the third terminal printed, beside what the other two serve."""
    folder, programs = tmp_path_factory.mktemp("life"), tmp_path_factory.mktemp("programs")
    port = str(shell.free_port())
    sandbox = SANDBOX.replace("8080", port).replace("--port 8070", "--port 0")
    with shell.serving(sandbox.strip()) as url:
        moved = partial(_moved, carrier=port, sandbox=url.rpartition(":")[2])
        shutil.copy(ROOT / "examples" / "carrier.py", folder)
        (folder / "carrierflow.toml").write_text(moved(blocks(PAGE, "toml")[0]))
        shell.outputs_of(PREPARED, folder=folder, programs=programs)
        key = (folder / "key").read_text().strip()
        with shell.serving(moved(SERVE), folder=folder, CARRIERFLOW_SECRET_KEY=key):
            lines = [moved(line) for line in LINES]
            yield shell.outputs_of(lines, folder=folder, programs=programs)


def _moved(text, *, carrier, sandbox):
    """Put a text's two ports where they are free."""
    return text.replace("8080", carrier).replace("8070", sandbox)


def test_every_line_runs(outputs):
    """One shell runs the tutorial from top to bottom, and nothing in it fails."""
    assert len(LINES) == len(outputs) > 25


def test_the_link_installs_the_app(outputs):
    """Following the link connects the shop, and the shop offers the carrier at once."""
    assert "myshop" in said(outputs, "curl -sL")
    assert "active" in said(outputs, "carrierflow shop list")
    assert '"carrier":12008260' in said(outputs, "curl -s http://127.0.0.1:8070/seller/rates")


def test_a_click_opens_the_parcel(outputs):
    """What the seller shipped stands in the ledger, with its cash."""
    assert "tracking_number" in said(outputs, "curl -s http://127.0.0.1:8070/seller/ship")
    assert "readytopick" in said(outputs, "carrierflow show myshop 1054978733")


def test_asking_changes_nothing(outputs):
    """Polling what the platform has been told already changes nothing."""
    asked = said(outputs, "curl -s http://127.0.0.1:8070/_sandbox/poll")

    assert {"changed": 0} == json.loads(asked)


def test_one_cancel_is_refused_and_one_agreed_to(outputs):
    """The parcel on the road stays, with a reason; the one before its pick-up goes."""
    assert "errors" in said(outputs, "curl -s http://127.0.0.1:8070/seller/cancel")
    agreed = said(outputs, "curl -s http://127.0.0.1:8070/seller/cancel", number=1)
    assert {"carrier_status": "cancel"} == json.loads(agreed)
    assert "cancel" in said(outputs, "carrierflow history myshop 1054978734")
    assert "in sync      yes" in said(outputs, "carrierflow show myshop 1054978734")


def test_the_merchants_cancel_is_adopted(outputs):
    """One run later the ledger follows the merchant."""
    shown = said(outputs, "carrierflow show myshop 1054978735")

    assert "cancel" in shown
    assert "in sync      yes" in shown


def test_the_shop_leaves_and_comes_back(outputs):
    """After the uninstall the shop is revoked with its history, and another install revives it."""
    assert "revoked" in said(outputs, "carrierflow shop list", number=1)
    assert "codreceipt" in said(outputs, "carrierflow history myshop 1054978733")
    assert "active" in said(outputs, "carrierflow shop list", number=2)


def test_the_judge_found_nothing(outputs):
    """Nothing illegal, nothing repeated, nothing skipped."""
    judged = json.loads(said(outputs, "curl -s http://127.0.0.1:8070/_sandbox/judge"))

    assert ([], [], [], []) == tuple(
        judged[name] for name in ("illegal", "duplicates", "after_cancel", "illegal_polls")
    )
