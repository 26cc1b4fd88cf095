"""What the tests of this folder share: a good row, and short ways to read rows."""

import csv
import json
from io import BytesIO, StringIO

from carrierflow.ledger.files import RowFormat, read_rows


GOOD = {
    "shop": "demo",
    "fulfillment_id": "1001",
    "status": "delivered",
    "at": "2026-03-01T08:30:00+07:00",
}


def but(**changes):
    """Return the good row with some of its values changed, or gone where they are `...`."""
    return {name: value for name, value in (GOOD | changes).items() if value is not ...}


def read(content, *, kind=None, name="-", fill_gaps=False):
    """Read all rows of some text or bytes."""
    raw = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
    return list(read_rows(BytesIO(raw), kind=kind, name=name, fill_gaps=fill_gaps))


def read_json(*lines):
    """Read rows from lines, each an object or a text."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return read("\n".join(texts), kind=RowFormat.JSONL)


def read_csv(*rows, **options):
    """Read rows from cells under a header that names all of their columns."""
    out = StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, columns, **options)
    writer.writeheader()
    writer.writerows(rows)
    return read(out.getvalue(), kind=RowFormat.CSV)


def problem_of(row):
    """Return the sentence about a row that must have one."""
    assert row.event is None
    return str(row.problem)


def outcome(rows):
    """Return for each row its number, and whether it became an event."""
    return [(row.number, row.event is not None) for row in rows]
