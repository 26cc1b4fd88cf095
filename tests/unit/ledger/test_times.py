from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.errors import BadTime
from carrierflow.ledger.files import parse_time


HALF_PAST_ONE = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)

GOOD = {
    "2026-03-01T01:30:00Z": HALF_PAST_ONE,
    "2026-03-01T08:30:00+07:00": HALF_PAST_ONE,
    "2026-03-01T08:30:00+0700": HALF_PAST_ONE,
    "2026-03-01 08:30:00+07": HALF_PAST_ONE,
    "2026-03-01 08:30:00+07:00": HALF_PAST_ONE,
    "2026-02-28T22:00:00-03:30": HALF_PAST_ONE,
    "2026-03-01T08:30+07:00": HALF_PAST_ONE,
    "2026-03-01T01:30:00-00:00": HALF_PAST_ONE,
    "2026-03-01T01:30:00.Z": HALF_PAST_ONE,
    "2026-03-01T01:30:00.5Z": HALF_PAST_ONE.replace(microsecond=500_000),
    "2026-03-01T01:30:00.000001Z": HALF_PAST_ONE.replace(microsecond=1),
    "2026-03-01T01:30:00.9999999Z": HALF_PAST_ONE.replace(microsecond=999_999),
    "2026-03-01T01:30:00.123456789+00:00": HALF_PAST_ONE.replace(microsecond=123_456),
    "2024-02-29T23:59:59Z": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    "0001-01-02T00:00:00Z": datetime(1, 1, 2, tzinfo=UTC),
    "9999-12-30T00:00:00Z": datetime(9999, 12, 30, tzinfo=UTC),
    "1899-12-30T00:00:00+07:06": datetime(1899, 12, 29, 16, 54, tzinfo=UTC),
}

BAD = {
    "2026-03-01T08:30:00": "has no time zone",
    "2026-03-01 08:30:00.123": "has no time zone",
    "2026-02-30T08:30:00": "has no time zone",
    "2026-02-30T08:30:00Z": "does not exist",
    "2025-02-29T08:30:00Z": "does not exist",
    "2026-13-01T08:30:00Z": "does not exist",
    "2026-03-01T24:00:00Z": "does not exist",
    "2026-03-01T23:59:60Z": "does not exist",
    "0000-01-01T00:00:00Z": "does not exist",
    "0001-01-01T00:00:00+07:00": "does not exist",
    "0001-01-01T23:59:59Z": "does not exist everywhere",
    "9999-12-30T12:00:00-12:00": "does not exist everywhere",
    "9999-12-31T23:59:59-07:00": "does not exist",
    "2026-03-01T08:30:00+14:01": "has a time zone that no place has",
    "2026-03-01T08:30:00+25:00": "has a time zone that no place has",
    "2026-03-01T08:30:00+07:60": "has a time zone that no place has",
    "2026-03-01": "has no time of day",
    "03/04/2026": "may mean day and month in either order",
    "3-4-2026 08:30": "may mean day and month in either order",
    "03.04.26 08:30 +07:00": "may mean day and month in either order",
    "1772328600": "is a bare number",
    "1772328600000": "is a bare number",
    "1772328600.5": "is a bare number",
    "46082,354": "is a bare number",
    "1.7723286E+09": "is a bare number",
    "20260301": "is a bare number",
    "": "is empty",
    " ": "is empty",
    "2026-03-01T08:30:00.1234567890Z": "is not ISO 8601",
    "2026-03-01T08:30:00,5Z": "is not ISO 8601",
    "2026-03-01T08:30:00 +07:00": "is not ISO 8601",
    "2026-03-01T08:30:00ICT": "is not ISO 8601",
    "2026-03-01T08:30:00Z\n": "is not ISO 8601",
    " 2026-03-01T08:30:00Z": "is not ISO 8601",
    "2026-3-1T08:30:00Z": "is not ISO 8601",
    "2026-03-01T8:30:00Z": "is not ISO 8601",
    "٢٠٢٦-03-01T08:30:00Z": "is not ISO 8601",
    "yesterday": "is not ISO 8601",
    "now": "is not ISO 8601",
}


@pytest.mark.parametrize(("text", "expected"), GOOD.items())
def test_places_a_time_that_has_a_zone(text, expected):
    """Every usual way to write a moment with its zone names that moment, in UTC."""
    found = parse_time(text)

    assert expected == found
    assert UTC is found.tzinfo


@pytest.mark.parametrize(("text", "why"), BAD.items())
def test_refuses_a_time_that_cannot_be_placed(text, why):
    """A time without a zone, that does not exist or that is ambiguous is refused with the why."""
    with pytest.raises(BadTime) as caught:
        parse_time(text)

    assert why in str(caught.value)
    assert text == caught.value.text


def test_does_not_repeat_a_text_that_is_no_time_by_its_length():
    """A long text in the place of a time is neither read nor repeated."""
    with pytest.raises(BadTime, match="has 6000 characters") as caught:
        parse_time("secret" * 1000)

    assert "secret" not in str(caught.value)


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=OFFSETS,
)


@given(MOMENTS, st.sampled_from("T "))
def test_a_time_written_is_the_time_read(moment, separator):
    """Every moment that Python writes down is read back as the same moment."""
    assert moment == parse_time(moment.isoformat(separator))


@given(MOMENTS, st.integers(0, 9))
def test_digits_beyond_the_microsecond_are_cut_off(moment, digits):
    """A time is never read as later than it was written, whatever digits it has."""
    text = f"{moment.astimezone(UTC):%H:%M:%S}.{'9' * digits}Z"
    found = parse_time(f"2026-03-01T{text}")

    assert int("9" * min(digits, 6) + "0" * (6 - min(digits, 6))) == found.microsecond
    assert moment.astimezone(UTC).second == found.second


@given(st.text() | st.from_regex(r"[0-9TZ:+ .-]{0,30}", fullmatch=True))
def test_any_text_is_a_time_or_a_bad_time(text):
    """No text whatever gets anything but a moment in UTC or a refusal."""
    try:
        found = parse_time(text)
    except BadTime:
        return
    assert UTC is found.tzinfo
