import json

import pytest

from carrierflow.ledger.files import RowFormat

from .reading import GOOD, outcome, problem_of, read, read_json


LINE = json.dumps(GOOD)

UNREADABLE = [
    ("{", "The row is not JSON from character 2 on."),
    ("nonsense", "The row is not JSON from character 1 on."),
    (LINE + LINE, "The row is not JSON from character 101 on."),
    ("[]", "The row is not a JSON object; write one object on each line."),
    ("7", "The row is not a JSON object"),
    ('"text"', "The row is not a JSON object"),
    ("null", "The row is not a JSON object"),
    ("NaN", "The row is not JSON: NaN is no value."),
    ('{"cod_amount": -Infinity}', "The row is not JSON: -Infinity is no value."),
    ("[" * 60_000, "The row is nested too deeply"),
    ('{"a":' * 10_000, "The row is nested too deeply"),
    (LINE[:-1] + ', "shop": "other"}', "The row names 'shop' more than once."),
    (LINE[:-1] + ', "fulfillment_id": ' + "1" * 5000 + "}", "names 'fulfillment_id' more than"),
    (LINE.replace('"1001"', "1" * 5000), "The fulfillment_id has 5000 characters"),
    (LINE[:-1] + ', "cod_amount": ' + "1" * 5000 + "}", "The cod_amount must be whole đồng"),
    (LINE[:-1] + ', "cod_amount": 1e999999}', "not a fraction."),
    (LINE + "\0", "The row holds a NUL byte."),
    (LINE.replace("demo", "d" * 65536), "The row has more than 65536 bytes."),
    (" " * 65537, "The row has more than 65536 bytes."),
    (b'{"shop": "\xff"}', "The row is not UTF-8 from byte 11 on; save it as UTF-8."),
    ("\ufeff" + LINE, "The row is not JSON from character 1 on."),
]


@pytest.mark.parametrize(("bad", "sentence"), UNREADABLE)
def test_a_line_that_cannot_be_read_does_not_stop_the_rest(bad, sentence):
    """A broken line is one row with one sentence, and the lines around it are read."""
    raw = bad if isinstance(bad, bytes) else bad.encode()
    rows = read(b"\n".join([LINE.encode(), raw, LINE.encode()]))

    assert [(1, True), (2, False), (3, True)] == outcome(rows)
    assert sentence in problem_of(rows[1])


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize(("length", "fits"), [(65536, True), (65537, False)])
def test_the_limit_of_a_line_is_exact(end, length, fits):
    """A line of 64 KiB is read and one byte more is refused, whatever ends the line."""
    line = json.dumps(GOOD | {"note": ""})
    line = json.dumps(GOOD | {"note": "n" * (length - len(line))})

    rows = read(line + end + (LINE if end else ""))

    assert [(1, fits), *([(2, True)] if end else [])] == outcome(rows)


def test_a_very_long_line_is_passed_over_whole():
    """However long a line is, the row after it has the right number and is read."""
    rows = read(f"{LINE}\n{'x' * 1_000_000}\n\n{LINE}\n")

    assert [(1, True), (2, False), (4, True)] == outcome(rows)


def test_a_long_first_line_is_only_a_row():
    """A first line beyond the limit neither hides the format nor stops the rest."""
    rows = read('{"note": "' + "n" * 70_000 + '"}\n' + LINE)

    assert [(1, False), (2, True)] == outcome(rows)


def test_blank_lines_are_skipped_and_counted():
    """Rows are numbered by the lines of the file, blank ones included."""
    rows = read(f"\n  \n{LINE}\r\n\t\r\n\n{LINE}", kind=RowFormat.JSONL)

    assert [(3, True), (6, True)] == outcome(rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_either_line_end_are_no_content(end):
    """What an editor on Windows adds changes nothing."""
    rows = read(f"\ufeff{LINE}{end}{LINE}{end}", name="scans.jsonl")

    assert [(1, True), (2, True)] == outcome(rows)
    assert rows[0].event == rows[1].event


def test_escaped_characters_arrive_as_themselves():
    """A surrogate pair in JSON is one character, which is kept."""
    (row,) = read_json(LINE[:-1] + r', "note": "\ud83d\ude00\u1ea7"}')

    assert "😀ầ" == row.event.note
