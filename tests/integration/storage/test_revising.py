"""What was agreed about a parcel may be agreed anew: each time a row of its own, and none lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status, Verdict
from carrierflow.domain.revision import Terms
from carrierflow.errors import (
    CashCollected,
    InvalidInput,
    TermsDiffer,
    TrackingNumberTaken,
    UnknownFulfillment,
    UnknownShop,
    UnknownTrackingNumber,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore
from carrierflow.storage.tables import fulfillments, history, terms


LAN = {"actor": "lan", "reason": "seller asked"}
ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)


@pytest.fixture
def written(store):
    """Read everything that stands of a parcel."""

    def read(parcel):
        of = {fulfillments: fulfillments.c.id, terms: terms.c.fulfillment}
        of[history] = history.c.fulfillment
        with store.reading() as connection:
            return {
                table.name: [
                    dict(row._mapping)
                    for row in connection.execute(select(table).where(number == parcel.id))
                ]
                for table, number in of.items()
            }

    return read


@pytest.fixture
def agreed(written):
    """Read what was agreed about a parcel, oldest first."""
    names = ("number", "cod_amount", "tracking_number", "source", "actor", "reason")

    def read(parcel):
        rows = sorted(written(parcel)["carrierflow_terms"], key=lambda row: row["number"])
        return [tuple(row[name] for name in names) for row in rows]

    return read


def tell(ledger, parcel, *statuses):
    """Record some events of a parcel."""
    for status in statuses:
        event = Event(shop=parcel.ref.shop, fulfillment_id=parcel.ref.fulfillment_id, status=status)
        assert Verdict.ACCEPTED is ledger.record(event).verdict


def test_a_revision_stands_beside_what_was_agreed_before(
    ledger, make_parcel, written, agreed, clock
):
    """Each revision is a row with its actor, reason and time; the parcel says what holds now."""
    parcel = make_parcel(cod_amount=510_000, tracking_number="VN1")
    clock.advance(hours=1)
    first = ledger.revise(parcel.ref, cod_amount=450_000, **LAN)
    clock.advance(hours=1)
    second = ledger.revise(parcel.ref, tracking_number="VN2", actor="mai", reason="relabelled")

    assert (1, True, 510_000, 450_000) == (
        first.number,
        first.changed,
        first.before.cod_amount,
        first.after.cod_amount,
    )
    assert (2, Terms(cod_amount=450_000, tracking_number="VN2")) == (second.number, second.after)
    assert [
        (0, 510_000, "VN1", "rule", None, None),
        (1, 450_000, "VN1", "operator", "lan", "seller asked"),
        (2, 450_000, "VN2", "operator", "mai", "relabelled"),
    ] == agreed(parcel)
    (row,) = written(parcel)["carrierflow_fulfillments"]
    assert (450_000, "VN2", 3) == (row["cod_amount"], row["tracking_number"], row["version"])
    assert clock() == written(parcel)["carrierflow_terms"][-1]["recorded_at"]


def test_the_same_once_more_writes_nothing(ledger, make_parcel, written):
    """Who asks again for what is agreed is told so, and no row changes."""
    parcel = make_parcel(cod_amount=510_000, tracking_number="VN1")
    ledger.revise(parcel.ref, cod_amount=450_000, **LAN)
    before = written(parcel)
    again = ledger.revise(parcel.ref, cod_amount=450_000, tracking_number="VN1", **LAN)

    assert (1, False) == (again.number, again.changed)
    assert "nothing was written" in again.sentence
    assert before == written(parcel)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, InvalidInput),
        ({"cod_amount": -1}, InvalidInput),
        ({"cod_amount": 10**12 + 1}, InvalidInput),
        ({"cod_amount": 5.5}, InvalidInput),
        ({"cod_amount": True}, InvalidInput),
        ({"tracking_number": ""}, InvalidInput),
        ({"tracking_number": " VN3"}, InvalidInput),
        ({"tracking_number": "V" * 129}, InvalidInput),
        ({"tracking_number": "V\0"}, InvalidInput),
        ({"cod_amount": 1, "actor": " "}, InvalidInput),
        ({"cod_amount": 1, "reason": ""}, InvalidInput),
        ({"cod_amount": 1, "reason": "r" * 256}, InvalidInput),
        ({"cod_amount": 1, "tracking_number": "TAKEN"}, TrackingNumberTaken),
        ({"cod_amount": 1, "ref": {"fulfillment_id": "none"}}, UnknownFulfillment),
        ({"cod_amount": 1, "ref": {"order_id": "another"}}, InvalidInput),
        ({"cod_amount": 1, "ref": {"shop": "none"}}, UnknownShop),
    ],
)
def test_what_cannot_be_agreed_leaves_all_as_it_is(ledger, make_parcel, written, wrong, error):
    """Each refusal is a sentence, and neither the parcel nor its terms change."""
    make_parcel(tracking_number="TAKEN")
    parcel = make_parcel(cod_amount=510_000, tracking_number="VN1")
    before = written(parcel)
    names = {name: getattr(parcel.ref, name) for name in ("shop", "order_id", "fulfillment_id")}
    ref = FulfillmentRef(**{**names, **wrong.get("ref", {})})
    given = {**LAN, **{name: value for name, value in wrong.items() if name != "ref"}}

    with pytest.raises(error) as refused:
        ledger.revise(ref, **given)
    assert str(refused.value).endswith(".")
    assert before == written(parcel)


@pytest.mark.parametrize("last", [Status.CODPAID, Status.CODRECEIPT])
def test_collected_cash_is_corrected_and_not_revised(ledger, make_parcel, agreed, last):
    """Once the cash was collected its amount changes only by what calls itself a correction."""
    parcel = make_parcel(cod_amount=510_000)
    tell(ledger, parcel, *ROAD, *([last] if last is Status.CODRECEIPT else []))

    with pytest.raises(CashCollected):
        ledger.revise(parcel.ref, cod_amount=450_000, **LAN)
    assert 1 == len(agreed(parcel))
    assert not ledger.revise(parcel.ref, tracking_number="VN9", **LAN).corrects
    corrected = ledger.revise(parcel.ref, cod_amount=450_000, correction=True, **LAN)
    assert corrected.corrects
    assert [0, 1, 2] == [row[0] for row in agreed(parcel)]


def test_a_correction_that_takes_more_people_is_proposed(store, ledger, make_parcel, clock, agreed):
    """Where one person does not correct alone, nothing is written that one person says."""
    parcel = make_parcel(cod_amount=510_000)
    tell(ledger, parcel, *ROAD)
    pending = make_parcel(cod_amount=90_000)
    careful = Ledger(store, Lifecycle(DEFAULT), clock=clock, amends_alone=False)

    for ref, amount in ((parcel.ref, 450_000), (pending.ref, 0)):
        with pytest.raises(InvalidInput, match="more people"):
            careful.revise(ref, cod_amount=amount, correction=True, **LAN)
    assert 1 == len(agreed(parcel)) == len(agreed(pending))
    assert careful.revise(pending.ref, cod_amount=80_000, **LAN).changed


def test_the_cash_follows_its_amount(ledger, make_parcel, written):
    """Without an amount the cash is none, with one at last it is pending: both by a correction."""
    parcel = make_parcel(cod_amount=510_000)
    none = ledger.revise(parcel.ref, cod_amount=0, **LAN)
    due = ledger.revise(parcel.ref, cod_amount=20_000, **LAN)
    tell(ledger, parcel, *ROAD)

    steps = [
        (row["from_status"], row["to_status"], row["amends"], row["actor"])
        for row in written(parcel)["carrierflow_history"]
        if row["machine"] == "cod"
    ]
    assert [
        ("start", "codpending", None, None),
        ("codpending", "none", 1, "lan"),
        ("none", "codpending", 2, "lan"),
        ("codpending", "codpaid", None, None),
    ] == steps
    assert [["none"], ["codpending"]] == [[e.to_status for e in r.entries] for r in (none, due)]


def test_a_parcel_is_found_by_the_number_that_was_agreed_last(ledger, make_parcel):
    """A scan names its parcel by the new waybill; the one before is nobody's."""
    parcel = make_parcel(tracking_number="OLD")
    ledger.revise(parcel.ref, tracking_number="NEW", **LAN)
    shop = parcel.ref.shop

    found = ledger.record(Event(shop=shop, tracking_number="NEW", status=Status.PICKING))
    assert parcel.ref == found.ref
    with pytest.raises(UnknownTrackingNumber):
        ledger.record(Event(shop=shop, tracking_number="OLD", status=Status.DELIVERING))


def test_what_opens_it_again_may_be_older_than_its_revision(ledger, make_parcel, written):
    """An opening with any amount that was ever agreed is the same one; with another, it is not."""
    parcel = make_parcel(cod_amount=510_000)
    ledger.revise(parcel.ref, cod_amount=450_000, **LAN)
    before = written(parcel)

    for amount in (None, 510_000, 450_000):
        assert 450_000 == ledger.open(Opening(ref=parcel.ref, cod_amount=amount)).cod_amount
    with pytest.raises(TermsDiffer, match="revise"):
        ledger.open(Opening(ref=parcel.ref, cod_amount=1))
    assert before == written(parcel)


def test_a_host_that_rolls_back_has_revised_nothing(engine, make_parcel, written, clock):
    """A revision in the host's transaction is there once the host commits, and not before."""
    parcel = make_parcel(cod_amount=510_000)
    before = written(parcel)
    with engine.connect() as host:
        joined = Ledger(JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock)
        joined.revise(parcel.ref, cod_amount=0, **LAN)
        host.rollback()
        assert before == written(parcel)
        joined.revise(parcel.ref, cod_amount=0, **LAN)
        host.commit()

    assert 2 == len(written(parcel)["carrierflow_terms"])


def test_revisions_that_meet_follow_each_other(ledger, make_parcel, agreed):
    """Of revisions at one moment none is lost, and their numbers leave none out."""
    parcel = make_parcel(cod_amount=510_000)
    amounts = range(1, 13)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda amount: ledger.revise(parcel.ref, cod_amount=amount, **LAN), amounts))

    assert [*range(13)] == [row[0] for row in agreed(parcel)]
    assert {510_000, *amounts} == {row[1] for row in agreed(parcel)}
