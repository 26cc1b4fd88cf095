"""An export proves itself with nothing but its own files and a key from elsewhere."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import insert, select, update

from carrierflow.audit.export.format import Scope
from carrierflow.audit.export.spreadsheet import record
from carrierflow.audit.log.kept import kept_in
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.sql import all_checkpoints
from carrierflow.audit.verify.database import trusted
from carrierflow.audit.verify.export import Expectations, verify_export
from carrierflow.domain.model import Event, Machine
from carrierflow.errors import (
    DatabaseUnavailable,
    HistoryBroken,
    InvalidInput,
    NotSealed,
    UnknownFulfillment,
    UnknownShop,
)
from carrierflow.storage.tables import fulfillments, terms

from .conftest import ACTS, ROAD


def exported(book, folder, scope=None, **options):
    """Export a scope of a ledger, and return the directory."""
    return book.exporter().export(folder, scope, **options).folder


def checked(book, folder, *, kept=()):
    """Verify an export under the key of its ledger, without the ledger."""
    key = SealKey.load(book.key_file).verifier
    return verify_export(folder, Expectations(trust=trusted([key]), kept=kept))


@pytest.fixture
def sealed(book):
    """A ledger of some parcels, sealed in two goes."""
    book.record(4)
    book.sealer().seal()
    book.clock.advance(days=1)
    book.record(3, first=10)
    book.sealer().seal()
    return book


def test_an_export_holds_everything_that_is_sealed(own_book, tmp_path):
    """On every database: each line is an entry, its digest the hash of the ledger, in log order."""
    book, folder = own_book, tmp_path / "export"
    book.record(4)
    book.sealer().seal()
    book.record(1, first=50)
    done = book.exporter().export(folder)

    lines = (folder / "entries.jsonl").read_bytes().splitlines()
    assert (ACTS + 28, ACTS + 28, 7) == (done.rows, done.size, done.unsealed)
    assert ACTS + 28 == len(lines)
    chains = {}
    for line in lines:
        entry = json.loads(line)
        if "prev" in entry:
            chain = entry["fulfillment_id"], entry["machine"]
            assert chains.get(chain, "0" * 64) == entry["prev"]
            chains[chain] = sha256(line).hexdigest()
        assert (
            line
            == json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        )
    assert checked(book, folder).ok
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (True, ACTS + 28, 7) == (manifest["whole"], manifest["rows"], manifest["unsealed"])


def test_coreutils_check_the_digests(sealed, tmp_path):
    """`sha256sum --check` reads the list as it is."""
    folder = exported(sealed, tmp_path / "export", sheet=True)

    done = subprocess.run(
        [shutil.which("sha256sum"), "--check", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    named = {line.partition(":")[0] for line in done.stdout.splitlines()}
    assert {path.name for path in folder.iterdir()} - {"SHA256SUMS"} == named


@pytest.mark.parametrize(
    ("scope", "parcels", "rows"),
    [
        ({}, 7, 42),
        ({"shop": "mine"}, 7, 42),
        ({"shop": "mine", "fulfillment_id": "2"}, 1, 6),
        ({"since": 1}, 3, 18),
        ({"until": 0}, 4, 24),
    ],
)
def test_a_part_proves_itself(sealed, tmp_path, scope, parcels, rows):
    """By shop, parcel or period: what is in it verifies alone, against the one checkpoint."""
    if "shop" in scope:
        scope = scope | {"shop": sealed.shop}
    for name in {"since", "until"} & set(scope):
        scope[name] = sealed.clock() + timedelta(days=scope[name] - 1)
    folder = exported(sealed, tmp_path / "export", Scope(**scope))

    done = checked(sealed, folder)

    assert done.ok, done.problems
    assert (parcels, rows) == (done.fulfillments, done.rows)


def test_a_period_may_begin_in_the_middle_of_a_parcel(book, tmp_path):
    """A chain that was cut by the period is followed from where it begins."""
    book.record(3, road=ROAD[:1])
    book.clock.advance(days=1)
    book.record(3, road=ROAD[1:])
    book.sealer().seal()

    done = checked(book, exported(book, tmp_path / "export", Scope(since=book.clock())))

    assert done.ok, done.problems
    assert (3, 9) == (done.fulfillments, done.rows)


def test_an_export_holds_what_an_auditor_s_checkpoint_needs(sealed, tmp_path):
    """A part proves that the log still begins as the auditor's checkpoint says."""
    first = [each for each in checkpoints(sealed) if each.seen.size == ACTS + 28]
    scope = Scope(shop=sealed.shop, fulfillment_id="11")
    with_proof = exported(
        sealed, tmp_path / "a", scope, since_checkpoints=[each.seen for each in first]
    )
    without = exported(sealed, tmp_path / "b", scope)

    assert checked(sealed, with_proof, kept=first).ok
    assert () == checked(sealed, with_proof, kept=first).remarks
    done = checked(sealed, without, kept=first)
    assert done.ok
    assert "could not be compared" in done.remarks[0]


def checkpoints(book):
    """Return the checkpoints of a ledger as an auditor keeps them."""
    with book.store.reading() as connection:
        return kept_in("\n".join(all_checkpoints(connection)), where="kept")


def test_several_checkpoints_are_proven_at_once(book, tmp_path):
    """Each of the checkpoints that were kept gets its own proof."""
    for number in range(1, 6):
        book.record(1, first=number)
        book.sealer().seal()
    kept = checkpoints(book)
    folder = exported(
        book,
        tmp_path / "export",
        Scope(shop=book.shop, fulfillment_id="3"),
        since_checkpoints=[each.seen for each in kept[:-1]],
    )

    done = checked(book, folder, kept=kept)

    assert done.ok, done.problems
    assert () == done.remarks


def test_an_export_does_not_hide_that_the_log_was_replaced(sealed, tmp_path):
    """Where a kept checkpoint is none of this log, there is no export that says otherwise."""
    seen = checkpoints(sealed)[0].seen
    forged = type(seen)(origin=seen.origin, size=seen.size, root=bytes(32))

    with pytest.raises(HistoryBroken, match="another history"):
        exported(sealed, tmp_path / "export", since_checkpoints=[forged])


def test_what_cannot_be_exported_is_said(sealed, tmp_path):
    """An unknown scope, a directory in use, and a ledger without a checkpoint are refused."""
    with pytest.raises(UnknownShop):
        exported(sealed, tmp_path / "a", Scope(shop="nobody"))
    with pytest.raises(UnknownFulfillment):
        exported(sealed, tmp_path / "b", Scope(shop=sealed.shop, fulfillment_id="nothing"))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "file").touch()
    with pytest.raises(InvalidInput, match="is not empty"):
        exported(sealed, tmp_path / "c")


def test_an_export_is_whole_or_not_there(sealed, tmp_path):
    """What is lost on the way leaves nothing behind, and an empty directory as empty as it was."""
    place = tmp_path / "exports"
    new, empty = place / "deep" / "new", place / "empty"
    empty.mkdir(parents=True)
    new.parent.mkdir()

    def lose(_):
        raise DatabaseUnavailable("it is gone")

    for folder in (new, empty):
        with pytest.raises(DatabaseUnavailable):
            exported(sealed, folder, progress=lose)
        assert {new.parent, empty} == set(place.rglob("*"))
    for folder in (new, empty):
        assert checked(sealed, exported(sealed, folder)).ok
        assert [] == list(place.rglob("*.unfinished"))


def test_nothing_is_exported_before_it_is_sealed(book, tmp_path):
    """Without a checkpoint there is nothing that an export could prove."""
    book.record(1)

    with pytest.raises(NotSealed):
        exported(book, tmp_path / "export")


def test_the_spreadsheet_is_for_people(sealed, tmp_path):
    """The CSV file has a byte order mark, Vietnamese words, local time, and one row an entry."""
    folder = exported(sealed, tmp_path / "export", sheet=True)

    raw = (folder / "history.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(raw.decode("utf-8-sig").splitlines())
    assert 42 == len(rows)
    assert {len(heading)} == {len(row) for row in rows}
    delivered = next(row for row in rows if row[10] == "delivered")
    assert ["Giao hàng", "Đang giao hàng", "Đã giao hàng"] == [delivered[n] for n in (6, 8, 9)]
    assert "2026-03-01 15:00:00" == delivered[15]
    proof = sealed.sealer().prove(sealed.shop, delivered[3], Machine.DELIVERY, int(delivered[7]))
    assert sha256(proof.entry.encode()).hexdigest() == delivered[18]


def test_the_spreadsheet_shows_the_waybill_and_the_amount_of_that_moment(book, tmp_path):
    """Under their Vietnamese names stand what was agreed when the step was recorded."""
    book.record(1, road=ROAD[:1])
    with book.store.begin() as connection:
        parcel = connection.execute(select(fulfillments.c.id)).scalar_one()
        terms_of = {"fulfillment": parcel, "carrier_code": "", "source": "operator"}
        values = {"number": 1, "tracking_number": "VN0001", "cod_amount": 99_000}
        who = {"actor": "dispatcher", "reason": "agreed anew", "recorded_at": book.clock()}
        connection.execute(insert(terms), terms_of | values | who)
        head = update(fulfillments).values(tracking_number="VN0001", cod_amount=99_000)
        connection.execute(head)
    book.clock.advance(minutes=1)
    book.sealer().seal()
    for status in ROAD[1:]:
        book.ledger.record(Event(shop=book.shop, fulfillment_id="1", status=status))
    book.sealer().seal()

    folder = exported(book, tmp_path / "export", sheet=True)

    rows = csv.DictReader((folder / "history.csv").read_text("utf-8-sig").splitlines())
    seen = [(row["Mã vận đơn"], row["Tiền thu hộ (đồng)"]) for row in rows]
    assert ("", "250000") == seen[0]
    assert ("VN0001", "99000") == seen[-1]
    assert checked(book, folder).ok


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *((text, f"'{text}") for text in ("=1+1", "+84 90", "-1", "@SUM(A1)")),
        *(("\tx", r"\tx"), ("\r\n=1", r"\r\n=1"), ("a\x1b[2J\u202eb", r"a\x1b[2J\u202eb")),
    ],
)
def test_no_cell_is_a_formula_or_steers_anything(text, cell):
    """What would be computed is marked as text, what does not print has its code; numbers stay."""
    written = io.StringIO(record([text, -1]).decode(), newline="")

    assert [[cell, "-1"]] == list(csv.reader(written))


def test_a_large_export_is_read_in_shares(sealed, tmp_path, monkeypatch):
    """However many temporary files it takes, every parcel is replayed once."""
    folder = exported(sealed, tmp_path / "export")
    monkeypatch.setattr("carrierflow.audit.verify.export.SHARE_BYTES", 1_000)

    done = checked(sealed, folder)

    assert done.ok, done.problems
    assert (7, 42) == (done.fulfillments, done.rows)


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"form": "other/9", "scope": {}}'])
def test_what_is_no_export_is_refused(tmp_path, manifest):
    """A directory without a manifest of ours is said to be none."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)

    with pytest.raises(InvalidInput):
        verify_export(tmp_path, Expectations(trust=trusted(())))
