"""What others wrote is shown as it is, whole, and as wide as there is room."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import carrierflow
from carrierflow.cli.terminal import LONG, Page, cells, json_text
from carrierflow.domain.foreign_text import shown


NASTY = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
        st.sampled_from(list("[]/:*_\\ e\u0301漢")),
    ),
    max_size=30,
)
WORDS = st.lists(st.text(st.sampled_from("abc0ộ漢"), min_size=1, max_size=12), max_size=12)
CELLS = WORDS.map(" ".join)


def printed(width, draw):
    """Return the lines that are printed on a page."""
    lines = []
    draw(Page(lines.append, width=width, bold=False))
    return lines


@given(NASTY)
def test_a_text_is_shown_on_one_line_and_moves_nothing(text):
    """Nothing that steers a terminal or turns the reading gets through; what prints is as it is."""
    line = shown(text)

    assert line.isprintable()
    assert not text.isprintable() or line == text


@given(NASTY, st.sampled_from(["utf-8", "cp1252", "ascii", "cp1258"]))
def test_json_is_exact_and_safe_in_every_encoding(text, encoding):
    """A program reads back what was there; a terminal sees nothing but print."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # as JSON pairs
    document = {"text": [text], text: 1}

    made = json_text(document, encoding=encoding)

    assert document == json.loads(made)
    assert made.replace("\n", "").isprintable()
    assert made.encode(encoding)


@given(st.integers(20, 130), CELLS, st.integers(0, 5))
def test_prose_is_wrapped_between_words(width, text, indent):
    """Every word is there, whole and in order; no line is too wide that could be broken."""
    line = " " * indent + text

    lines = printed(width, lambda page: page.say(line))

    assert text.split() == [word for part in lines for word in part.split()]
    assert all(cells(part) <= width or len(part.split()) == 1 for part in lines)


@given(
    st.integers(20, 130),
    st.integers(1, 8).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)
    ),
)
def test_no_table_is_wider_than_the_terminal_and_none_cuts_a_word(width, rows):
    """Each word of each cell is printed whole; only a word that is too long stands out."""
    columns = [f"c{number}" for number in range(len(rows[0]))]
    longest = max([2, *(cells(word) for row in rows for cell in row for word in cell.split())])

    lines = printed(width, lambda page: page.table(columns, rows))

    told = " ".join(lines).split()
    for word in [word for row in rows for cell in row for word in cell.split()]:
        assert word in told
    assert max(map(cells, lines)) <= max(width, longest + 4)


def test_a_table_without_room_becomes_blocks():
    """Where columns have no room beside each other, they stand below each other."""
    row = ("1234567890123", "a sentence of some words", "9876543210")

    lines = printed(30, lambda page: page.table(("order", "says", "amount"), [row, row]))

    block = [
        "order   1234567890123",
        "says    a sentence of some",
        "        words",
        "amount  9876543210",
    ]
    assert [*block, "", *block] == lines


def test_an_amount_stays_with_its_currency():
    """A line is never broken between digits and the sign of the đồng."""
    lines = printed(24, lambda page: page.say("cash of 1,170,000 đ or 99.000 ₫ more"))

    assert ["cash of 1,170,000 đ or", "99.000 ₫ more"] == lines


def test_without_a_width_nothing_is_wrapped():
    """What goes into a pipe stays on its line, for whoever looks for it there."""
    text = "word " * 100 + "end"

    assert [text] == printed(None, lambda page: page.say(text))
    assert re.search("end$", printed(None, lambda page: page.table(("x",), [(text,)]))[-1])


def test_commands_print_by_one_way():
    """No command prints past the page that shows the texts of others as they are."""
    printing = re.compile(
        r"(?:click\.s?echo|(?<![\w.])print|\.(?:stdout|stderr)\.write)\(|[Cc]onsole\b"
    )
    package = Path(carrierflow.__file__).parent
    files = [*(package / "cli").glob("*.py"), *(package / "demo").glob("*.py")]

    found = {file.name for file in files if printing.search(file.read_text("utf-8"))}

    assert {"progress_bar.py", "session.py"} == found


@pytest.mark.parametrize(("length", "lines"), [(LONG, LONG + 4), (LONG + 1, 1)])
def test_a_document_that_only_a_program_reads_is_one_line(length, lines):
    """A short list is laid out for people; a long one says the same, and is written in a moment."""
    document = {"shops": [f"đ-{number}" for number in range(length)]}

    made = json_text(document)

    assert document == json.loads(made)
    assert lines == made.count("\n") + 1
