from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RemoteWord,
    Status,
    Unreadable,
)
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.onflow.shipment_detail import as_order, read_shipment
from carrierflow.platforms.onflow.stages import STAGE_TIMES

from .making import ASKED, CODE, QUESTION, SEEN, detail, envelope


S = Status
CREATED = datetime(2026, 3, 13, 1, 59, 2, tzinfo=UTC)
PICKED = datetime(2026, 3, 13, 2, 1, 41, tzinfo=UTC)
HANDED_OVER = datetime(2026, 3, 13, 2, 6, 54, tzinfo=UTC)
CHANGED = datetime(2026, 3, 13, 2, 15, 4, tzinfo=UTC)
NEVER = dict.fromkeys(STAGE_TIMES)
TIMES = ["created_time", "updated_time", *STAGE_TIMES]


def read(**changes):
    """Read the printed detail with changes."""
    return read_shipment(detail(**changes), QUESTION)


def test_the_printed_detail_is_read_field_by_field():
    """A shipment that was handed over is read as it is printed, and nothing else is claimed."""
    assert (
        Observation(
            ref=FulfillmentRef(shop="w1", order_id=CODE, fulfillment_id=CODE),
            asked_at=ASKED,
            seen_at=SEEN,
            carrier=RemoteWord(raw="300", status=S.DELIVERING),
            cod=RemoteWord(raw="", status=S.NONE),
            updated_at=CHANGED,
            updated_at_raw="1773368104",
            created_at=CREATED,
            dates={S.PENDING: CREATED, S.READYTOPICK: PICKED, S.DELIVERING: HANDED_OVER},
            dates_raw={
                S.PENDING: "1773367142",
                S.READYTOPICK: "1773367301",
                S.DELIVERING: "1773367614",
            },
            order_cancelled=False,
            tracking_number="COURIER1773367142",
            tracking_company_code=None,
            cod_amount=None,
            source="detail",
        )
        == read()
    )


def test_the_printed_reply_to_a_cancel_is_part_of_a_shipment():
    """What a cancel answers names no shipment; with its code it reads as cancelled, then."""
    part = envelope("shipment_cancelled_after_packing")["data"]

    nameless = read_shipment(part, QUESTION)
    named = read_shipment(part | {"tracking_code": CODE}, QUESTION)

    assert "the shipment has no `tracking_code`" == nameless.reason
    assert (RemoteWord(raw="500", status=S.CANCEL), "1774426854") == (
        named.carrier,
        named.updated_at_raw,
    )
    assert {S.CANCEL: datetime(2026, 3, 25, 8, 20, 54, tzinfo=UTC)} == named.dates


def test_a_return_is_no_shipment():
    """The detail of a return, which names its shipment by another field, is not read as one."""
    odd = read_shipment(envelope("return_with_a_problem")["data"], QUESTION)
    assert "the shipment has no `tracking_code`" == odd.reason


@pytest.mark.parametrize(
    ("times", "number", "status", "dated"),
    [
        (NEVER, 100, S.PENDING, {S.PENDING}),
        (NEVER | {"packed_time": None, "picked_time": 1773367301}, 110, S.READYTOPICK, {}),
        (
            NEVER | {"packed_time": 1773367311, "picked_time": 1773367301},
            120,
            S.READYTOPICK,
            {S.READYTOPICK},
        ),
        ({"handover_time": 1773367614}, 300, S.DELIVERING, {S.READYTOPICK, S.DELIVERING}),
        (NEVER | {"cancelled_time": 1773367614}, 499, S.CANCEL, {S.CANCEL}),
        (
            {"handover_time": None, "cancelled_time": 1773367614},
            500,
            S.CANCEL,
            {S.READYTOPICK, S.CANCEL},
        ),
    ],
)
def test_every_stage_is_read_with_its_dates(times, number, status, dated):
    """Each stage of a shipment is read from its times, and dated by them."""
    seen = read(status_info={"value": number}, **times)

    assert status is seen.carrier.status
    assert str(number) == seen.carrier.raw
    assert {S.PENDING, status, *dated} == set(seen.dates) == set(seen.dates_raw)


def test_packing_does_not_date_anew_what_was_picked():
    """Picked and packed look alike, so the first of the two says since when that stands."""
    picked = read(packed_time=None, handover_time=None, status_info={"value": 1})
    packed = read(handover_time=None, status_info={"value": 2})
    alone = read(picked_time=None, handover_time=None, status_info={"value": 2})

    assert PICKED == picked.dates[S.READYTOPICK] == packed.dates[S.READYTOPICK]
    assert PICKED + timedelta(seconds=10) == alone.dates[S.READYTOPICK]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"handover_time": None}, 300),
        ({"cancelled_time": 1773367700}, 300),
        ({}, 500),
        (NEVER, 500),
    ],
)
def test_a_contradiction_is_unknown_and_dated(changes, number):
    """A number that the times belie has no status; number and times are kept as evidence."""
    seen = read(status_info={"value": number}, **changes)
    assert RemoteWord(raw=str(number), status=None) == seen.carrier
    assert "1773367142" == seen.dates_raw[S.PENDING]


def test_labels_decide_nothing():
    """The label is translated as one asks for it, and may say what it likes."""
    assert read() == read(status_info={"value": 300, "label": "Đã hủy"})


@pytest.mark.parametrize(
    ("changes", "raw"),
    [
        ({"updated_time": 1773367143}, "1773367143"),
        ({"updated_time": None}, "1773367614"),
        (
            {"updated_time": None, "status_info": {"value": 300, "updated_time": 1773367700}},
            "1773367700",
        ),
        ({**NEVER, "updated_time": None, "status_info": {"value": 1}}, "1773367142"),
    ],
)
def test_the_last_change_is_the_printed_one_or_else_the_latest_time(changes, raw):
    """`updated_time` says when a shipment changed; without it, the latest time shown does."""
    assert raw == read(**changes).updated_at_raw


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tracking_code": None}, "the shipment has no `tracking_code`"),
        ({"tracking_code": 7}, "the shipment has no `tracking_code`"),
        ({"status_info": None}, "the shipment has no `status_info`"),
        ({"status_info": [300]}, "the shipment has no `status_info`"),
        ({"status_info": {}}, "`value` of its status is not a whole number"),
        ({"status_info": {"value": "300"}}, "`value` of its status is not a whole number"),
        ({"status_info": {"value": True}}, "`value` of its status is not a whole number"),
        (dict.fromkeys(TIMES), "the shipment shows no time at all"),
    ],
)
def test_what_every_shipment_has_is_indispensable(changes, reason):
    """A shipment that lacks what each must have is one odd row, known by the code asked for."""
    bare = {"status_info": {"value": 300}, **changes}

    odd = read(**bare)

    assert isinstance(odd, Unreadable)
    assert ("data", reason, CODE, CODE) == (
        odd.place,
        odd.reason,
        odd.order_id,
        odd.fulfillment_id,
    )


def test_the_rest_may_be_absent():
    """A tracking code, a number and one time are enough."""
    seen = read_shipment(
        {"tracking_code": CODE, "status_info": {"value": 300, "updated_time": 1773367614}}, QUESTION
    )
    assert (S.DELIVERING, {}, None, None) == (
        seen.carrier.status,
        seen.dates,
        seen.created_at,
        seen.tracking_number,
    )


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "value", [True, False, "1773367614", "1773367614.0", 1773367614.0, "", [], {}]
)
def test_a_time_is_a_whole_number_or_nothing(name, value):
    """A truth, a decimal or a text is no time, wherever it stands, and spoils the row."""
    assert f"`{name}` is not a whole number of seconds" == read(**{name: value}).reason


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("value", [0, -1, 1773367614000, 10**30, 253402300799, 1420070399])
def test_a_time_at_which_nothing_can_have_happened_spoils_the_row(name, value):
    """Zero, milliseconds and the ends of the calendar are no times, and never mean never."""
    odd = read(**{name: value})
    assert f"`{name}` is no time at which this can have happened" == odd.reason


def test_a_time_of_the_status_is_a_time_like_any():
    """What stands beside the number is read as strictly as what stands beside the code."""
    odd = read(status_info={"value": 300, "updated_time": "soon"}, updated_time=None)
    assert "`updated_time` is not a whole number of seconds" == odd.reason


bounds = int(EARLIEST.timestamp()), int((SEEN + AHEAD).timestamp())
moments = st.integers(*bounds)


@given(st.fixed_dictionaries({name: st.none() | moments for name in TIMES}))
def test_every_time_between_the_bounds_is_read_as_printed(times):
    """Each time that can have been comes back to the second, and the last change is one of them."""
    seen = read(**times, status_info={"value": 1})
    if not any(times.values()):
        assert isinstance(seen, Unreadable)
        return

    given_times = {value for value in times.values() if value is not None}
    assert int(seen.updated_at_raw) == seen.updated_at.timestamp()
    assert int(seen.updated_at_raw) in given_times
    assert {int(text) for text in seen.dates_raw.values()} <= given_times
    assert seen.dates_raw == {
        status: str(int(moment.timestamp())) for status, moment in seen.dates.items()
    }
    assert seen.carrier.status in seen.dates or seen.carrier.status is S.PENDING


@given(st.sampled_from(TIMES), st.integers().filter(lambda n: not bounds[0] <= n <= bounds[1]))
def test_no_time_beyond_the_bounds_is_read(name, value):
    """Before any parcel, or more than a day ahead of our clock, nothing has happened."""
    assert isinstance(read(**{name: value}), Unreadable)


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_any_object_is_read_or_odd(fields):
    """Whatever fields come, the answer is a shipment or an odd row, and never an accident."""
    odd = {"status_info": {"value": 300}, **fields, "tracking_code": CODE}
    assert isinstance(read_shipment(odd, QUESTION), Observation | Unreadable)


def test_the_detail_of_another_shipment_is_not_believed():
    """A reply that names another code is about another shipment, whatever it was asked for."""
    with pytest.raises(UnreadableReply, match="another shipment"):
        read_shipment(detail(), replace(QUESTION, code="OASC0000000002"))


@pytest.mark.parametrize("value", [None, "", " ", 7, "x" * 129, "a\x00b", " a "])
def test_a_waybill_that_names_nothing_is_none(value):
    """The courier's number is a text that can be kept as it stands, or it is not there."""
    assert read(courier_tracking_code=value).tracking_number is None


def test_a_shipment_is_the_only_one_of_its_order():
    """An order is its shipment under another name; one that is odd hides nothing else."""
    seen, odd = read(), read(status_info=None)

    assert RemoteOrder(
        order_id=CODE, updated_at=CHANGED, cancelled=False, fulfillments=(seen,)
    ) == as_order(CODE, seen)
    assert RemoteOrder(
        order_id=CODE, updated_at=None, cancelled=False, fulfillments=(), unreadable=(odd,)
    ) == as_order(CODE, odd)


def test_nothing_personal_survives():
    """Names, phones and addresses that a detail may hold are in nothing that is read of it."""
    person = {"receiver": {"name": "Nguyen", "phone": "0901234567"}, "note": "Nguyen"}
    for found in (read(**person), read(**person, status_info=None)):
        assert "Nguyen" not in repr(asdict(found))
