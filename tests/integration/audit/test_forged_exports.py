"""Whoever handles an export on its way can change it; each way of doing so is found, and named."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from hashlib import sha256

import pytest

from carrierflow.audit.export.format import Scope
from carrierflow.audit.export.manifest import manifest_text
from carrierflow.audit.log.anchors import FileAnchor
from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.tree import Frontier, leaf_hash
from carrierflow.audit.verify.database import read_kept, trusted
from carrierflow.audit.verify.export import Expectations, verify_export
from carrierflow.domain.lifecycle import GROUPS, define

from .conftest import ACTS
from .desk import verified


class Forger:
    """Changes an export, and mends what anybody can mend: counts, places, digests."""

    def __init__(self, folder, key_file):
        self.folder = folder
        self.key = SealKey.load(key_file)
        self.lines = self.read("entries.jsonl").splitlines()
        self.places = self.read("places.txt").splitlines()

    def read(self, name):
        """Return a file as text."""
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name, text):
        """Put other text into a file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def line(self, parcel, machine, seq):
        """Return where an entry stands."""
        for number, line in enumerate(self.lines):
            entry = json.loads(line)
            step = [entry.get(name) for name in ("fulfillment_id", "machine", "seq", "kind")]
            if step == [parcel, machine, seq, None]:
                return number
        raise AssertionError(parcel, machine, seq)

    def change(self, number, **values):
        """Change what an entry says, in its canonical form."""
        entry = json.loads(self.lines[number]) | values
        self.lines[number] = json.dumps(
            entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )

    def leave_out(self, chosen):
        """Take lines away, and say of their places that they were left out."""
        gone = [n for n, line in enumerate(self.lines) if chosen(json.loads(line))]
        gaps = [gap.split() for gap in self.read("left_out.txt").splitlines()]
        gaps += [(self.places[n].split()[0], "0", self.places[n].split()[1]) for n in gone]
        for n in reversed(gone):
            del self.lines[n], self.places[n]
        gaps = sorted(gaps, key=lambda gap: int(gap[0]))
        self.write("left_out.txt", "".join(f"{' '.join(gap)}\n" for gap in gaps))
        self.finish()

    def rehash(self):
        """Compute all links, leaves and places anew."""
        ends = {}
        for number, line in enumerate(self.lines):
            entry = json.loads(line)
            if "prev" not in entry:
                continue
            chain = entry["fulfillment_id"], entry["machine"]
            self.change(number, prev=ends.get(chain, "0" * 64))
            ends[chain] = sha256(self.lines[number].encode()).hexdigest()
        leaves = [leaf_hash(line.encode()) for line in self.lines]
        self.places = [f"{n} {base64.b64encode(leaf).decode()}" for n, leaf in enumerate(leaves)]
        return leaves

    def sign(self, leaves, key=None):
        """Put a checkpoint over some leaves in the place of those that were there."""
        tree = Frontier()
        tree.extend(leaves)
        self.root = tree.root().hex()
        text = Checkpoint(origin="log.example", size=tree.size, root=tree.root()).text
        self.write("checkpoints.txt", f"{(key or self.key).sign(text)}\n")

    def finish(self):
        """Write the lines, and make counts and digests fit."""
        self.write("entries.jsonl", "".join(f"{line}\n" for line in self.lines))
        self.write("places.txt", "".join(f"{place}\n" for place in self.places))
        self.mend_manifest(rows=len(self.lines), left_out=self.size - len(self.lines))

    @property
    def size(self):
        """How many entries the manifest says that the log has."""
        return json.loads(self.read("manifest.json"))["size"]

    def digests(self):
        """Return the digests of the files as they are now."""
        names = sorted({file.name for file in self.folder.iterdir()} - {"SHA256SUMS"})
        return {name: sha256((self.folder / name).read_bytes()).hexdigest() for name in names}

    def mend_manifest(self, *, key=None, **said):
        """Let the manifest say what is there now, and sign it if there is a key."""
        manifest = json.loads(self.read("manifest.json")) | said
        files = {n: d for n, d in self.digests().items() if not n.startswith("manifest.")}
        written = json.dumps(manifest | {"files": files})
        self.write("manifest.json", written)
        if key is not None:
            text = manifest_text(manifest["origin"], written.encode())
            self.write("manifest.note", str(key.sign(text)))
        sums = "".join(f"{digest}  {name}\n" for name, digest in self.digests().items())
        self.write("SHA256SUMS", sums)


def edit(forger):
    """Change one word."""
    forger.change(forger.line("2", "delivery", "3"), actor="somebody else")


def delete(forger):
    """Leave one line out."""
    number = forger.line("2", "delivery", "3")
    del forger.lines[number], forger.places[number]


def insert_in_the_past(forger):
    """Put a line in between."""
    number = forger.line("2", "delivery", "3")
    forger.lines.insert(number, forger.lines[number])
    forger.places.insert(number, forger.places[number])


def reorder(forger):
    """Let two lines change places."""
    one, two = forger.line("2", "delivery", "2"), forger.line("2", "delivery", "3")
    for column in (forger.lines, forger.places):
        column[one], column[two] = column[two], column[one]


def truncate_the_tail(forger):
    """Cut the last lines off."""
    del forger.lines[-4:], forger.places[-4:]


def swap_two_parcels(forger):
    """Give two parcels each other's names."""
    names = {"2": "3", "3": "2"}
    for number, line in enumerate(forger.lines):
        name = json.loads(line).get("fulfillment_id")
        if name in names:
            forger.change(number, fulfillment_id=names[name])


def replace_a_definition(forger):
    """Put a lifecycle that allows more in the place of the one that was used."""
    forger.write("definitions.jsonl", f"{define(sorted(GROUPS)).canonical}\n")


def correct_without_a_name(forger):
    """Turn a step into a correction, which needs no edge, and say neither who nor why."""
    number = forger.line("2", "delivery", "4")
    forger.change(number, amends="3", to="return", actor=None, reason=None)


def rehash(forger):
    """Change a word and compute everything anew but the signature."""
    forger.change(forger.line("2", "delivery", "3"), actor="somebody else")
    forger.rehash()


def sign_with_another_key(forger):
    """Change a word, compute everything anew, and sign that too."""
    forger.change(forger.line("2", "delivery", "3"), actor="somebody else")
    forger.sign(forger.rehash(), SealKey.generate("log.example"))


def swap_the_proofs(forger):
    """Give two lines each other's places, and nothing else."""
    one, two = forger.line("2", "delivery", "2"), forger.line("2", "delivery", "3")
    forger.places[one], forger.places[two] = forger.places[two], forger.places[one]


SEALED_OTHERWISE = "its content is not what was sealed at its place"
ATTACKS = {
    edit: ("line", SEALED_OTHERWISE),
    delete: ("/2 delivery:4", "an entry is missing before it"),
    insert_in_the_past: ("/2 delivery:3", "an entry is missing before it"),
    reorder: ("/2 delivery:3", "it does not continue the hash"),
    truncate_the_tail: ("checkpoint", "it was rolled back or cut off"),
    swap_two_parcels: ("line", SEALED_OTHERWISE),
    replace_a_definition: ("/2 delivery:1", "its definition is not there"),
    correct_without_a_name: ("/2 delivery:4", "it corrects without saying who and why"),
    rehash: ("checkpoint", "another history was put in their place"),
    sign_with_another_key: ("checkpoint", "it was forged"),
    swap_the_proofs: ("line", SEALED_OTHERWISE),
}
IN_PART = ATTACKS | {
    truncate_the_tail: None,  # a part may be any part: that it is whole is not what it proves
    rehash: None,  # its proofs cannot be made anew
    sign_with_another_key: None,
}


@pytest.fixture
def sealed(book):
    """A ledger of some parcels, sealed in two goes."""
    book.record(3)
    book.sealer().seal()
    book.record(3, first=10)
    book.sealer().seal()
    return book


def checked(book, folder, *, kept=()):
    """Verify an export under the key of its ledger."""
    key = SealKey.load(book.key_file).verifier
    return verify_export(folder, Expectations(trust=trusted([key]), kept=kept))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_on_an_export_is_found_and_named(sealed, tmp_path, attack):
    """What was changed in a whole log is found, and it is said where and what."""
    folder = sealed.exporter().export(tmp_path / "export").folder
    forger = Forger(folder, sealed.key_file)
    attack(forger)
    forger.finish()

    done = checked(sealed, folder)

    where, what = ATTACKS[attack]
    assert any(where in p.where and what in p.what for p in done.problems), done.problems


@pytest.mark.parametrize(
    "attack", [a for a, said in IN_PART.items() if said], ids=lambda attack: attack.__name__
)
def test_an_attack_on_a_part_is_found_and_named(sealed, tmp_path, attack):
    """The same holds where only a part was exported, whose lines prove themselves one by one."""
    folder = sealed.exporter().export(tmp_path / "export", Scope(shop=sealed.shop)).folder
    forger = Forger(folder, sealed.key_file)
    attack(forger)
    forger.finish()

    done = checked(sealed, folder)

    where, what = IN_PART[attack]
    assert any(where in p.where and what in p.what for p in done.problems), done.problems


def test_a_line_of_another_log_is_found_in_a_part(sealed, tmp_path):
    """A line with a leaf of its own has no proof that leads to the signed root."""
    folder = sealed.exporter().export(tmp_path / "export", Scope(shop=sealed.shop)).folder
    forger = Forger(folder, sealed.key_file)
    number = forger.line("11", "cod", "2")
    forger.change(number, reason="settled elsewhere")
    index, _, *path = forger.places[number].split()
    leaf = base64.b64encode(leaf_hash(forger.lines[number].encode())).decode()
    forger.places[number] = " ".join((index, leaf, *path))
    forger.finish()

    done = checked(sealed, folder)

    found = {problem.where: problem.what for problem in done.problems}
    assert "are not the entries that it covers" in found[f"checkpoint {ACTS + 42}"]
    assert "it was changed" in found["manifest.json"]


def test_a_file_that_was_damaged_on_its_way_is_named(sealed, tmp_path):
    """A byte that changed anywhere is found by the list of digests."""
    folder = sealed.exporter().export(tmp_path / "export", sheet=True).folder
    with (folder / "history.csv").open("ab") as file:
        file.write(b"x")

    assert [
        ("history.csv", "it has rows that entries.jsonl has not"),
        ("history.csv", "its bytes are not those that manifest.json names"),
    ] == [(p.where, p.what) for p in checked(sealed, folder).problems]


def test_a_history_that_was_hashed_and_signed_anew_contradicts_the_anchor(book, tmp_path):
    """With the key too, only a checkpoint that lies elsewhere shows that it was another one."""
    anchor = tmp_path / "elsewhere.txt"
    book.record(3)
    book.sealer(anchors=[FileAnchor(anchor)]).seal()
    folder = book.exporter().export(tmp_path / "export").folder
    forger = Forger(folder, book.key_file)
    forger.change(forger.line("2", "delivery", "3"), actor="somebody else")
    forger.sign(forger.rehash())
    forger.finish()
    forger.mend_manifest(key=forger.key, root=forger.root, signed_at=None)

    assert checked(book, folder).ok
    done = checked(book, folder, kept=read_kept(anchor, where="anchor"))
    assert [f"anchor {ACTS + 21}"] == [problem.where for problem in done.problems]
    assert "another history was put in their place" in done.problems[0].what


@pytest.mark.parametrize("whole", [True, False])
def test_an_export_of_last_week_s_database_contradicts_the_anchor(book, tmp_path, whole):
    """What was rolled back verifies by itself; the checkpoint elsewhere covers more."""
    anchor = tmp_path / "elsewhere.txt"
    sealer = book.sealer(anchors=[FileAnchor(anchor)])
    book.record(3)
    sealer.seal()
    scope = Scope() if whole else Scope(shop=book.shop)
    folder = book.exporter().export(tmp_path / "export", scope).folder
    book.record(1, first=9)
    sealer.seal()

    kept = read_kept(anchor, where="anchor")
    done = checked(book, folder, kept=kept)

    assert [f"anchor {ACTS + 30}"] == [problem.where for problem in done.problems]
    assert "it was rolled back or cut off" in done.problems[0].what


def test_a_part_that_stands_on_another_log_contradicts_the_anchor(book, tmp_path):
    """Neither a forged proof of consistency nor none at all hides another history."""
    book.record(2)
    old = book.sealer().seal().checkpoint
    book.record(1, first=9)
    book.sealer().seal()
    scope = Scope(shop=book.shop)
    done = book.exporter().export(tmp_path / "export", scope, since_checkpoints=[old.checkpoint])
    forged = replace(old.checkpoint, root=bytes(32))
    anchor = tmp_path / "anchor.txt"
    anchor.write_text(f"{SealKey.load(book.key_file).sign(forged.text)}\n")

    found = checked(book, done.folder, kept=read_kept(anchor, where="anchor"))

    assert [f"anchor {ACTS + 14}"] == [problem.where for problem in found.problems]


def test_one_changed_word_in_ten_thousand_is_found(book, tmp_path):
    """Of ten thousand lines the one that was changed is named."""
    book.record(1_667)
    book.sealer().seal()
    folder = book.exporter().export(tmp_path / "export").folder
    assert checked(book, folder).ok
    copy = shutil.copytree(folder, tmp_path / "copy")
    forger = Forger(copy, book.key_file)
    number = forger.line("1234", "delivery", "3")
    forger.change(number, source="platform")
    forger.finish()

    done = checked(book, copy)

    assert 10_002 == done.rows
    named = [(p.where, p.what.partition(":")[0]) for p in done.problems]
    assert (f"line {number + 1}", SEALED_OTHERWISE) in named


def without_a_parcel(forger):
    """Leave out all lines of one parcel, and say of their places that they were left out."""
    forger.leave_out(lambda entry: entry.get("fulfillment_id") == "11")


def without_the_ends(forger):
    """Leave out the last entry of every chain of cash: nobody ever paid."""
    forger.leave_out(lambda entry: entry.get("to") == "codpaid")


def cut_short(forger):
    """Cut the last lines off and say nothing of their places."""
    del forger.lines[-4:], forger.places[-4:]
    forger.finish()


def false_manifest(forger):
    """Say that it is of another shop, and nothing else."""
    scope = json.loads(forger.read("manifest.json"))["scope"] | {"shop": "elsewhere"}
    forger.mend_manifest(scope=scope)


def false_sums(forger):
    """Say that less cash was collected."""
    shops = json.loads(forger.read("manifest.json"))["shops"]
    for shop in shops.values():
        shop["cod"]["codpaid"]["amount"] = "250000"
    forger.mend_manifest(shops=shops)


def falsified_sheet(forger):
    """Change one step in the spreadsheet alone."""
    file = forger.folder / "history.csv"
    file.write_bytes(file.read_bytes().replace(b"picking", b"pending", 1))
    forger.mend_manifest()


def emptied_digests(forger):
    """Leave the lists of digests empty."""
    manifest = json.loads(forger.read("manifest.json"))
    forger.write("manifest.json", json.dumps(manifest | {"files": {}}))
    forger.write("SHA256SUMS", "")


def older_form(forger):
    """Say that it is of the form whose manifest nobody signed."""
    manifest = json.loads(forger.read("manifest.json"))
    forger.write("manifest.json", json.dumps(manifest | {"form": "carrierflow-export/2"}))


def unsigned(forger):
    """Take the signature away."""
    (forger.folder / "manifest.note").unlink()
    forger.mend_manifest()


def put_there(forger):
    """Put one more file beside the others."""
    forger.write("remittances.csv", "paid\n")


FORGED = "it is not what the verifier key signed: it was changed"
OF_WHAT_IT_IS = {
    without_a_parcel: ("manifest.json", FORGED),
    without_the_ends: ("manifest.json", FORGED),
    cut_short: ("place ", "it is neither among the lines nor said to be left out"),
    false_manifest: ("manifest.json", FORGED),
    false_sums: ("manifest.json", FORGED),
    falsified_sheet: ("history.csv", "it does not say what line "),
    emptied_digests: ("manifest.json", FORGED),
    older_form: ("manifest.json", "its signature was taken away"),
    unsigned: ("manifest.note", "it is missing: nobody signed what this export is"),
    put_there: ("remittances.csv", "manifest.json does not name it: it was put there"),
}


@pytest.fixture
def part(attacked_book, tmp_path):
    """A shop's part of a log in which another shop has entries too, with a spreadsheet."""
    book = attacked_book
    book.record(3)
    book.record(2, first=50, shop=book.make_shop())
    book.record(3, first=10)
    book.sealer().seal()
    scope = Scope(shop=book.shop)
    folder = book.exporter().export(tmp_path / "export", scope, sheet=True).folder
    return Forger(folder, book.key_file)


@pytest.mark.parametrize("attack", OF_WHAT_IT_IS, ids=lambda attack: attack.__name__)
def test_an_export_that_is_not_what_it_was_made_as_is_found_and_named(part, attack):
    """Left out, relabelled, falsified, unsigned: the signed manifest says what it was."""
    by_key = ("--export", part.folder, "--verifier-key", part.key.verifier)
    assert 0 == verified(*by_key).code
    attack(part)

    told = verified(*by_key)

    assert told.names(*OF_WHAT_IT_IS[attack]), told.found
    assert (1, "changed") == (told.code, told.document["reason"])


@pytest.mark.parametrize("attack", [without_a_parcel, without_the_ends])
def test_figures_that_are_not_those_of_the_lines_are_found_whoever_signed(
    attacked_book, part, attack
):
    """A manifest that the key signed, and whose lines are fewer, contradicts itself."""
    attack(part)
    was = json.loads(part.read("manifest.json"))["left_out"]
    part.mend_manifest(key=part.key, rows=42, left_out=was)

    found = checked(attacked_book, part.folder).problems

    assert "rows: the manifest says 42" in found[0].what


def test_a_part_says_what_part_it_is(attacked_book, part):
    """How many entries of how many, and of which shop; its figures are those of its lines."""
    done = checked(attacked_book, part.folder)

    assert f"43 of {ACTS + 57} entries, shop {attacked_book.shop}" == done.part
    manifest = json.loads(part.read("manifest.json"))
    cash = {"codpaid": {"fulfillments": 6, "amount": "1500000"}}
    assert {attacked_book.shop: {"entries": 43, "fulfillments": 6, "cod": cash}} == manifest[
        "shops"
    ]
    assert ACTS + 14 == manifest["left_out"]


def test_an_export_of_which_no_signature_was_checked_is_not_in_order(attacked_book, part):
    """Without a key nothing is proven; whoever accepts that says so."""
    blind = verify_export(part.folder, Expectations(trust=trusted(())))
    asked = verify_export(part.folder, Expectations(trust=trusted(()), unauthenticated=True))

    assert (False, "unauthenticated") == (blind.ok, blind.reason)
    assert (True, None) == (asked.ok, asked.reason)
