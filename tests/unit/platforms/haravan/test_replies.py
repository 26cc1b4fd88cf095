from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.platforms.http.replies import (
    PlatformReply,
    UnreadableReply,
    parse_document,
    retry_after,
)


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


def refused(constant):
    """Take no constant that is none of JSON."""
    raise ValueError(constant)


def as_json_reads(body):
    """Return what the json module makes of a body, decimal numbers as text; None for nothing."""
    try:
        return json.loads(body, parse_float=str, parse_constant=refused)
    except (ValueError, RecursionError):
        return None


def beside(odd):
    """Return a reply with something odd in a field that nobody reads."""
    return b'{"orders": [{"id": 1, "unread": ' + odd + b"}]}"


@pytest.mark.parametrize(
    "odd",
    [
        *(b'"%s"' % it for it in (b"a\x01b", b"a\nb", b"\xff", b"\\q", b"\\u12g4", b"\x7f")),
        *(b'"%s"' % it for it in (b"\\ud800", b"\\ud83d\\ude00", b"\xed\xa0\x80", b"\\u0000")),
        *(b"01", b"+1", b"1.", b".5", b"1e", b"-", b"-0", b"1e999", b"1.50", b"1E2"),
        *(b"NaN", b"Infinity", b"-Infinity", b"tru", b"nul", b"True", b"/**/1", b"'a'"),
        *(b"[1,]", b'{"a": 1,}', b'{"a"}', b"{1: 2}", b'{"a": 1, "a": 2}', b'1, "unread": 2'),
        *(b'2, "id": 3', b"9" * 100, b"[" * 900 + b"]" * 900, b"[" * 99_999 + b"]" * 99_999),
    ],
    ids=lambda odd: repr(odd[:16]),
)
def test_what_nobody_reads_is_read_as_strictly_as_the_json_module_does(odd):
    """A flaw makes the whole reply unreadable, and what is none does not, wherever it stands."""
    body = beside(odd)
    expected = as_json_reads(body)
    if expected is None:
        with pytest.raises(UnreadableReply):
            parse_document(body)
        return

    found = parse_document(body)

    assert expected == found
    assert repr(expected) == repr(found)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "[1.0]".encode("utf-32"),
        b"{} x",
        b"{}{}",
        b"{}\x0c",
        b"{}\xc2\xa0",
        b"null",
        b'{"or',
    ],
)
def test_a_whole_reply_is_taken_where_the_json_module_takes_it(body):
    """Marks of byte order and other encodings are read; nothing may follow the value."""
    expected = as_json_reads(body)
    if expected is None and body != b"null":
        with pytest.raises(UnreadableReply):
            parse_document(body)
        return

    assert expected == parse_document(body)


def test_a_number_of_thousands_of_digits_stays_text():
    """A number that no one can mean costs nothing but itself."""
    digits = "9" * 5_000

    assert {"a": [1, digits]} == parse_document(f'{{"a": [1, {digits}]}}'.encode())


@given(st.binary(max_size=40) | st.text(max_size=20).map(json.dumps).map(str.encode))
def test_any_bytes_are_read_as_the_json_module_reads_them(odd):
    """Whatever stands in a field that nobody reads, both say the same of the reply."""
    body = beside(odd)
    try:
        found = parse_document(body)
    except UnreadableReply:
        found = None

    assert repr(as_json_reads(body)) == repr(found)
