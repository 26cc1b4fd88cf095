from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.platforms.http.replies import PlatformReply, retry_after


NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2.0", 2.0),
        ("3", 3.0),
        (" 0.5 ", 0.5),
        ("Sun, 01 Mar 2026 01:30:07 GMT", 7.0),
        ("Sun, 01 Mar 2026 01:30:07 -0000", 7.0),
        ("Sun, 01 Mar 2026 01:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("inf", None),
        ("Sun, 99 Mar 2026 01:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(header, seconds):
    """Seconds, whole or decimal, and HTTP dates are read; anything else says nothing."""
    reply = PlatformReply(
        status=429,
        headers={"Retry-After": header},
        body=b"",
        flaw=None,
        asked_at=NOW,
        seen_at=NOW,
    )
    assert seconds == retry_after(reply)


ANYTHING = st.one_of(
    st.text(st.characters(codec="ascii", min_codepoint=32)),
    st.integers().map(str),
    st.floats().map(str),
    st.from_regex(r"[0-9]{1,400}(\.[0-9]{1,400})?", fullmatch=True),
    st.datetimes().map(format_datetime),
    st.tuples(st.datetimes(), st.sampled_from(["GMT", "-0000", "+9999", "-2359", "EST"])).map(
        lambda pair: f"{format_datetime(pair[0])[:-5]}{pair[1]}"
    ),
)


@given(header=ANYTHING)
def test_any_retry_after_is_a_span_or_nothing(header):
    """Whatever stands in the header: a number from nothing to infinity, or none."""
    reply = PlatformReply(
        status=429,
        headers={"Retry-After": header},
        body=b"",
        flaw=None,
        asked_at=NOW,
        seen_at=NOW,
    )
    seconds = retry_after(reply)

    assert seconds is None or seconds >= 0
