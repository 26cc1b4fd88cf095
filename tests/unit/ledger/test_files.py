import hashlib
import itertools
import json
import tracemalloc

import pytest

from carrierflow.errors import InvalidInput
from carrierflow.ledger import files
from carrierflow.ledger.files import RowFormat, digest_of, read_rows

from .reading import GOOD, but, outcome, problem_of, read, read_csv


AT = GOOD["at"]
JSON = json.dumps(GOOD) + "\n"
CSV = "shop,fulfillment_id,status,at\ndemo,1001,delivered,2026-03-01T01:30:00Z\n"


@pytest.mark.parametrize(
    ("name", "content", "first"),
    [
        ("a.jsonl", JSON, 1),
        ("a.ndjson", JSON, 1),
        ("a.json", JSON, 1),
        ("A.JSONL", JSON, 1),
        ("a.csv", CSV, 2),
        ("a.tsv", CSV.replace(",", "\t"), 2),
        ("dir.d/A.Csv", CSV, 2),
        ("-", JSON, 1),
        ("-", "\n\n  " + JSON, 3),
        ("-", "\ufeff" + JSON, 1),
        ("-", CSV, 2),
        ("-", "\ufeff\n" + CSV, 3),
        ("/dev/fd/63", CSV, 2),
    ],
)
def test_the_name_or_the_first_character_tells_the_format(name, content, first):
    """A file is read by its extension, and a stream by what it begins with."""
    assert [(first, True)] == outcome(read(content, name=name))


def test_a_list_on_standard_input_is_json_of_which_each_line_is_judged():
    """Who sends a JSON list is told so in the words of JSON."""
    rows = read("[\n" + JSON + "]\n", name="-")

    assert [(1, False), (2, True), (3, False)] == outcome(rows)
    assert "not JSON" in str(rows[0].problem)


def test_a_format_that_is_given_stands_above_the_name():
    """Who says the format is believed."""
    assert [(2, True)] == outcome(read(CSV, kind=RowFormat.CSV, name="export.txt"))


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a.csv.gz"])
def test_an_unknown_extension_is_refused(name):
    """A file in no known format is refused in one sentence that names those there are."""
    with pytest.raises(InvalidInput, match=r"is in no known format; .*\.jsonl.*\.csv"):
        read(JSON, name=name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "-"])
@pytest.mark.parametrize("content", ["", "\n", " \r\n\t\n", "\ufeff", "\ufeff\n"])
def test_an_empty_file_is_refused(name, content):
    """A file without any content is a mistake to be told, not a success of zero rows."""
    with pytest.raises(InvalidInput, match="is empty"):
        read(content, name=name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_file_in_utf_16_is_told_what_it_is(encoding):
    """What a spreadsheet calls Unicode text is refused with what to do."""
    raw = CSV.encode(encoding)
    raw = raw if encoding == "utf-16" else b"\xfe\xff" + raw

    with pytest.raises(InvalidInput, match="is UTF-16; save it as UTF-8"):
        read(raw, name="a.csv")


def test_a_useless_file_is_refused_before_any_row_is_asked_for(tmp_path):
    """The refusal comes from the call itself, so nothing was begun."""
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")

    with path.open("rb") as stream, pytest.raises(InvalidInput):
        read_rows(stream, kind=None, name=path.name, fill_gaps=False)


class Endless:
    """A stream that repeats its lines for a long time, and counts those it gave."""

    def __init__(self, heads, line, *, lines):
        self.given = 0
        self._lines = itertools.chain(heads, itertools.repeat(line, lines))

    def readline(self, _limit):
        """Give the next line."""
        self.given += 1
        return next(self._lines, b"")


HEAD, _, BODY = CSV.partition("\n")
STREAMS = {
    "jsonl": ([JSON.encode()], JSON.encode()),
    "csv": ([HEAD.encode() + b"\n"], BODY.encode()),
    "one endless line": ([JSON.encode()], b"x" * 65536),
    "one endless quote": ([HEAD.encode() + b"\n", b'"line\n'], b"line\n"),
}


@pytest.mark.parametrize("first", ["jsonl", "csv"])
def test_rows_are_read_as_they_are_asked_for(first):
    """Asking for one row reads about one row."""
    stream = Endless(*STREAMS[first], lines=1000)

    next(read_rows(stream, kind=None, name="-", fill_gaps=False))

    assert stream.given <= 2


@pytest.mark.parametrize("scenario", STREAMS)
def test_memory_does_not_grow_with_the_file(scenario):
    """A long file, a line without an end and a quote without an end all fit into a megabyte."""
    heads, line = STREAMS[scenario]
    stream = Endless(heads, line, lines=20_000 if len(line) < 1000 else 2000)
    tracemalloc.start()
    try:
        for _ in read_rows(stream, kind=None, name="-", fill_gaps=False):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_digest_is_the_sha_256_of_the_bytes(tmp_path, size):
    """Anybody can check the digest with a stock tool."""
    path = tmp_path / "scans.jsonl"
    path.write_bytes(b"\r\n\xff"[:size] * max(1, size // 3))

    with path.open("rb") as stream:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest_of(stream)
        assert 0 == stream.tell()


def test_the_public_names_are_sorted_and_exist():
    """Everything that the package promises is there."""
    assert sorted(files.__all__) == files.__all__
    assert all(hasattr(files, name) for name in files.__all__)


TEXT = "shop;fulfillment_id;status;at\r\ndemo;1;picking;2026-03-02T08:30Z\r\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), r"Excel workbook \(XLSX\).*CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), r"Excel workbook \(XLS\).*CSV UTF-8"),
        (b"\x1f\x8b\x08" + bytes(99), "compressed by gzip"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<!DOCTYPE html>\n<table>", "HTML or XML"),
        (b"<HTML><table>\n", "HTML or XML"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.replace("\r\n", "\r").encode(), "CR alone"),
        (
            TEXT.replace("status", "trạng thái").encode("utf-8").replace(b"\xe1", b"\xff"),
            "not UTF-8",
        ),
        (TEXT.replace("status", "mâu").encode("cp1258"), "header of .* not UTF-8"),
        (b"sep=;\r\n" + TEXT.encode(), "its first line must name the columns"),
        (TEXT.replace(";", "|").encode(), "commas, semicolons or tabs"),
    ],
)
@pytest.mark.parametrize("name", ["scans.csv", "-", "scans.xlsx"])
def test_a_file_of_another_kind_says_which_it_is(content, says, name):
    """Whatever its name says, nothing of it is taken for rows, and the sentence says what to do."""
    if name == "scans.xlsx":
        says = f"{says}|no known format"

    with pytest.raises(InvalidInput, match=says):
        read(content, name=name)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
@pytest.mark.parametrize("begins", ["", "\ufeff"])
def test_files_as_spreadsheets_save_them_are_read(ends, sign, begins):
    """A mark at the beginning, either line end, any of three signs, quotes, and empty rows."""
    rows = [
        *(
            ["shop", "fulfillment_id", "status", "at", "note"],
            ["demo", "1", "picking", AT, '"a, b;"'],
        ),
        *([""] * 5, [], ["demo", "2", "picking", AT, '"a ""b"""']),
    ]
    content = begins + "".join(sign.join(row) + ends for row in rows)

    found = read(content, name="scans.csv")

    assert ["1", "2"] == [row.event.fulfillment_id for row in found]
    assert ["a, b;", 'a "b"'] == [row.event.note for row in found]


def test_a_row_of_totals_is_rejected_and_no_scan_is_lost():
    """What a program writes below the rows is none, and is not taken for one."""
    content = f"shop,fulfillment_id,status,at\ndemo,1,picking,{AT}\nTotal,,1,\n"

    assert [(2, True), (3, False)] == outcome(read(content, name="scans.csv"))


@pytest.mark.parametrize("amount", ["250.000", "250,000", "250 000", "250000 ₫", "250000.00", "-1"])
def test_an_amount_is_never_guessed(amount):
    """A point may stand before thousands or before cents: digits alone say what was meant."""
    (row,) = read_csv(but(order_id="9", cod_amount=amount))

    assert "whole đồng, from 0" in problem_of(row)
