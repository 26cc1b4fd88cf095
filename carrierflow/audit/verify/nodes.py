"""The hashes of the tree that are kept beside the log: they must be those of its entries.

Proofs are made of them. Over the hashes of one level stands the same root as over the leaves
below them, so one comparison a level finds any that was changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from carrierflow.audit.log.kept import Expected, leaf_in
from carrierflow.audit.log.sql import WIDTH_BITS
from carrierflow.audit.log.tree import Frontier
from carrierflow.audit.verify.replay import Findings
from carrierflow.audit.verify.sql import node_rows
from carrierflow.storage import Connection


__all__ = ["expected_nodes"]


def expected_nodes(connection: Connection, size: int, findings: Findings) -> Iterator[Expected]:
    """Return the roots that the kept hashes say of a log of at least so many entries."""
    for level in count(1):
        where, frontier = f"hashes of level {level}", Frontier()
        for position, text in node_rows(connection, level):
            if position != frontier.size:
                break
            frontier.add(leaf_in(text))
        if frontier.size < size >> (WIDTH_BITS * level):
            findings.add(where, f"number {frontier.size} is missing")
        if not frontier.size:
            return
        yield Expected(
            size=frontier.size << (WIDTH_BITS * level),
            root=frontier.root(),
            where=where,
            other="they are not those of the entries: one of them was changed",
            short="they speak of more entries than the {size} of the log",
        )
