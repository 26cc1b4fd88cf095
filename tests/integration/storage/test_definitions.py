from __future__ import annotations

import pytest
from sqlalchemy import select
from unit.domain.lifecycle.agreement import by_rows, disagreements

from carrierflow.domain.lifecycle import DEFAULT, GROUPS, define
from carrierflow.storage.tables import definitions, edges


@pytest.mark.parametrize(
    "definition",
    [
        DEFAULT,
        define(GROUPS),
        define(GROUPS, paid_on_delivery=False),
        *(define([group]) for group in GROUPS),
    ],
    ids=["default", "every group", "every group, cash apart", *GROUPS],
)
def test_rows_say_what_the_lifecycle_says(engine, make_store, definition):
    """The database's legal steps are those of definition, machine and table, in every cell."""
    with make_store(engine, definition).begin() as connection:
        rows = connection.execute(
            select(edges.c.machine, edges.c.from_status, edges.c.to_status)
            .join(definitions, definitions.c.number == edges.c.definition)
            .where(definitions.c.id == definition.id)
        ).all()

    assert [] == disagreements(definition, database=by_rows(rows))


def test_a_definition_is_written_once(engine, make_store):
    """A second program that knows the same lifecycle finds it and adds no rows."""
    for _ in range(2):
        with make_store(engine).begin() as connection:
            query = select(definitions.c.id).where(definitions.c.id == DEFAULT.id)
            found = connection.execute(query).scalars().all()

    assert [DEFAULT.id] == found
