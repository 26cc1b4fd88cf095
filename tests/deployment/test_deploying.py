"""What the how-to has a machine do: lines of cron, the rotation of logs, completion in a shell."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess

import pytest
from docs.pages import DOCS, ROOT, blocks
from docs.shell import BINARIES, CLEAN

from carrierflow import FulfillmentRef, Opening, Settings, build
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key


CRONTAB = blocks(DOCS / "howto" / "run-from-cron.md", "text")[0]
ROTATION = (ROOT / "examples" / "deployment" / "carrierflow.logrotate").read_text("utf-8")
(COMPLETION,) = (
    block
    for block in blocks(DOCS / "howto" / "deploy.md", "bash")
    if block.startswith("_CARRIERFLOW_COMPLETE")
)


def shell(line, program="/bin/sh", **environment):
    """Run a line as cron or a person would; returns what became of it."""
    path = f"{BINARIES}:{os.environ['PATH']}"
    return subprocess.run(
        [program, "-c", line],
        env=CLEAN | {"PATH": path} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_the_lines_of_the_crontab_mail_nothing_on_a_good_night(tmp_path):
    """Each is run by the shell that cron uses, with the variables of the crontab alone."""
    lines = [line for line in CRONTAB.splitlines() if line[:1] in {"*", *"0123456789"}]
    commands = [re.sub(r"^(\S+\s+){5}", "", line) for line in lines]
    assert 3 == len(commands)
    key, url = generate_key(), f"sqlite:///{tmp_path}/ledger.db"
    config = tmp_path / "carrierflow.toml"
    config.write_text(f'[carrierflow]\ndatabase_url = "{url}"\n')
    with SandboxServer(World()) as server:
        server.world.add_shop(code="myshop", token="canary")
        order, parcel = server.world.add_parcel(shop="myshop")
        app = build(Settings(database_url=url, secret_key=key))
        app.upgrade()
        app.shops.add("myshop", token="canary", base_url=server.url)
        ref = FulfillmentRef(shop="myshop", order_id=str(order), fulfillment_id=str(parcel))
        app.ledger.open(Opening(ref=ref))
        variables = {"CARRIERFLOW_CONFIG": str(config), "CARRIERFLOW_SECRET_KEY": key}
        assert set(re.findall(r"^(\w+)=", CRONTAB, flags=re.MULTILINE)) == set(variables)

        for command in commands:
            done = shell(command, **variables)
            assert (0, "", "") == (done.returncode, done.stdout, done.stderr), command

        (coverage,) = app.coverage()
        assert 0 == coverage.late
        app.store.engine.dispose()


@pytest.mark.rotation
def test_logs_are_rotated(tmp_path):
    """Logrotate takes the file that we hand out, and the next line goes into a new log."""
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    tmp_path.chmod(0o750)
    text = ROTATION.replace("/var/log/carrierflow", str(tmp_path))
    text = text.replace("carrierflow adm", f"{user} {group}")
    assert text.count(f"{user} {group}") == 2
    config, log = tmp_path / "rotation", tmp_path / "reconcile.log"
    config.write_text(text)
    config.chmod(0o644)
    log.write_text("first\n")
    rotate = [shutil.which("logrotate"), "--state", str(tmp_path / "state"), "--force", str(config)]

    for line in ("second\n", "third\n"):
        done = subprocess.run(rotate, capture_output=True, text=True, check=False, timeout=60)
        assert (0, "") == (done.returncode, done.stderr)
        with log.open("a") as opened:
            opened.write(line)

    assert "third\n" == log.read_text()
    assert "second\n" == (tmp_path / "reconcile.log.1").read_text()
    assert (tmp_path / "reconcile.log.2.gz").exists()
    assert 0o640 == log.stat().st_mode & 0o777


@pytest.mark.slow
def test_bash_completes(tmp_path):
    """The line of the page writes a file that bash takes, and that knows our commands."""
    written = tmp_path / "carrierflow"
    line = COMPLETION.replace("/etc/bash_completion.d/carrierflow", str(written))
    assert 0 == shell(line, "bash").returncode

    done = shell(
        f"source {written}; complete -p carrierflow; COMP_WORDS=(carrierflow inc); COMP_CWORD=1; "
        '_carrierflow_completion carrierflow inc; echo "${COMPREPLY[@]}"',
        "bash",
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "incidents" == done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_are_asked_for_in_the_same_way(name):
    """Each gets a script of its own, with the shell's own word for a completion."""
    done = shell("carrierflow", _CARRIERFLOW_COMPLETE=f"{name}_source")

    assert (0, "") == (done.returncode, done.stderr)
    assert {"zsh": "compdef", "fish": "complete"}[name] in done.stdout
