from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.limits import WORD, cut
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.errors import BadTime, InvalidInput, UnknownStatus
from carrierflow.platforms.haravan.spelling import (
    CALLBACK_WORDS,
    CARRIER_CODES,
    COD_CODES,
    DATE_FIELDS,
    PUT_SEGMENTS,
    callback_word,
    check_id,
    format_time,
    parse_callback_word,
    parse_code,
    parse_money,
    parse_time,
    put_path,
)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda count: timezone(timedelta(minutes=count)))
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=ZONES,
)


def test_every_status_has_one_code():
    """Every status is read from exactly one API code, in the field of its own machine."""
    assert set(Status) == set(CARRIER_CODES.values()) | set(COD_CODES.values())
    assert len(Status) == len(CARRIER_CODES) + len(COD_CODES)
    assert {Machine.DELIVERY} == {status.machine for status in CARRIER_CODES.values()}
    assert {Machine.COD} == {status.machine for status in COD_CODES.values()}


@pytest.mark.parametrize("status", Status)
def test_callback_words_go_round(status):
    """A callback word is read back as the status that it was made from, whatever its case."""
    assert status == parse_callback_word(callback_word(status))
    assert status == parse_callback_word(callback_word(status).upper())
    assert status == parse_callback_word("CODpaid") or status != Status.CODPAID


@given(st.text(max_size=20))
def test_no_other_callback_word_is_read(word):
    """A word that is in no table is an error, never a default."""
    if word.casefold() in {known.casefold() for known in CALLBACK_WORDS.values()}:
        return
    with pytest.raises(UnknownStatus):
        parse_callback_word(word)


@given(st.text(max_size=200))
def test_no_other_code_is_read(code):
    """An unknown API code keeps its text, as far as there is room, and has no status."""
    if code in CARRIER_CODES:
        return
    word = parse_code(code, CARRIER_CODES)
    assert word.status is None
    assert cut(code, WORD) == word.raw


@pytest.mark.parametrize(
    "code",
    ["Delivered", "delivered ", "codpaid", "Đã giao hàng", None, 0, True, ["delivered"], {}],
)
def test_a_code_must_match_exactly(code):
    """Nothing but the exact API code of this field is a status of it; display names least."""
    assert parse_code(code, CARRIER_CODES).status is None


def test_what_cannot_be_put():
    """The statuses that Haravan gives itself, or that nobody has seen put, have no path."""
    assert {
        Status.PENDING,
        Status.READYTOPICK,
        Status.NONE,
        Status.CODPENDING,
        Status.CODNOTRECEIPT,
    } == set(Status) - set(PUT_SEGMENTS)


def test_only_two_statuses_are_undated():
    """Every status but `pending` and `none` has a field that dates it, and no two share one."""
    assert {Status.PENDING, Status.NONE} == set(Status) - set(DATE_FIELDS)
    assert len(DATE_FIELDS) == len(set(DATE_FIELDS.values()))


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (
            Status.NOTMEETCUSTOMER,
            "/orders/12/fulfillments/34/carrier_status/not_meet_customer.json",
        ),
        (Status.CODPAID, "/orders/12/fulfillments/34/cod_status/paid.json"),
    ],
)
def test_put_paths(status, path):
    """Delivery and cash have paths of their own, with the segment's spelling."""
    ref = FulfillmentRef(shop="s1", order_id="12", fulfillment_id="34")
    assert path == put_path(ref, status)


def test_no_path_is_made_up():
    """A status without a segment has no path, and no id adds a part to one."""
    ref = FulfillmentRef(shop="s1", order_id="1/2?3", fulfillment_id="34")
    with pytest.raises(UnknownStatus):
        put_path(ref, Status.READYTOPICK)
    assert put_path(ref, Status.CANCEL).startswith("/orders/1%2F2%3F3/fulfillments/34/")


@given(moment=MOMENTS, digits=st.integers(0, 7))
def test_times_are_cut_to_microseconds(moment, digits):
    """A time printed with 0 to 7 fractional digits is read in UTC, and never later than printed."""
    utc = moment.astimezone(UTC)
    fraction = f"{utc.microsecond:06d}9"[:digits]
    printed = (
        f"{utc.replace(tzinfo=None, microsecond=0).isoformat()}{'.' if digits else ''}{fraction}Z"
    )

    expected = utc.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    assert expected == parse_time(printed)
    assert UTC is parse_time(printed).tzinfo


@given(moment=MOMENTS)
def test_filters_lose_no_change(moment):
    """A printed filter time is at most a millisecond before the moment, and never after it."""
    assert timedelta(0) <= moment - parse_time(format_time(moment)) < timedelta(milliseconds=1)


def test_filter_times_look_like_haravans():
    """Filter times are printed as in the Order API reference."""
    moment = datetime(2021, 10, 20, 21, 7, 45, 84999, tzinfo=timezone(timedelta(hours=7)))
    assert format_time(moment) == "2021-10-20T14:07:45.084Z"


def test_a_naive_time_is_never_printed():
    """A time without a zone is refused: Haravan would read it in one that nobody documents."""
    with pytest.raises(BadTime):
        format_time(datetime(2026, 3, 1, 8, 30))


@pytest.mark.parametrize(
    "text",
    [
        "2021-10-02T13:47:32",  # no zone
        "2021-10-02 13:47:32Z",
        "2021-10-02T13:47:32.89101089Z",  # eight digits
        "2021-10-02T13:47:32.Z",
        "2021-02-30T00:00:00Z",
        "2021-10-02T24:61:00Z",
        "0001-01-01T00:00:00+07:00",  # before the first year, in UTC
        "٢٠٢١-10-02T13:47:32Z",
        "",
    ],
)
def test_unreadable_times_are_refused(text):
    """Whatever is not a time with a zone is refused, never guessed."""
    with pytest.raises(BadTime):
        parse_time(text)


@given(amount=st.integers(-(10**21), 10**21), zeros=st.integers(0, 4))
def test_money_is_exact(amount, zeros):
    """Any amount of whole đồng is read exactly, with or without zeros behind the point."""
    point = "." if zeros else ""
    assert amount == parse_money(f"{amount}{point}{'0' * zeros}")
    assert amount == parse_money(amount)


@pytest.mark.parametrize(
    "amount",
    ["0.5", "510000.0001", "1e5", "1,000", "", " 5", "NaN", "--5", True, "5.00000", "\u0665"],
)
def test_fractions_of_a_dong_are_refused(amount):
    """An amount that is not whole đồng is an error that names it; nothing is rounded."""
    with pytest.raises(InvalidInput, match="whole đồng"):
        parse_money(amount)


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_ids_become_text(number):
    """An id is the same text, whether it came as a number or as a string."""
    assert str(number) == check_id(number)
    assert str(number) == check_id(str(number))


@pytest.mark.parametrize(
    "value",
    [None, True, "", "1,2", "a1", "1" * 21, "\u0665", "../1", "1 2", "1?x=1", "1.0", [1], -1.5],
)
def test_what_is_no_id(value):
    """Nothing that could change an address or a filter passes for an id."""
    with pytest.raises(InvalidInput):
        check_id(value)
