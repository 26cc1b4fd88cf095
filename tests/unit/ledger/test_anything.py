import csv
import json
from datetime import UTC, datetime
from io import StringIO

from hypothesis import example, given
from hypothesis import strategies as st

from carrierflow.domain.limits import MOST_CASH
from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput
from carrierflow.ledger.files import RowFormat, VerdictCounts
from carrierflow.ledger.files.fields import COLUMNS

from .reading import GOOD, read


HEADER = b"shop,fulfillment_id,status,at,note\n"
LINE = json.dumps(GOOD)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
odd_rows = st.dictionaries(st.sampled_from(COLUMNS) | st.text(), anything).map(
    lambda changes: json.dumps(GOOD | changes)
)
lines = st.lists(st.text() | odd_rows | st.sampled_from([LINE, "", "\r", "{}", "[]"]))

words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
free = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
numbers = st.integers(0, 10**40)
ids = numbers | numbers.map(str)
good_rows = st.fixed_dictionaries(
    {
        "shop": words,
        "fulfillment_id": ids,
        "status": st.sampled_from([*Status, *(status.upper() for status in Status)]),
        "at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    },
    optional={
        **dict.fromkeys(["actor", "reason", "key", "note"], free),
        "order_id": ids,
        "tracking_number": words,
        "cod_amount": st.integers(0, MOST_CASH),
    },
)


def settled(rows):
    """Return of each row what it says: its event, or the sentence about it."""
    return [row.event or str(row.problem) for row in rows]


@given(lines)
@example(["[" * 5000, LINE])
@example(["0\r0"])
@example(["0\0" * 8])
def test_every_line_that_is_not_blank_is_one_row(texts):
    """Whatever stands in a JSONL file, each line with content is accounted for exactly once.

    What is no text of ours is refused as a whole, with what to do about it.
    """
    raw = "\n".join(texts).encode(errors="surrogatepass").removeprefix(b"\xef\xbb\xbf")
    expected = [n for n, line in enumerate(raw.split(b"\n"), start=1) if line.strip()]

    rows, refusal = None, "save it"
    try:
        rows = read(raw, kind=RowFormat.JSONL)
    except InvalidInput as error:
        refusal = str(error) if expected else refusal

    if rows is None:
        assert "save it" in refusal
        return
    assert expected == [row.number for row in rows]
    assert all((row.event is None) != (row.problem is None) for row in rows)


@given(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass")))
def test_no_bytes_bring_a_reader_down(raw):
    """Any bytes at all, in any form, are rows or one refusal of the file."""
    for kind in (None, *RowFormat):
        for content in (raw, HEADER + raw, LINE.encode() + raw):
            try:
                rows = read(content, kind=kind)
            except InvalidInput:
                continue
            assert all((row.event is None) != (row.problem is None) for row in rows)
            assert sorted({row.number for row in rows}) == [row.number for row in rows]


@given(lines)
def test_rows_around_a_good_one_do_not_touch_it(texts):
    """A good row is read whatever lines stand before it."""
    rows = read("\n".join(["{}", *texts, LINE]), kind=RowFormat.JSONL)

    assert read(LINE)[0].event == rows[-1].event


@given(st.lists(good_rows, min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_both_formats_tell_the_same(rows, delimiter):
    """The same data as JSONL and as CSV gives equal events."""
    table = StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)

    from_json = read("\n".join(map(json.dumps, rows)), kind=RowFormat.JSONL)
    from_csv = read(table.getvalue(), kind=RowFormat.CSV)

    assert len(rows) == len(from_csv)
    assert settled(from_json) == settled(from_csv)


@given(lines)
def test_every_row_that_comes_in_is_counted(texts):
    """Rows read and rows counted agree, good and bad together."""
    rows = read("\n".join(["{}", *texts]), kind=RowFormat.JSONL)

    counts = VerdictCounts()
    for row in rows:
        counts = counts.add(row.problem or InvalidInput("Nobody recorded it."))

    assert (len(rows), len(rows)) == (counts.rows, counts.rejected)
