from __future__ import annotations

import json

import pytest

from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.onflow.error_flag import data_if_good, error_code, reference, words

from .making import printed, reply


def said(**changes):
    """Return the printed reply to a cancel, with changes to its envelope."""
    return reply(
        json.dumps(json.loads(printed("shipment_cancelled_after_packing")) | changes).encode()
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"error": True},
        {"error": True, "data": None},
        {"data": {"success": False}},
        {"data": {"success": None}},
        {"data": {"success": "true"}},
        {"data": {"success": 1}},
    ],
)
def test_no_is_said_by_the_flag_or_by_the_success(changes):
    """A reply is good only if it says no error, and, where it says so at all, true success."""
    assert data_if_good(said(**changes)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Nguyen</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"data": {}}',
        b'{"error": null, "data": {}}',
        b'{"error": "false", "data": {}}',
        b'{"error": 0, "data": {}}',
        b'{"error": false}',
        b'{"error": false, "data": null}',
        b'{"error": false, "data": []}',
    ],
)
def test_what_says_neither_is_unreadable(body):
    """A reply without its flag, or good without data, is never taken for a yes or a no."""
    with pytest.raises(UnreadableReply) as caught:
        data_if_good(reply(body))
    assert "Nguyen" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, ""),
        ({"error_code": 4001, "log_id": None}, "error_code 4001"),
        ({"error_code": "SHIPMENT_4", "log_id": "66f-1a"}, "error_code SHIPMENT_4, log_id 66f-1a"),
        ({"error_code": True, "log_id": "of Nguyen Van A"}, ""),
        ({"error_code": {}, "log_id": "x" * 65}, ""),
    ],
)
def test_support_finds_an_error_by_its_code_and_its_log(changes, named):
    """Code and log id are told as they stand where they are names, and not at all elsewhere."""
    assert named == reference(said(**changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"error_detail": "đã bàn giao", "messages": "failed"}, ["đã bàn giao"]),
        ({"error_detail": None, "messages": "failed"}, ["failed"]),
        ({"error_detail": {"state": ["đã bàn giao"]}}, ['{"state": ["đã bàn giao"]}']),
    ],
)
def test_the_detail_of_an_error_goes_before_its_message(changes, expected):
    """What a reply says of an error is its detail, or else its message; OK is none."""
    assert expected == list(words(said(**changes)))


@pytest.mark.parametrize("code", ["NOT_FOUND", 404, None])
def test_the_code_of_an_error_is_what_stands_there(code):
    """A code is compared, never read: whatever it is, it is returned as it stands."""
    assert code == error_code(said(error=True, error_code=code))


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"[]", b'"no"'])
def test_what_is_no_envelope_says_nothing(body):
    """A page or a bare value has no words, names or code in it."""
    came = reply(body)
    assert ([], "", None) == (list(words(came)), reference(came), error_code(came))
