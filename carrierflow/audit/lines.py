"""Reading canonical texts back: the lines of an export, each judged by its own bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256

from carrierflow.audit.verify import Chains, Findings, Rules


__all__ = ["ChainReader", "parcel_of"]

TEXT = rb'"(?:[^"\\]|\\.)*"'
MAYBE = rb"(null|" + TEXT + rb")"
SOME = rb"(" + TEXT + rb")"
DIGEST = rb'"([0-9a-f]{64})"'
WORD = rb'"([a-z]+)"'
STAMP = rb'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"'
ENTRY = re.compile(
    rb'\{"actor":%b,"amends":%b,"cause":(?:null|%b),"definition":%b,"from":%b,'
    rb'"fulfillment_id":%b,"inferred":(?:true|false),"key":(?:null|%b),"machine":%b,'
    rb'"note_digest":(?:null|"[0-9a-f]{64}"),"occurred_at":%b,"order_id":%b,"prev":%b,'
    rb'"reason":%b,"recorded_at":%b,"seq":"([1-9][0-9]*)","shop":%b,"source":%b,"to":%b,'
    rb'"v":"1"\}'
    % (
        *(MAYBE, MAYBE, TEXT, DIGEST, WORD, SOME, TEXT, WORD),
        *(STAMP, SOME, DIGEST, MAYBE, STAMP, SOME, WORD, WORD),
    )
)
"""The canonical text of an entry, and nothing else."""

KEY = b'"fulfillment_id":'
AFTER = b',"inferred":'


def parcel_of(line: bytes) -> bytes:
    """Return what says of which parcel a line is, well enough to bring its lines together."""
    start = line.find(KEY)
    return line[start : line.find(AFTER, start)]


class ChainReader:
    """Replays the parcels of some lines, all of whose lines must come, in the order of the log."""

    def __init__(self, rules: Rules, findings: Findings, *, partial: bool) -> None:
        self._rules = rules
        self._findings = findings
        self._partial = partial
        self._chains: dict[tuple[bytes, bytes, bytes], Chains] = {}

    @property
    def parcels(self) -> int:
        """How many parcels came by."""
        return len(self._chains)

    def read(self, numbered: Iterable[tuple[int, bytes]]) -> None:
        """Take in some lines, each with its number in the file."""
        known, match = self._chains, ENTRY.fullmatch
        for number, line in numbered:
            found = match(line)
            if found is None:
                self._findings.add(f"line {number}", "it is no entry in its canonical form")
                continue
            actor, amends, definition, start, fulfillment, machine, order = found.group(
                *range(1, 8)
            )
            before, reason, seq, shop, _, end = found.group(*range(8, 14))
            parcel = (shop, order, fulfillment)
            chains = known.get(parcel)
            if chains is None:
                name = "/".join(json.loads(part) for part in parcel)
                chains = Chains(self._rules, self._findings, name, partial=self._partial)
                known[parcel] = chains
            step = (machine.decode(), int(seq), start.decode(), end.decode())
            links = (
                before.decode(),
                sha256(line).hexdigest(),
                None if amends == b"null" else amends,
                None if actor == b"null" else actor,
                None if reason == b"null" else reason,
            )
            chains.add(step, definition.decode(), links)

    def finish(self) -> None:
        """Look at what is asked of whole parcels."""
        for chains in self._chains.values():
            chains.finish()
