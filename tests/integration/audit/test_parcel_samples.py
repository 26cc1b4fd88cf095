"""Samples of parcels follow from what was sealed, on each database, and can be drawn without us."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import select

from carrierflow.app.settings import Settings
from carrierflow.audit.reports.reports import Reports
from carrierflow.audit.sampling.population import Stratum
from carrierflow.audit.sampling.sample_plan import SampleMethod, SamplePlan
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import Status
from carrierflow.storage.tables import fulfillments, terms


def reports_of(book):
    return Reports(
        book.store.snapshot, DEFAULT, verify_within=Settings().verify_within, clock=book.clock
    )


def revise(book, fulfillment_id, amount):
    """Agree on another amount for a parcel."""
    with book.store.begin() as connection:
        query = select(terms).join(fulfillments, fulfillments.c.id == terms.c.fulfillment)
        row = connection.execute(query.where(fulfillments.c.fulfillment_id == fulfillment_id)).one()
        changed = {"number": 1, "cod_amount": amount, "actor": "lan", "reason": "misread"}
        kept = {name: value for name, value in row._asdict().items() if name != "id"}
        moment = {"recorded_at": book.clock()}
        connection.execute(terms.insert().values(**kept | changed | moment))


def drawn_by_hand(folder, seed, interval):
    """Draw by amount from an export, by what the documentation says and nothing else."""
    size = json.loads((folder / "manifest.json").read_text("utf-8"))
    amounts = {}
    for line in (folder / "entries.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry.get("kind") in {"opening", "revision"}:
            amounts[entry["shop"], entry["fulfillment_id"]] = int(entry["cod_amount"])
    line = f"{seed} {size['root']} 1".encode()
    following, passed, found = int(hashlib.sha256(line).hexdigest(), 16) % interval, 0, []
    for (_, fulfillment_id), amount in amounts.items():
        passed += amount
        if passed > following:
            found.append(fulfillment_id)
            while following < passed:
                following += interval
    return found


def test_a_sample_by_amount_is_the_one_that_an_export_gives(own_book, tmp_path):
    """Whoever has the export draws the same; revisions count once they are sealed, not before."""
    plan = SamplePlan(
        method=SampleMethod.AMOUNT, seed="lottery-0412", materiality=2_000_000, shop=own_book.shop
    )
    own_book.record(20)
    size = own_book.sealer().seal().checkpoint.checkpoint.size
    before = reports_of(own_book).draw(plan)
    revise(own_book, "3", 9_000_000)
    assert before == reports_of(own_book).draw(plan)

    own_book.sealer().seal()
    own_book.exporter().export(tmp_path / "export")
    after = reports_of(own_book).draw(plan)
    assert 19 * 250_000 + 9_000_000 == after.amount
    by_hand = drawn_by_hand(tmp_path / "export", plan.seed, plan.interval)
    assert by_hand == [each.unit.ref.fulfillment_id for each in after.drawn]
    assert "3" in by_hand
    assert before == reports_of(own_book).draw(plan, size=size)


def test_where_parcels_stood_is_what_was_sealed(own_book):
    """A status chooses the parcels that stood there at the checkpoint, not who came since."""
    own_book.record(5)
    own_book.record(3, first=6, road=(Status.PICKING,))
    size = own_book.sealer().seal().checkpoint.checkpoint.size
    own_book.record(2, first=6, road=(Status.DELIVERING, Status.DELIVERED))
    own_book.sealer().seal()

    for status, parcels in ((Status.DELIVERED, 5), (Status.CODPAID, 5), (Status.PICKING, 3)):
        plan = SamplePlan(method=SampleMethod.PARCELS, seed="s", status=status)
        assert parcels == reports_of(own_book).draw(plan, size=size).parcels
    plan = SamplePlan(method=SampleMethod.STRATA, by=Stratum.DELIVERY, seed="s")
    drawn = reports_of(own_book).draw(plan, size=size)
    assert {"delivered": 5, "picking": 3} == {s.name: s.parcels for s in drawn.strata}
