import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.errors import InvalidInput
from carrierflow.ledger.files import RowFormat
from carrierflow.ledger.files.records import CsvEnds, records

from .reading import GOOD, but, outcome, problem_of, read, read_csv


HEADER = "shop,fulfillment_id,status,at,note\n"
ROW = "demo,1001,delivered,2026-03-01T08:30:00+07:00,\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_every_usual_dialect(delimiter, quoting, end):
    """Comma, semicolon and tab, quoted or not, with either line end, give the same events."""
    rows = [GOOD, but(note='a, b; c\td "e"\nf')]

    found = read_csv(*rows, delimiter=delimiter, quoting=quoting, lineterminator=end)

    assert [None, 'a, b; c\td "e"\nf'] == [row.event.note for row in found]
    assert ["1001", "1001"] == [row.event.fulfillment_id for row in found]


def test_the_header_alone_decides_the_delimiter():
    """Cells full of another delimiter do not change how the file is cut."""
    rows = read(HEADER.replace(",", ";") + ROW[:-1].replace(",", ";") + ",,,,,,,,\n")

    assert ",,,,,,,," == rows[0].event.note


def test_columns_may_stand_in_any_order_and_have_blanks_around_their_names():
    """A header is read by its names."""
    rows = read("\ufeffat , status,shop,fulfillment_id\n2026-03-01T01:30:00Z,cancel,demo,7\n")

    assert [("demo", "7")] == [(row.event.shop, row.event.fulfillment_id) for row in rows]


def test_a_row_is_numbered_by_the_line_on_which_it_begins():
    """The header is line 1, blank lines count, and a quoted newline moves what follows."""
    rows = read(
        "\n" + HEADER + ROW + "\n" + ROW[:-1] + '"one\ntwo\nthree"\n' + ROW + " ,,\t,,\n" + ROW
    )

    assert [(3, True), (5, True), (8, True), (10, True)] == outcome(rows)
    assert "one\ntwo\nthree" == rows[1].event.note


BAD_ROWS = [
    (b"demo,1001\n", "The row has 2 cells, and the header has 5."),
    (
        b"demo,1001,delivered,2026-03-01T01:30:00Z,a,b\n",
        "The row has 6 cells, and the header has 5",
    ),
    (b'demo,"10"01,delivered,2026-03-01T01:30:00Z,\n', "The row is not CSV"),
    (b"demo,10\r01,delivered,2026-03-01T01:30:00Z,\n", "The row is not CSV"),
    (b"demo,\xe1,delivered,2026-03-01T01:30:00Z,\n", "The row is not UTF-8 from byte 6 on"),
    (b"demo,\0,delivered,2026-03-01T01:30:00Z,\n", "The row holds a NUL byte."),
    (b"demo,1001,delivered,," + b"n" * 65536 + b"\n", "The row has more than 65536 bytes."),
    (b"demo,1001,delivered,,\n", "The row has no at."),
    (
        b"demo,,,2026-03-01T01:30:00Z,\n",
        "The row has no fulfillment_id or tracking_number, no status.",
    ),
]


@pytest.mark.parametrize(("bad", "sentence"), BAD_ROWS)
def test_a_row_that_cannot_be_read_does_not_stop_the_rest(bad, sentence):
    """A broken row is one row with one sentence, and the rows around it are read."""
    rows = read(HEADER.encode() + ROW.encode() + bad + ROW.encode())

    assert [(2, True), (3, False), (4, True)] == outcome(rows)
    assert sentence in problem_of(rows[1])


def test_a_header_without_a_required_column_is_a_problem_of_each_row():
    """Every row says which column it lacks."""
    rows = read(HEADER.replace("at", "note", 1).replace(",note\n", "\n") + ROW[:-2] + "\n")

    assert "unknown" in problem_of(rows[0])
    assert "The row has no status." == problem_of(
        read("shop,fulfillment_id,at\ndemo,1,2026-03-01T01:30:00Z\n")[0]
    )


def test_an_unknown_column_is_a_problem_of_each_row_and_names_the_nearest():
    """A misspelt column is never dropped silently, even where its cell is empty."""
    rows = read(HEADER.replace("note", "notes") + ROW + ROW)

    assert [(2, False), (3, False)] == outcome(rows)
    assert "'notes' (did you mean 'note'?)" in problem_of(rows[1])


def test_a_column_without_a_name_may_only_be_empty():
    """Empty columns that a spreadsheet adds do no harm, and a cell in one is a problem."""
    rows = read(HEADER[:-1] + ",,\n" + ROW[:-1] + ",,\n" + ROW[:-1] + ",x,\n")

    assert [(2, True), (3, False)] == outcome(rows)
    assert "The row has a cell in a column that has no name." == problem_of(rows[1])


def test_the_inside_of_a_quoted_field_is_never_read_as_rows():
    """A note that holds rows, and is too long to be taken, records nothing of what it holds."""
    forged = ROW * 2000

    rows = read(HEADER + ROW + ROW[:-1] + f'"{forged}"\n' + ROW)

    assert [(2, True), (3, False), (2004, True)] == outcome(rows)
    assert "begins in line 3 and ends in line 2003 has more than 65536 bytes" in problem_of(rows[1])


def test_a_quote_that_is_never_closed_says_how_far_it_reaches():
    """A stray quote costs the lines that it swallows, and the sentence says which they are."""
    rows = read(HEADER + ROW + ROW[:-1] + '"oh\n' + ROW * 3)

    assert [(2, True), (3, False)] == outcome(rows)
    assert "The row that begins in line 3 and ends in line 6 is not CSV" in problem_of(rows[1])
    assert "look for a quote that is not closed" in problem_of(rows[1])


def test_a_stray_quote_reaches_no_further_than_the_next_one():
    """After the next quote the rows are read again."""
    rows = read(HEADER + ROW[:-1] + '"oh\n' + ROW + ROW[:-1] + '"x"\n' + ROW)

    assert [(2, False), (5, True)] == outcome(rows)


UNUSABLE = [
    (ROW, "no header"),
    ("a,b,c\n" + ROW, "no header"),
    (b"\xff\xff\n" + ROW.encode(), "header of .* not UTF-8"),
    ('"shop,at\n' + ROW, "no header"),
    ("shop," + "x" * 70_000 + "\n" + ROW, "header of .* more than"),
    ("shop,at,shop\n", "names 'shop' more than once"),
]


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE)
def test_a_file_without_a_usable_header_is_refused_at_once(content, sentence):
    """No row can be read where nobody knows its columns."""
    with pytest.raises(InvalidInput, match=sentence):
        read(content, name="scans.csv")


def test_a_header_alone_is_a_file_of_no_rows():
    """An export of a day without scans is in order."""
    assert [] == read(HEADER, name="scans.csv")


@given(st.text(alphabet='",\na', max_size=40))
def test_records_are_cut_where_the_csv_module_cuts_them(text):
    """Our eye for quotes and Python's agree on every text."""
    raw = StringIO(text, newline="")
    stream = BytesIO(text.encode())

    expected = list(csv.reader(raw))
    found = [
        next(csv.reader([record.raw.decode()]), [])
        for record in records(stream, ended=CsvEnds(","))
    ]

    assert [[cell.rstrip("\n") for cell in row] for row in expected] == [
        [cell.rstrip("\n") for cell in row] for row in found
    ]


def test_a_quote_inside_a_long_bare_field_opens_nothing():
    """A quote that does not begin a field is a letter, also at the seam of two pieces."""
    for length in range(65450, 65550):
        rows = read(HEADER + ROW[:-1] + "n" * length + '"\n' + ROW, kind=RowFormat.CSV)
        assert (3, True) == outcome(rows)[-1]


def test_pieces_of_a_long_row_are_followed_across_their_seams():
    """A quote next to the seam of two pieces opens, closes or doubles as it should."""
    for length in range(65525, 65550):
        note = "n" * length + '"",""\n""'
        rows = read(HEADER + ROW[:-1] + f'"{note}"\n' + ROW, kind=RowFormat.CSV)
        assert [(2, False), (4, True)] == outcome(rows)
