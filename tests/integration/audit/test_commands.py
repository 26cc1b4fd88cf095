"""From a key to an export that verifies elsewhere, on the command line alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from terminals import runner

from carrierflow import Settings, build, generate_key
from carrierflow.audit.log.checkpoint import SignedNote, VerifierKey
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.proof import Consistency, Proof
from carrierflow.cli import cli
from carrierflow.cli.session import ANCHOR_BROKEN, FAILED, HELD


USAGE = 2


class Terminal:
    """Somebody at a command line, with a ledger in the working directory."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {
            "CARRIERFLOW_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
            "CARRIERFLOW_SECRET_KEY": generate_key(),
            "CARRIERFLOW_ACTOR": "desk",
        }

    def run(self, *arguments, code=0):
        """Run a command that ends with a code, and return what it printed."""
        outcome = runner().invoke(cli, list(arguments), env=self.env)
        assert code == outcome.exit_code, outcome.output
        return outcome.stdout

    def json(self, *arguments, code=0):
        """Run a command, and return its document."""
        return json.loads(self.run(*arguments, "--json", code=code))


@pytest.fixture
def terminal(tmp_path, monkeypatch):
    """A ledger with one parcel under way, and a seal key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("a-token")
    made = Terminal(tmp_path)
    made.run("db", "upgrade")
    made.run("shop", "add", "myshop", "--no-check", "--token-file", "token")
    made.run("open", "myshop", "1001", "2001", "--cod-amount", "250000")
    made.run("record", "myshop", "2001", "picking")
    made.key = made.run("keys", "generate-seal", "log.example", "seal.key").strip()
    made.env["CARRIERFLOW_SEAL_KEY_FILE"] = "seal.key"
    return made


def test_a_key_is_made_once(terminal):
    """The public half is printed, the private one lies in the file, and is not overwritten."""
    assert "log.example" == VerifierKey.parse(terminal.key).name
    before = (terminal.folder / "seal.key").read_text()

    terminal.run("keys", "generate-seal", "log.example", "seal.key", code=FAILED)

    assert before == (terminal.folder / "seal.key").read_text()
    document = terminal.json("keys", "generate-seal", "log.example", "other.key")
    assert document["verifier_key"] != terminal.key


def test_the_history_is_sealed_and_told(terminal):
    """`seal` says how many entries it sealed; `checkpoint` prints the signed note."""
    document = terminal.json("audit", "seal")

    assert (8, 8, []) == (document["sealed"], document["size"], document["broken"])
    assert document["checkpoint"] == terminal.run("audit", "checkpoint")
    assert 0 == terminal.json("audit", "seal")["sealed"]
    assert "8 are sealed, 1 checkpoints agree" in terminal.run("audit", "verify")


def test_an_entry_and_a_checkpoint_are_proven(terminal):
    """What `prove` and `checkpoint --since` print holds by itself."""
    terminal.run("audit", "seal")
    (terminal.folder / "kept.txt").write_text(terminal.run("audit", "checkpoint"))
    terminal.run("record", "myshop", "2001", "delivering")
    terminal.run("audit", "seal")

    proof = Proof.parse(terminal.run("audit", "prove", "myshop", "2001", "delivery:3"))
    assert proof.holds
    assert '"to":"delivering"' in proof.entry
    document = terminal.json("audit", "prove", "myshop", "2001", "delivery:3")
    assert (8, str(proof)) == (document["index"], document["proof"])
    proof = Consistency.parse(terminal.run("audit", "checkpoint", "--since", "kept.txt"))
    assert (8, 9) == (proof.old_size, proof.checkpoint.checkpoint.size)
    terminal.run("audit", "checkpoint", "--since", "nothing.txt", code=FAILED)
    terminal.run("audit", "prove", "myshop", "2001", "third", code=USAGE)
    terminal.run("audit", "prove", "myshop", "2001", "delivery:9", code=FAILED)


def test_an_export_is_verified_without_a_database(terminal):
    """`verify --export` needs the directory and a key, and opens no ledger."""
    terminal.run("audit", "seal")
    (terminal.folder / "kept.txt").write_text(terminal.run("audit", "checkpoint"))
    document = terminal.json("audit", "export", "whole", "--csv")
    part = ("--shop", "myshop", "--fulfillment", "2001", "--since", "2026-01-01")
    terminal.run("audit", "export", "part", *part, "--checkpoint", "kept.txt")
    elsewhere = Terminal(terminal.folder)
    elsewhere.env["CARRIERFLOW_DATABASE_URL"] = "sqlite:////nowhere/at/all.db"

    assert (8, 8, 0) == (document["rows"], document["size"], document["unsealed"])
    assert "history.csv" in document["files"]
    for folder in ("whole", "part"):
        arguments = ("--verifier-key", terminal.key, "--checkpoint", "kept.txt")
        done = elsewhere.json("audit", "verify", "--export", folder, *arguments)
        assert (True, 3, 1, []) == (
            done["ok"],
            done["rows"],
            done["fulfillments"],
            done["remarks"],
        )
        assert done["rows_per_second"]


def test_an_empty_file_of_checkpoints_is_no_success(terminal):
    """Neither the ledger nor an export is verified against a file that holds nothing."""
    terminal.run("audit", "seal")
    terminal.run("audit", "export", "whole")
    (terminal.folder / "empty.txt").write_text("")
    kept = ("--checkpoint", "empty.txt")

    for command in (("verify",), ("verify", "--export", "whole"), ("export", "part")):
        document = terminal.json("audit", *command, *kept, code=FAILED)
        assert "empty.txt holds no checkpoint" in document["sentence"]
    assert not (terminal.folder / "part").exists()


def test_a_changed_export_is_refused(terminal):
    """One changed word ends with exit code 1 and the name of the row."""
    terminal.run("audit", "seal")
    terminal.run("audit", "export", "whole")
    file = terminal.folder / "whole" / "entries.jsonl"
    file.write_text(file.read_text().replace("readytopick", "pending", 1))

    done = terminal.json(
        "audit", "verify", "--export", "whole", "--verifier-key", terminal.key, code=FAILED
    )

    assert done["first_bad"].startswith("line ")
    assert "changed" == done["reason"]


def test_what_cannot_be_done_is_a_sentence(terminal):
    """Without a key, a checkpoint or a directory, the command says what is missing."""
    terminal.run("audit", "checkpoint", code=FAILED)
    terminal.run("audit", "export", "whole", code=FAILED)
    terminal.run("audit", "export", "part", "--fulfillment", "2001", code=FAILED)
    terminal.run("audit", "verify", "--export", "nowhere", code=FAILED)
    terminal.run("audit", "verify", "--verifier-key", "nonsense", code=USAGE)
    terminal.env["CARRIERFLOW_SEAL_KEY_FILE"] = "nothing.key"
    terminal.run("audit", "seal", code=FAILED)


def test_an_anchor_that_is_down_is_told(terminal):
    """The seal stands, the exit code says that somebody has to look."""
    terminal.env["CARRIERFLOW_ANCHOR_FILE"] = "no/such/folder/file"

    document = terminal.json("audit", "seal", code=FAILED)

    assert 8 == document["size"]
    assert "did not take the checkpoint" in document["anchors"][0]["problem"]


def test_an_anchor_that_vanished_has_its_own_exit_code(terminal):
    """What lies elsewhere and is gone, or says otherwise, is no common finding."""
    terminal.env["CARRIERFLOW_ANCHOR_FILE"] = "elsewhere.txt"
    terminal.run("audit", "seal")
    assert terminal.json("audit", "verify")["ok"]
    (terminal.folder / "elsewhere.txt").unlink()

    done = terminal.json("audit", "verify", code=ANCHOR_BROKEN)

    assert "anchor" == done["reason"]
    assert "anchor file: it is gone" in done["first_bad"]
    terminal.run("audit", "seal", code=FAILED)


def test_two_histories_are_told_apart_by_swapped_checkpoints(terminal):
    """Each of two views verifies by itself; the checkpoint that the other one saw does not fit."""
    terminal.run("audit", "seal")
    (terminal.folder / "mine.txt").write_text(terminal.run("audit", "checkpoint"))
    other = SealKey.load(terminal.folder / "seal.key")
    seen = SignedNote.parse((terminal.folder / "mine.txt").read_text()).checkpoint
    view = other.sign(replace(seen, root=bytes(32)).text)
    (terminal.folder / "theirs.txt").write_text(f"{view}\n")

    assert terminal.json("audit", "verify", "--checkpoint", "mine.txt")["ok"]
    done = terminal.json("audit", "verify", "--checkpoint", "theirs.txt", code=ANCHOR_BROKEN)

    assert "another history was put in their place" in done["first_bad"]


def test_an_export_without_a_key_is_not_in_order(terminal):
    """Nobody's key stands behind it, and whoever accepts that says so."""
    terminal.run("audit", "seal")
    terminal.run("audit", "export", "whole")
    terminal.run("audit", "export", "part", "--shop", "myshop")
    export = ("audit", "verify", "--export")

    assert "unauthenticated" == terminal.json(*export, "whole", code=FAILED)["reason"]
    assert terminal.json(*export, "whole", "--unauthenticated")["ok"]
    done = terminal.run(*export, "part", "--verifier-key", terminal.key)
    assert "It is a part: " in done
    assert "entries, shop myshop." in done


def test_another_sealer_is_left_to_its_work(terminal):
    """While another process seals, the command ends with the code for that."""
    app = build(Settings(database_url=terminal.env["CARRIERFLOW_DATABASE_URL"]))
    with app.store.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE carrierflow_leases SET owner = 'another', "
            "held_until = '2999-01-01T00:00:00.000000+00:00'"
        )
    app.store.engine.dispose()

    terminal.run("audit", "seal", code=HELD)


def test_a_run_seals_when_it_ends(terminal):
    """Where there is a key, nobody needs to think of sealing."""
    settings = Settings(
        database_url=terminal.env["CARRIERFLOW_DATABASE_URL"],
        secret_key=terminal.env["CARRIERFLOW_SECRET_KEY"],
        seal_key_file=terminal.folder / "seal.key",
    )
    app = build(settings, now=lambda: datetime.now(UTC))
    app.shops.pause("myshop")

    app.reconcile()

    assert 9 == app.sealer.newest().checkpoint.size
    app.store.engine.dispose()
