from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from carrierflow.domain.canonical import entry_hash, stamp
from carrierflow.domain.fulfillment import GENESIS
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle, define
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    Machine,
    Opening,
    Source,
    Status,
    Verdict,
)
from carrierflow.errors import (
    BadTime,
    InvalidInput,
    KeyReused,
    MissingSecretKey,
    TermsDiffer,
    UnknownFulfillment,
    UnknownShop,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage.rows import entry_from
from carrierflow.storage.tables import definitions, evidence, fulfillments, history, notes


@pytest.fixture
def record(ledger, shop, clock):
    """Record an event of a parcel, so many minutes before now, and return what became of it."""

    def send(parcel, word, ago=None, **fields):
        moment = None if ago is None else clock() - timedelta(minutes=ago)
        return ledger.record(
            Event(
                shop=shop,
                fulfillment_id=parcel.ref.fulfillment_id,
                status=Status(word),
                occurred_at=moment,
                **fields,
            )
        )

    return send


@pytest.fixture
def entries(engine):
    """Read a parcel's history, delivery before cash, each with its definition's id."""

    def read(parcel):
        query = (
            select(history, definitions.c.id.label("definition_id"))
            .join(definitions, definitions.c.number == history.c.definition)
            .where(history.c.fulfillment == parcel.id)
            .order_by(history.c.machine.desc(), history.c.seq)
        )
        with engine.connect() as connection:
            return [entry_from(row, row.definition_id) for row in connection.execute(query)]

    return read


@pytest.fixture
def kept(engine):
    """Read the evidence of a parcel, in the order in which it came."""

    def read(parcel):
        query = select(evidence).where(evidence.c.fulfillment == parcel.id).order_by(evidence.c.id)
        with engine.connect() as connection:
            return connection.execute(query).all()

    return read


@pytest.fixture
def head(engine):
    """Read where a parcel stands."""

    def read(parcel):
        query = select(fulfillments).where(fulfillments.c.id == parcel.id)
        with engine.connect() as connection:
            return connection.execute(query).one()

    return read


def steps(found):
    """Return entries as `from>to`, with a question mark where a step is inferred."""
    return [f"{e.from_status}>{e.to_status}{'?' * e.inferred}" for e in found]


def test_opening_writes_both_first_entries(make_parcel, entries):
    """A new fulfillment stands at readytopick, with its cash pending or none, by rule."""
    with_cash, without = make_parcel(cod_amount=5), make_parcel()

    assert ["start>readytopick", "start>codpending"] == steps(entries(with_cash))
    assert ["start>readytopick", "start>none"] == steps(entries(without))
    assert {Source.RULE} == {entry.source for entry in entries(with_cash)}


def test_opening_again_changes_nothing(make_parcel, ledger, entries):
    """Opening what is open returns it as it is; another amount or order is an error."""
    first = make_parcel(cod_amount=5)

    assert first == ledger.open(Opening(ref=first.ref, cod_amount=5))
    assert first == ledger.open(Opening(ref=first.ref))
    assert 2 == len(entries(first))
    with pytest.raises(InvalidInput, match="5 đồng"):
        ledger.open(Opening(ref=first.ref, cod_amount=6))
    with pytest.raises(InvalidInput, match="belongs to order"):
        ledger.open(Opening(ref=replace(first.ref, order_id="other")))


# what came before, each with minutes ago · the event · verdict · reason · where the parcel is then
VERDICTS = {
    "legal next step": ([], ("picking", 9), "accepted", "legal_step", "picking"),
    "the same status again": (
        [("picking", 9)],
        ("picking", 8),
        "refused",
        "same_status",
        "picking",
    ),
    "a step too far": ([], ("delivered", 9), "refused", "illegal_step", "readytopick"),
    "a step back": ([("picking", 9)], ("readytopick", 8), "refused", "illegal_step", "picking"),
    "after the end": ([("cancel", 9)], ("picking", 8), "refused", "final_status", "cancel"),
    "older than the state": (
        [("picking", 5)],
        ("delivering", 9),
        "late",
        "older_than_state",
        "picking",
    ),
    "what opening presumed": ([], ("readytopick", 9), "late", "confirms_inferred", "readytopick"),
    "never written": ([], ("codnotreceipt", 9), "refused", "never_written", "readytopick"),
    "cash before delivery": ([], ("codpaid", 9), "refused", "coupling", "readytopick"),
    "cash handed over before it was there": (
        [("picking", 9), ("delivering", 8), ("delivered", 5)],
        ("codreceipt", 6),
        "refused",
        "before_collection",
        "delivered",
    ),
    "cash handed over unpaid": ([], ("codreceipt", 9), "refused", "illegal_step", "readytopick"),
}


@pytest.mark.parametrize(
    ("before", "event", "verdict", "reason", "place"), VERDICTS.values(), ids=list(VERDICTS)
)
def test_verdicts(make_parcel, record, head, before, event, verdict, reason, place):
    """Each kind of event gets its verdict, and moves the parcel only where it is accepted."""
    parcel = make_parcel(cod_amount=5)
    for word, ago in before:
        assert "accepted" == record(parcel, word, ago).verdict

    answer = record(parcel, *event)

    assert (verdict, reason, place) == (answer.verdict, answer.reason, answer.carrier_status)
    assert place == head(parcel).delivery_status
    assert answer.sentence.endswith(".")


@pytest.mark.parametrize(
    ("word", "ago", "verdict"),
    [("picking", 9, "accepted"), ("delivered", 9, "refused"), ("readytopick", 9, "late")],
)
def test_the_same_event_again_is_a_duplicate(
    make_parcel, record, entries, kept, word, ago, verdict
):
    """A key that comes again with the same content gives the first verdict and writes nothing."""
    parcel = make_parcel()
    first = record(parcel, word, ago, key="k")
    before = (entries(parcel), kept(parcel))

    for again in (record(parcel, word, ago, key="k"), record(parcel, word, key="k")):
        assert ("duplicate", verdict) == (again.verdict, again.first)
        assert first.carrier_status == again.carrier_status
    assert verdict == first.verdict
    assert before == (entries(parcel), kept(parcel))


def test_without_a_key_status_and_time_are_it(make_parcel, record):
    """An event without a key is known again by its status and its time."""
    parcel = make_parcel()
    record(parcel, "picking", 9)

    assert "duplicate" == record(parcel, "picking", 9).verdict
    assert "same_status" == record(parcel, "picking", 8).reason


@pytest.mark.parametrize(("word", "ago"), [("delivering", 9), ("picking", 8)])
def test_a_key_with_other_content_is_an_error(make_parcel, record, entries, kept, word, ago):
    """A key that comes again with another status or time is an error, and nothing is written."""
    parcel = make_parcel()
    record(parcel, "picking", 9, key="k")
    before = (entries(parcel), kept(parcel))

    with pytest.raises(KeyReused, match="'k'"):
        record(parcel, word, ago, key="k")

    assert before == (entries(parcel), kept(parcel))


def test_a_key_is_a_fulfillments_own(make_parcel, record):
    """Two fulfillments may use one key."""
    for parcel in (make_parcel(), make_parcel()):
        assert "accepted" == record(parcel, "picking", 9, key="k").verdict


def test_a_refused_event_waits_for_what_was_missing(make_parcel, record, entries, kept):
    """An event that came too early enters the history when the step before it arrives."""
    parcel = make_parcel()
    assert "illegal_step" == record(parcel, "delivering", 8, key="b").reason

    answer = record(parcel, "picking", 9, key="a")

    assert ["readytopick>picking", "picking>delivering"] == steps(answer.entries)
    assert "delivering" == answer.carrier_status
    assert ["b"] == [row.event_key for row in kept(parcel)]
    assert Verdict.ACCEPTED == record(parcel, "delivering", 8, key="b").first
    assert ["start>readytopick", "readytopick>picking", "picking>delivering"] == steps(
        e for e in entries(parcel) if e.machine == "delivery"
    )


def test_gaps_are_filled_and_confirmed(make_parcel, record, entries, kept):
    """Missed steps are inferred where that is allowed, and confirmed when their scans arrive."""
    parcel = make_parcel()

    filled = record(parcel, "delivered", 5, fill_gaps=True)
    late = record(parcel, "picking", 9)

    assert ("accepted", "gap_filled") == (filled.verdict, filled.reason)
    assert [
        "readytopick>picking?",
        "picking>delivering?",
        "delivering>delivered",
    ] == steps(filled.entries)
    assert ("late", "older_than_state") == (late.verdict, late.reason)
    assert [2] == [row.confirms for row in kept(parcel)]
    assert [1] * 2 == [len({e.occurred_at for e in filled.entries}), len(kept(parcel))]


def test_gaps_are_not_filled_unasked_or_where_no_road_leads(make_parcel, record):
    """Without leave nothing is inferred; and no road leads out of a final status."""
    parcel = make_parcel()

    assert "illegal_step" == record(parcel, "delivering", 9).reason
    record(parcel, "cancel", 5)
    assert "final_status" == record(parcel, "delivering", 4, fill_gaps=True).reason


def test_filling_gaps_does_not_invent_paid_cash(make_parcel, record, head):
    """Cash is not inferred to be paid before the parcel was delivered, whatever may be filled."""
    parcel = make_parcel(cod_amount=5)

    answer = record(parcel, "codreceipt", 3, fill_gaps=True)

    assert ("refused", "coupling", "codpending") == (
        answer.verdict,
        answer.reason,
        head(parcel).cod_status,
    )
    done = record(parcel, "delivered", 5, fill_gaps=True)
    assert ("delivered", "codreceipt") == (done.carrier_status, done.cod_status)


def test_delivered_brings_paid_with_it(make_parcel, record, entries):
    """Delivering a parcel with cash records that it was paid, caused by the delivered entry."""
    parcel = make_parcel(cod_amount=5)
    record(parcel, "delivering", 9, fill_gaps=True)

    answer = record(parcel, "delivered", 5)

    paid = entries(parcel)[-1]
    assert ("delivered", "codpaid") == (answer.carrier_status, answer.cod_status)
    assert ("codpaid", "delivery:4", Source.RULE) == (paid.to_status, paid.cause, paid.source)
    assert "confirms_inferred" == record(parcel, "codpaid", 4).reason
    assert "accepted" == record(parcel, "codreceipt", 3).verdict


def test_cash_may_be_counted_separately(engine, make_store, make_ledger, make_shop, clock):
    """Where a carrier says so, delivered leaves the cash pending until it is told of itself."""
    definition = define(paid_on_delivery=False)
    store = make_store(engine, definition)
    ledger, code = make_ledger(store, definition), make_shop(store)
    mine = {"shop": code, "fulfillment_id": "1"}
    ref = FulfillmentRef(order_id="1", **mine)
    ledger.open(Opening(ref=ref, cod_amount=5))

    delivered = ledger.record(Event(status=Status.DELIVERED, fill_gaps=True, **mine))
    clock.advance(minutes=1)
    paid = ledger.record(Event(status=Status.CODPAID, **mine))

    assert ("codpending", "codpaid") == (delivered.cod_status, paid.cod_status)


def test_an_amendment_needs_no_step_but_a_name(make_parcel, ledger, record, entries, shop):
    """A correction moves a parcel anywhere, with actor, reason and the entry corrected."""
    parcel = make_parcel()
    record(parcel, "cancel", 9)
    wrong = Event(shop=shop, fulfillment_id=parcel.ref.fulfillment_id, status=Status.PICKING)

    with pytest.raises(InvalidInput, match="actor and a reason"):
        ledger.amend(wrong)
    answer = ledger.amend(replace(wrong, actor="Lan", reason="wrong button"))

    entry = [e for e in entries(parcel) if e.machine == "delivery"][-1]
    assert ("accepted", "amended", "picking") == (
        answer.verdict,
        answer.reason,
        answer.carrier_status,
    )
    assert ("cancel", "picking", 2, "Lan", "wrong button") == (
        entry.from_status,
        entry.to_status,
        entry.amends,
        entry.actor,
        entry.reason,
    )
    assert "accepted" == record(parcel, "delivering").verdict


def test_every_entry_is_chained(make_parcel, record, entries):
    """Each entry's hash covers what is read back of it and the hash of the one before it."""
    parcel = make_parcel(cod_amount=5)
    record(parcel, "delivered", 5, fill_gaps=True, actor="Lan", reason="ở cửa", key="k")

    previous = {Machine.DELIVERY: GENESIS, Machine.COD: GENESIS}
    for entry in entries(parcel):
        assert previous[entry.machine] == entry.prev_hash
        assert entry_hash(parcel.ref, entry) == entry.hash
        assert DEFAULT.id == entry.definition
        previous[entry.machine] = entry.hash
    assert 6 == len(entries(parcel))


def test_the_head_says_what_the_history_says(make_parcel, record, head, entries):
    """The mutable row agrees with the last entries, and counts what is not published."""
    parcel = make_parcel(cod_amount=5)
    record(parcel, "delivered", 5, fill_gaps=True)

    row, found = head(parcel), entries(parcel)
    assert (found[3].to_status, found[3].seq, found[3].hash) == (
        row.delivery_status,
        row.delivery_seq,
        row.delivery_hash,
    )
    assert (found[5].to_status, found[5].seq, found[5].hash) == (
        row.cod_status,
        row.cod_seq,
        row.cod_hash,
    )
    assert 6 == row.unpublished


def test_a_note_is_sealed_and_kept_once(make_parcel, record, engine, entries):
    """A note is not readable in the database, and a duplicate leaves no second one."""
    parcel = make_parcel()
    for _ in range(2):
        record(parcel, "picking", 9, key="k", note="Bà Hoa, tầng 3")
    with pytest.raises(KeyReused):
        record(parcel, "picking", 8, key="k", note="Ông Nam")

    mine = select(notes).where(notes.c.fulfillment == parcel.id)
    with engine.connect() as connection:
        (row,) = connection.execute(mine).all()
    assert b"Hoa" not in row.sealed
    assert row.digest == entries(parcel)[1].note_digest


def test_a_note_needs_a_key(store, make_parcel, shop, clock):
    """Without a secret key a note is refused, and its event with it."""
    parcel = make_parcel()
    ledger = Ledger(store, Lifecycle(DEFAULT), clock=clock)
    event = Event(
        shop=shop, fulfillment_id=parcel.ref.fulfillment_id, status=Status.PICKING, note="n"
    )

    with pytest.raises(MissingSecretKey):
        ledger.record(event)
    assert "accepted" == ledger.record(replace(event, note=None)).verdict


def test_what_is_unknown_is_named(make_parcel, ledger, shop, clock):
    """An unknown shop or fulfillment and an impossible time each have an error of their own."""
    parcel = make_parcel()
    event = Event(shop=shop, fulfillment_id=parcel.ref.fulfillment_id, status=Status.PICKING)

    with pytest.raises(UnknownShop):
        ledger.record(replace(event, shop="nowhere"))
    with pytest.raises(UnknownFulfillment):
        ledger.record(replace(event, fulfillment_id="nothing"))
    with pytest.raises(BadTime, match="day ahead"):
        ledger.record(replace(event, occurred_at=clock() + timedelta(days=2)))
    with pytest.raises(BadTime, match="no time zone"):
        ledger.record(replace(event, occurred_at=clock().replace(tzinfo=None)))


def test_probing_writes_nothing(make_parcel, ledger, shop, entries, kept, engine):
    """Asking what would become of an event leaves no entry, no evidence and no note."""
    parcel = make_parcel()
    event = Event(shop=shop, fulfillment_id=parcel.ref.fulfillment_id, status=Status.PICKING)
    before = (entries(parcel), kept(parcel))

    assert "accepted" == ledger.probe(replace(event, note="n")).verdict
    assert "refused" == ledger.probe(replace(event, status=Status.RETURN)).verdict

    assert before == (entries(parcel), kept(parcel))
    with engine.connect() as connection:
        mine = select(func.count()).select_from(notes).where(notes.c.fulfillment == parcel.id)
        assert 0 == connection.execute(mine).scalar()


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_bulk_answers_every_row_in_order(make_parcel, ledger, shop, clock, record, chunk):
    """Each row of a bulk recording has its own answer, in its place, across chunks."""
    parcel, other = make_parcel(), make_parcel()
    record(parcel, "picking", 30, key="seen")
    mine = {"shop": shop, "fulfillment_id": parcel.ref.fulfillment_id}
    moment = {"occurred_at": clock() - timedelta(minutes=20)}
    new = {"shop": shop, "fulfillment_id": "new"}
    opening = Opening(ref=replace(parcel.ref, fulfillment_id="new"), cod_amount=7)
    rows = [
        (Event(status=Status.PICKING, key="seen", **mine), "duplicate"),
        (Event(status=Status.DELIVERING, key="seen", **mine), KeyReused),
        (Event(status=Status.DELIVERING, **mine, **moment), "accepted"),
        (Event(status=Status.DELIVERING, **mine, **moment), "duplicate"),
        (Event(status=Status.PICKING, **(mine | {"shop": "nowhere"})), UnknownShop),
        (Event(status=Status.PICKING, **(mine | {"fulfillment_id": "none"})), UnknownFulfillment),
        (Event(status=Status.RETURN, **mine), "refused"),
        (Event(status=Status.PICKING, key=" ", **mine), InvalidInput),
        (Event(status=Status.PICKING, opening=opening, **new), "accepted"),
        (Event(status=Status.PICKING, opening=replace(opening, cod_amount=8), **new), TermsDiffer),
        (Event(status=Status.DELIVERING, **new, **moment), "late"),
        (
            Event(status=Status.PICKING, opening=replace(opening, ref=other.ref), **mine),
            InvalidInput,
        ),
    ]

    answers = ledger.record_many([event for event, _ in rows], chunk=chunk)
    found = [type(a) if isinstance(a, Exception) else str(a.verdict) for a in answers]
    assert [wanted for _, wanted in rows] == found


def test_a_long_bulk_is_counted_out_as_it_was_counted_in(make_parcel, ledger, shop, clock):
    """Counts out equal counts in, and recording the same rows again adds nothing."""
    parcels = [make_parcel(cod_amount=n % 2) for n in range(30)]
    words = ("picking", "delivering", "delivered", "return")
    rows = [
        Event(
            shop=shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=Status(word),
            occurred_at=clock() - timedelta(minutes=60 - number),
        )
        for number, word in enumerate(words)
        for parcel in parcels
    ]

    first = [a.verdict for a in ledger.record_many(rows, chunk=17)]
    second = [a.verdict for a in ledger.record_many(rows)]

    assert [Verdict.ACCEPTED] * 90 + [Verdict.REFUSED] * 30 == first
    assert [Verdict.DUPLICATE] * 120 == second


def test_the_hour_that_a_clock_shows_twice_is_two(make_parcel, ledger, shop, store):
    """Where summer ends, a scanner's clock shows an hour twice: two scans, an hour apart.

    Python takes the two for equal, for they are of one zone and show the same.
    """
    parcel = make_parcel()
    zone = ZoneInfo("America/New_York")
    first = datetime(2025, 11, 2, 1, 30, tzinfo=zone)
    told = [(Status.PICKING, first), (Status.DELIVERING, first.replace(fold=1))]
    answers = [
        ledger.record(
            Event(
                shop=shop,
                fulfillment_id=parcel.ref.fulfillment_id,
                status=status,
                occurred_at=moment,
            )
        )
        for status, moment in told
    ]

    assert ["accepted", "accepted"] == [str(answer.verdict) for answer in answers]
    hours = [answer.entries[0].occurred_at.hour for answer in answers]
    assert [5, 6] == hours
    with store.reading() as connection:
        query = select(history.c.occurred_at).where(history.c.fulfillment == parcel.id)
        kept = connection.execute(query.where(history.c.event_key.is_not(None))).scalars().all()
        assert hours == sorted(moment.hour for moment in kept)
    assert ["05:30:00.000000Z", "06:30:00.000000Z"] == [stamp(m)[11:] for _, m in told]
