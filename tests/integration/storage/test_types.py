from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, literal, select
from sqlalchemy.exc import StatementError

from carrierflow.domain.limits import MOST_CASH
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Recorded, Status
from carrierflow.errors import InvalidInput
from carrierflow.storage.tables import files, fulfillments, history
from carrierflow.storage.types import UtcDateTime


ANY_MOMENT = st.datetimes(
    min_value=datetime(1971, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(-timedelta(hours=9.5))]),
)


@pytest.fixture
def keep(store):
    """Write a moment and read it back."""

    def write(moment):
        name = uuid.uuid4().hex
        row = {"digest": name, "name": "n", "row_count": 0, "recorded_at": moment}
        with store.begin() as connection:
            connection.execute(insert(files), row)
            query = select(files.c.recorded_at).where(files.c.digest == name)
            return connection.execute(query).scalar_one()

    return write


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moment=ANY_MOMENT)
def test_a_moment_comes_back_to_the_microsecond(keep, moment):
    """A moment of any zone comes back as the same moment, in UTC, to the microsecond."""
    found = keep(moment)

    assert (moment, timedelta(0)) == (found, found.utcoffset())


def test_a_moment_without_a_zone_is_refused(keep):
    """A time without a zone is refused before it reaches the database."""
    with pytest.raises(StatementError, match="has no time zone"):
        keep(datetime(2026, 3, 1, 8, 0))


def test_a_moment_is_read_as_a_literal_too(engine):
    """A moment that is written into a statement itself is the same moment."""
    moment = datetime(2026, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=7)))
    query = select(literal(moment, UtcDateTime()))
    text = query.compile(engine, compile_kwargs={"literal_binds": True})

    assert "2026-03-01 01:00:00" in str(text).replace("T", " ")


def test_moments_sort_by_time(engine, store):
    """Moments that were given in several zones are compared as moments."""
    zones = [UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-5))]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [(start + timedelta(microseconds=n)).astimezone(zones[n % 3]) for n in range(6)]
    mark = uuid.uuid4().hex[:16]
    rows = [
        {"digest": f"{mark}{n}", "name": mark, "row_count": n, "recorded_at": moment}
        for n, moment in enumerate(moments)
    ]
    with store.begin() as connection:
        connection.execute(insert(files), rows[::-1])
        mine = select(files.c.row_count).where(files.c.name == mark)
        later = mine.where(files.c.recorded_at >= moments[3]).order_by(files.c.recorded_at)
        assert [3, 4, 5] == connection.execute(later).scalars().all()


@pytest.mark.parametrize(
    "pair",
    ["aB ab", "é e", "\u00e9 e\u0301", "ß ss", "İ i", "\ufb01 fi", "đ d", "😀 😁"],
    ids=ascii,
)
def test_ids_and_keys_that_look_alike_are_two(make_parcel, ledger, shop, pair):
    """Ids and keys that differ in case, accent or form only are two, on every database."""
    tail = uuid.uuid4().hex[:6]
    one, other = (word + tail for word in pair.split())

    parcels = [make_parcel(fulfillment_id=word, order_id=word) for word in (one, other)]
    for key, status in ((one, Status.PICKING), (other, Status.DELIVERING)):
        answer = ledger.record(Event(shop=shop, fulfillment_id=one, status=status, key=key))
        assert "accepted" == answer.verdict

    assert [one, other] == [p.ref.fulfillment_id for p in parcels]
    assert 2 == len({p.id for p in parcels})


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\n"])
def test_outer_blanks_are_refused(make_parcel, ledger, shop, blank):
    """An id or key with an outer blank is refused: MariaDB would take it for the one without."""
    ref = make_parcel().ref
    mine = {"shop": shop, "fulfillment_id": ref.fulfillment_id, "status": Status.PICKING}
    for name in ("shop", "fulfillment_id", "key"):
        word = mine.get(name, "k")
        for changed in (word + blank, blank + word):
            event = Event(**(mine | {name: changed}))
            with pytest.raises(InvalidInput, match="outer blanks"):
                ledger.record(event)
            assert isinstance(next(ledger.record_many([event])), InvalidInput)
            with pytest.raises(InvalidInput):
                ledger.amend(Event(**(mine | {name: changed}), actor="a", reason="r"))
    for name in ("shop", "order_id", "fulfillment_id"):
        fields = {"shop": shop, "order_id": "o", "fulfillment_id": "f"}
        changed = FulfillmentRef(**(fields | {name: fields[name] + blank}))
        with pytest.raises(InvalidInput, match="outer blanks"):
            ledger.open(Opening(ref=changed))


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("name", ["shop", "fulfillment_id", "key", "actor", "reason"])
def test_texts_that_a_database_cannot_hold_are_refused(make_parcel, ledger, shop, name, bad):
    """A text that one of the databases cannot hold is refused by all, and harms no other row."""
    ref = make_parcel().ref
    mine = {"shop": shop, "fulfillment_id": ref.fulfillment_id}

    refused, accepted = ledger.record_many(
        [
            Event(**({"status": Status.DELIVERING, **mine} | {name: bad})),
            Event(status=Status.PICKING, **mine),
        ]
    )

    assert isinstance(refused, InvalidInput)
    assert isinstance(accepted, Recorded)
    assert "accepted" == accepted.verdict


@pytest.mark.parametrize(
    "opening",
    [
        {"cod_amount": -1},
        {"cod_amount": 10**18},
        {"tracking_number": "t" * 129},
        {"tracking_number": "t\x00"},
        {"fulfillment_id": "f" * 65},
        {"order_id": "o" * 65},
    ],
    ids=str,
)
def test_openings_that_do_not_fit_are_refused(make_parcel, opening):
    """An opening that a column cannot hold is refused alike on every database."""
    with pytest.raises(InvalidInput):
        make_parcel(**opening)


def test_texts_of_full_length_fit(make_parcel, ledger, shop, engine):
    """Texts as long as they may be are kept whole, whatever letters they are made of."""
    ref = make_parcel(
        fulfillment_id=("đ" * 31 + uuid.uuid4().hex + "😀"),
        order_id="ơ" * 64,
        tracking_number="ư" * 128,
        cod_amount=MOST_CASH,
    ).ref
    texts = {"key": "ế" * 128, "actor": "😀" * 128, "reason": "ộ" * 255}
    ledger.record(
        Event(shop=shop, fulfillment_id=ref.fulfillment_id, status=Status.PICKING, **texts)
    )

    with engine.connect() as connection:
        row = connection.execute(
            select(history, fulfillments.c.tracking_number, fulfillments.c.cod_amount)
            .join(fulfillments)
            .where(fulfillments.c.fulfillment_id == ref.fulfillment_id, history.c.seq == 2)
        ).one()
    assert list(texts.values()) == [row.event_key, row.actor, row.reason]
    assert ("ư" * 128, MOST_CASH) == (row.tracking_number, row.cod_amount)
