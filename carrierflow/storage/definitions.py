"""Lifecycle definitions as rows: each definition once, with its legal edges."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, select

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import Clock
from carrierflow.domain.lifecycle import Definition
from carrierflow.storage.administration import administer
from carrierflow.storage.direct import fetch_all
from carrierflow.storage.tables import definitions, edges


__all__ = ["Definitions"]

READ_NUMBER = select(definitions.c.number).where(definitions.c.id == bindparam("this"))


class Definitions:
    """The numbers that definitions bear in one database; valid as long as its transaction."""

    def __init__(self, known: Sequence[Definition], *, clock: Clock) -> None:
        self._known = {definition.id: definition for definition in known}
        self._clock = clock
        self._numbers: dict[str, int] = {}

    def number(self, connection: Connection, definition_id: str) -> int:
        """Return the number of a definition, after adding it if it is new."""
        found = self._numbers.get(definition_id)
        if found is None:
            rows = fetch_all(connection, READ_NUMBER, {"this": definition_id})
            found = rows[0].number if rows else self._add(connection, definition_id)
            self._numbers[definition_id] = found
        return found

    def ensure(self, connection: Connection) -> None:
        """Add those of the known definitions that the database has not."""
        for definition_id in self._known:
            self.number(connection, definition_id)

    def _add(self, connection: Connection, definition_id: str) -> int:
        definition = self._known[definition_id]
        number = (connection.execute(select(func.max(definitions.c.number))).scalar() or 0) + 1
        row = {"number": number, "id": definition.id, "canonical": definition.canonical}
        now, kind = self._clock(), AdministrationKind.DEFINITION_IN_FORCE
        connection.execute(insert(definitions), row | {"recorded_at": now})
        connection.execute(insert(edges), _edge_rows(definition, number))
        administer(connection, kind, now=now, subject=definition.id)
        return number


def _edge_rows(definition: Definition, number: int) -> list[dict[str, object]]:
    return [
        {
            "definition": number,
            "machine": machine.machine,
            "from_status": edge.from_status,
            "to_status": edge.to_status,
        }
        for machine in definition.machines
        for edge in sorted(machine.edges)
    ]
