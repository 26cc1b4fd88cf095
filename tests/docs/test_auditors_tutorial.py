"""The auditor's page works as it stands: its commands, its program, and what it says of both.

The tools are not ours. They accept what we prove and refuse what was forged.
"""

import base64
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pytest
from mail_server import served
from outside import environment
from timestamp_authority import AuthorityServer, make_authority
from witness_server import WitnessServer

from carrierflow import Event, FulfillmentRef, Opening, Settings, Status, build, generate_key
from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.tree import leaf_hash
from carrierflow.audit.verify.database import read_kept

from .pages import DOCS, blocks


pytestmark = [pytest.mark.slow, pytest.mark.outside]

PAGE = DOCS / "tutorial" / "audit-an-export.md"
BLOCKS = blocks(PAGE, "sh")
(PROGRAM,) = blocks(PAGE, "go")
PARCELS = 1_667
ACTS = 4
"""Entries before the first parcel: the tables, the lifecycle, the shop, and the key that signs."""
EVERY = PARCELS * 7 + ACTS + 3
"""All entries; an anchor, an authority and a witness took their first checkpoint."""


def NOW():  # noqa: N802 - a clock that stands still
    """Return the moment at which everything happens."""
    return datetime(2026, 3, 1, 8, tzinfo=UTC)


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
    authority = make_authority(folder / "authority")
    shutil.copyfile(authority / "root.pem", folder / "authority.pem")
    with (
        WitnessServer() as witness,
        AuthorityServer(authority) as stamps,
        served(witness),
        served(stamps),
    ):
        key = prepare(folder, witness, stamps)
    (folder / "check.go").write_text(PROGRAM)
    return folder, key, str(witness.key)


def prepare(folder, witness, stamps):
    """Let a carrier record, seal, and hand over; return its key."""
    key = SealKey.load(folder / "seal.key")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'ledger.db'}",
        secret_key=generate_key(),
        seal_key_file=folder / "seal.key",
        anchor_file=folder / "kept.txt",
        witnesses=[f"http://127.0.0.1:{witness.server_port} {witness.key}"],
        timestamp_url=f"http://127.0.0.1:{stamps.server_port}",
        timestamp_roots=folder / "authority.pem",
    )
    app = build(settings, now=NOW)
    app.upgrade()
    app.shops.add("myshop", token="a-token", base_url="https://apis.haravan.com")
    record(app, range(1, 101))
    app.sealer.seal()
    record(app, range(101, PARCELS + 1))
    unanchored = build(settings.model_copy(update={"anchor_file": None}), now=NOW)
    unanchored.sealer.seal()
    unanchored.store.engine.dispose()
    app.exporter.export(folder / "export")
    kept = [each.seen for each in read_kept(folder / "kept.txt", where="kept")]
    scope = Scope(shop="myshop", fulfillment_id="1234")
    app.exporter.export(folder / "part", scope, since_checkpoints=kept)
    app.store.engine.dispose()
    return str(key.verifier)


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
    folder, key, witness = desk
    given, *rest = BLOCKS[0].splitlines()
    assert given.startswith("KEY=")
    assert rest[0].startswith("WITNESS=")
    script = [f"KEY='{key}'\nWITNESS='{witness}'\n" + "\n".join(rest[1:]), *BLOCKS[1:]]
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
    allowed = coreutils | {"tr", "od", "cp", "openssl", "go", "./check", "cd", "KEY", "WITNESS"}
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

    assert f"{EVERY} entries of {EVERY} are as they were signed" in whole
    assert f"7 entries of {EVERY} are as they were signed" in part
    assert f"witness.example cosigned the checkpoint of {EVERY} entries" in whole
    assert f"{EVERY - 7} entries are left out" in part
    assert "not compared" not in part


def test_the_forgery_of_the_page_is_refused(outputs):
    """The changed entry is named by its line, and the root does not come out."""
    printed = said(outputs, "cp -r export forged")

    assert "the digests do not fit" in printed
    assert "line 5 is not what was sealed\n1 things are wrong" in printed
    assert "refused, as it should be" in printed
    printed = said(outputs, "cp -r part shorter")
    assert "is missing: neither a line nor left out" in printed
    assert "refused, too" in printed


def test_openssl_accepts_the_time_stamp_and_refuses_a_forgery(outputs):
    """The authority's answer is of the checkpoint that is there, and of no other text."""
    printed = said(outputs, "ts -verify -in stamp.tsr")

    assert "refused, as it should be" in printed
    assert "Time stamp" in printed


def test_the_opinion_is_signed(outputs):
    """The last command verifies the auditor's own signature."""
    assert "Signature Verified Successfully" in outputs[-1]


def changed(desk, name, source, change):
    """Copy an export with changed lines, and return what Go says of it."""
    folder, key, witness = desk
    copy = folder / name
    shutil.copytree(folder / source, copy)
    for file in sorted(path.name for path in copy.iterdir()):
        lines = (copy / file).read_text().splitlines()
        change(file, lines)
        (copy / file).write_text("".join(f"{line}\n" for line in lines))
    return shell(f"./check {name} '{key}' '{witness}'", folder)


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
        elif file == "places.txt":
            lines[2] = " ".join((lines[2].split()[0], forged[0]))

    done = changed(desk, "proof", "part", change)

    assert 1 == done.returncode
    assert "line 3 is no step of its lifecycle" in done.stdout


def test_go_refuses_a_checkpoint_of_another_key(outputs, desk):
    """A forger who signs with a key of his own is turned away at once."""
    folder, _, _ = desk
    other = SealKey.generate("history.mycarrier.example")

    done = shell(f"./check export '{other.verifier}'", folder)

    assert 1 == done.returncode
    assert "refused:" in done.stdout


def test_go_refuses_a_cosignature_that_is_none(outputs, desk):
    """A witness's line that was changed, and a witness who signed nothing, are both named."""

    def change(file, lines):
        if file == "checkpoints.txt":
            lines[-2] = lines[-2][:-8] + "AAAAAAA="

    done = changed(desk, "witness", "export", change)

    assert 1 == done.returncode
    assert "witness.example did not cosign the checkpoint" in done.stdout


DIGITS = ["entries.jsonl", "places.txt", "left_out.txt", "manifest.json", "definitions.jsonl"]
DIGITS += ["consistency.txt", "timestamps.txt"]


@pytest.mark.parametrize("file", DIGITS)
def test_one_changed_digit_gives_one_message(outputs, desk, file):
    """Wherever in a part a digit is changed, there is one sentence that says where."""

    def change(name, lines):
        if name == file:
            number = len(lines) // 2
            (digit,) = re.findall(r"\d", lines[number])[-1:]
            before, _, after = lines[number].rpartition(digit)
            lines[number] = f"{before}{(int(digit) + 1) % 10}{after}"

    done = changed(desk, f"digit-{file}", "part", change)

    assert 1 == done.returncode
    said = [line for line in done.stdout.splitlines() if "cosigned the" not in line]
    assert (said[1:] or ["1 things are wrong"]) == ["1 things are wrong"], said


def test_go_finds_a_log_that_was_cut_off(outputs, desk):
    """Without its last lines a whole log is none: a place is missing at its end."""

    def change(file, lines):
        if file in ("entries.jsonl", "places.txt"):
            lines.pop()

    done = changed(desk, "cut", "export", change)

    assert 1 == done.returncode
    assert f"place {EVERY - 1} is missing" in done.stdout
