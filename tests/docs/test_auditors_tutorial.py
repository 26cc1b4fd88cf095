"""The auditor's page works as it stands: its commands, its program, and what it says of both.

The tools are not ours. They accept what we prove and refuse what was forged.
"""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from outside import environment

from carrierflow import Event, FulfillmentRef, Opening, Settings, Status, build, generate_key
from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.tree import leaf_hash

from .pages import DOCS, blocks


pytestmark = [pytest.mark.slow, pytest.mark.outside]

PAGE = DOCS / "tutorial" / "audit-an-export.md"
BLOCKS = blocks(PAGE, "sh")
(PROGRAM,) = blocks(PAGE, "go")
PARCELS = 1_667
ACTS = 4
"""Entries before the first parcel: the tables, the lifecycle, the shop, and the key that signs."""

ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)


def shell(script, folder):
    """Run a script as somebody who has none of carrierflow."""
    return subprocess.run(
        ["/bin/sh", "-c", f"set -eu\n{script}"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The auditor's directory: what a carrier with ten thousand entries sent."""
    folder = tmp_path_factory.mktemp("auditor")
    key = SealKey.generate("history.mycarrier.example")
    key.save(folder / "seal.key")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'ledger.db'}",
        secret_key=generate_key(),
        seal_key_file=folder / "seal.key",
        anchor_file=folder / "kept.txt",
    )
    app = build(settings, now=lambda: datetime(2026, 3, 1, 8, tzinfo=UTC))
    app.upgrade()
    app.shops.add("myshop", token="a-token", base_url="https://apis.haravan.com")
    record(app, range(1, 101))
    app.sealer.seal()
    record(app, range(101, PARCELS + 1))
    unanchored = build(settings.model_copy(update={"anchor_file": None}))
    unanchored.sealer.seal()
    unanchored.store.engine.dispose()
    app.exporter.export(folder / "export")
    app.exporter.export(folder / "part", Scope(shop="myshop", fulfillment_id="1234"))
    app.store.engine.dispose()
    (folder / "check.go").write_text(PROGRAM)
    return folder, str(key.verifier)


def record(app, numbers):
    """Let some parcels with cash to collect be delivered."""
    events = [
        Event(
            shop="myshop",
            fulfillment_id=f"{number}",
            status=status,
            actor=f"driver-{number % 7}",
            opening=Opening(
                ref=FulfillmentRef(shop="myshop", order_id=f"{number}", fulfillment_id=f"{number}"),
                cod_amount=250_000,
            ),
        )
        for number in numbers
        for status in ROAD
    ]
    for _ in app.ledger.record_many(events):
        pass


@pytest.fixture(scope="module")
def outputs(desk):
    """What each block of the page printed, when one shell ran them all in order."""
    folder, key = desk
    given, *rest = BLOCKS[0].splitlines()
    assert given.startswith("KEY=")
    script = [f"KEY='{key}'\n" + "\n".join(rest), *BLOCKS[1:]]
    done = shell("\n".join(f"printf '\\036'\n{block}" for block in script), folder)
    printed = done.stdout.split("\036")[1:]
    assert (0, len(BLOCKS)) == (done.returncode, len(printed)), f"{done.stdout}\n{done.stderr}"
    return printed


def said(outputs, word):
    """Return what the block printed that holds a word."""
    (number,) = [number for number, block in enumerate(BLOCKS) if word in block]
    return outputs[number]


def test_the_page_needs_no_other_tools():
    """Every command of the page is of OpenSSL, Go, coreutils, or the page's own program."""
    coreutils = {"ls", "sha256sum", "tail", "head", "cut", "base64", "cat", "printf", "echo"}
    allowed = coreutils | {"tr", "od", "cp", "openssl", "go", "./check", "cd", "KEY"}
    heredoc = BLOCKS[-2].partition("\n")[2]
    text = (
        "\n".join(BLOCKS)
        .replace(heredoc, "")
        .replace("GO111MODULE=off GOPATH=/usr/share/gocode ", "")
    )
    for mark in ("|", "&&", ";", "("):
        text = text.replace(mark, "\n")

    used = {line.split()[0].partition("=")[0] for line in text.splitlines() if line.strip()}

    assert set() == used - allowed


def test_openssl_accepts_the_signature(outputs):
    """The checkpoint's signature is good, and not for another root."""
    assert "Signature Verified Successfully" in said(outputs, "-in checkpoint.txt")
    assert "refused, as it should be" in said(outputs, "-in forged.txt")


def test_the_digests_by_hand_are_those_of_the_files(outputs):
    """The first line hashes to the link in the second one, and to the leaf of its place."""
    first, digest, second = said(outputs, "sha256sum\nhead -n 2").splitlines()
    assert digest.split()[0] == json.loads(second)["prev"]
    assert "readytopick" == json.loads(first)["to"]
    one, two = said(outputs, "od -A n").split()
    assert one == two


def test_go_accepts_the_root_and_the_proofs(outputs):
    """Go's checksum database finds the signed root over the lines, and follows each proof."""
    whole, part = said(outputs, "go build"), said(outputs, "./check part")

    every = PARCELS * 7 + ACTS
    assert f"{every} entries of {every} are as they were signed" in whole
    assert f"7 entries of {every} are as they were signed" in part


def test_the_forgery_of_the_page_is_refused(outputs):
    """The changed entry is named by its line, and the root does not come out."""
    printed = said(outputs, "cp -r export forged")

    assert "the digests do not fit" in printed
    assert "line 5 is not what was sealed" in printed
    assert "are not those that were signed" in printed
    assert "refused, as it should be" in printed


def test_the_opinion_is_signed(outputs):
    """The last command verifies the auditor's own signature."""
    assert "Signature Verified Successfully" in outputs[-1]


def changed(desk, name, source, change):
    """Copy an export with changed lines, and return what Go says of it."""
    folder, key = desk
    copy = folder / name
    shutil.copytree(folder / source, copy)
    for file in ("entries.jsonl", "places.txt"):
        lines = (copy / file).read_text().splitlines()
        change(file, lines)
        (copy / file).write_text("".join(f"{line}\n" for line in lines))
    return shell(f"./check {name} '{key}'", folder)


def test_one_changed_word_in_ten_thousand_entries_is_found(outputs, desk):
    """Of 10,002 lines, Go names the one in which a word was changed."""

    def change(file, lines):
        if file == "entries.jsonl":
            lines[7654] = lines[7654].replace('"source":"carrier"', '"source":"platform"')
            lines[7654] = lines[7654].replace('"source":"rule"', '"source":"platform"')

    done = changed(desk, "word", "export", change)

    assert 1 == done.returncode
    assert "line 7655 is not what was sealed" in done.stdout


def test_go_refuses_a_proof_of_another_line(outputs, desk):
    """In a part, a line with its own leaf has no proof that leads to the root."""
    forged = []

    def change(file, lines):
        if file == "entries.jsonl":
            lines[2] = lines[2].replace("delivering", "waitingforreturn")
            forged.append(base64.b64encode(leaf_hash(lines[2].encode())).decode())
        else:
            index, _, *path = lines[2].split()
            lines[2] = " ".join((index, forged[0], *path))

    done = changed(desk, "proof", "part", change)

    assert 1 == done.returncode
    assert "line 3: invalid transparency proof" in done.stdout


def test_go_refuses_a_checkpoint_of_another_key(outputs, desk):
    """A forger who signs with a key of his own is turned away at once."""
    folder, _ = desk
    other = SealKey.generate("history.mycarrier.example")

    done = shell(f"./check export '{other.verifier}'", folder)

    assert 1 == done.returncode
    assert "refused:" in done.stdout


def test_go_finds_a_log_that_was_cut_off(outputs, desk):
    """Without its last lines a whole log is none: the proofs of a part are not there."""
    done = changed(desk, "cut", "export", lambda _, lines: lines.pop())

    assert 1 == done.returncode
    assert "line 1: malformed" in done.stdout or "line 1: invalid" in done.stdout
