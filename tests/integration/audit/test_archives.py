"""What was exported long ago verifies for ever, whatever was erased or recorded since."""

from __future__ import annotations

from datetime import timedelta

from carrierflow.audit.erasure import Retention
from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.verify.database import trusted
from carrierflow.audit.verify.export import Expectations, verify_export
from carrierflow.domain.model import Event, Status
from carrierflow.storage.tables import fulfillments


CANARY = "Mrs Mai, 0901 234 567"
YEAR = timedelta(days=365)


def year_of(book, number):
    """Record some parcels that name people, close them, and seal."""
    book.record(3, first=number)
    book.ledger.record(
        Event(
            shop=book.shop,
            fulfillment_id=f"{number}",
            status=Status.CODRECEIPT,
            actor="cashier-1",
            note=CANARY,
        )
    )
    with book.store.begin() as connection:
        closing = fulfillments.update().where(fulfillments.c.open)
        connection.execute(closing.values(open=False, settled_at=book.clock()))
    book.sealer().seal()


def is_sound(book, folder):
    """Verify an archive alone, under the key of its ledger."""
    key = SealKey.load(book.key_file).verifier
    done = verify_export(folder, Expectations(trust=trusted([key]), kept=()))
    return done.ok and done.rows


def test_an_archived_year_verifies_after_its_notes_are_erased(own_book, tmp_path):
    """A year that was exported verifies alone, names nobody, and is exported the same again."""
    book, archive, again = own_book, tmp_path / "archive", tmp_path / "again"
    first_year = Scope(until=book.clock())
    year_of(book, 1)
    book.clock.advance(seconds=1)
    book.exporter().export(archive, first_year)
    for number in (100, 200):
        book.clock.advance(YEAR)
        year_of(book, number)
    retention = Retention(book.store, days=400, clock=book.clock)

    assert 1 == retention.erase_past().notes

    assert 19 == is_sound(book, archive)
    book.exporter().export(again, first_year)
    assert 19 == is_sound(book, again)
    same = [(folder / "entries.jsonl").read_bytes() for folder in (archive, again)]
    assert same[0] == same[1]
    assert not [file for file in archive.iterdir() if CANARY.encode() in file.read_bytes()]
