from __future__ import annotations

import pytest
from sqlalchemy import select

from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import edges


NAMES = (edges.c.machine, edges.c.from_status, edges.c.to_status)
QUERY = select(*NAMES).order_by(*NAMES)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 7])
def test_all_rows_come_in_their_order(store, count):
    """Whether or not the last page is full, no row is left out and none comes twice."""
    with store.reading() as connection:
        query = QUERY.limit(count)
        expected = [tuple(row) for row in connection.execute(query)]
        pages = list(streamed(connection, query, at_once=3))

    assert count == len(expected)
    assert expected == [tuple(row) for page in pages for row in page]
    assert all(len(page) <= 3 for page in pages)


def test_a_reader_may_stop_and_ask_something_else(store):
    """What was fetched ahead is forgotten, and the connection serves the next question."""
    with store.reading() as connection:
        pages = streamed(connection, QUERY, at_once=2)
        first = next(pages)
        pages.close()
        after = connection.execute(QUERY.limit(2)).all()

    assert [tuple(row) for row in first] == [tuple(row) for row in after]
