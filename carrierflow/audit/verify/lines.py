"""Reading canonical texts back: the lines of an export, each judged by its own bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256

from carrierflow.audit.verify.agreed_chains import AgreedChains
from carrierflow.audit.verify.replay import Chains, Findings, Rules


__all__ = ["NO_ENTRY", "ChainReader", "is_flat", "kind_of", "moment_of", "parcel_of"]

TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
MAYBE = rf"(null|{TEXT})"
SOME = rf"({TEXT})"
DIGEST = r'"([0-9a-f]{64})"'
WORD = r'"([a-z]+)"'
STAMP = r'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"'
ENTRY = re.compile(
    rf'\{{"actor":{MAYBE},"amends":{MAYBE},"cause":(?:null|{TEXT}),"definition":{DIGEST},'
    rf'"from":{WORD},"fulfillment_id":{SOME},"inferred":(?:true|false),"key":(?:null|{TEXT}),'
    rf'"machine":{WORD},"note_digest":(?:null|"[0-9a-f]{{64}}"),"occurred_at":{STAMP},'
    rf'"order_id":{SOME},"prev":{DIGEST},"reason":{MAYBE},"recorded_at":{STAMP},'
    rf'"seq":"([1-9][0-9]*)","shop":{SOME},"source":"[a-z]+","to":{WORD},"v":"1"\}}'
)
"""The canonical text of an entry, and nothing else."""

OTHER = re.compile(
    rf'\{{"[a-z_]+":(?:null|true|false|{TEXT})(?:,"[a-z_]+":(?:null|true|false|{TEXT}))*\}}'
)
"""The canonical text of an entry of any other kind: its order and its words are proven by leaf."""

NO_ENTRY = "it is no entry in its canonical form"
KIND = b'"kind":"'
KEY = b'"fulfillment_id":"'


def kind_of(line: bytes) -> str | None:
    """Return what kind of entry a line says it is; None for a step, which says nothing.

    Inside of a text every quotation mark is escaped, so the key is found nowhere else.
    """
    return _value(line, KIND)


def moment_of(line: bytes, column: str) -> str | None:
    """Return the moment that a line has under a key; None if it has none."""
    return _value(line, b'"%b":"' % column.encode())


def _value(line: bytes, key: bytes) -> str | None:
    start = line.find(key)
    if start < 0:
        return None
    start += len(key)
    return line[start : line.find(b'"', start)].decode(errors="replace")


def is_flat(line: bytes) -> bool:
    """Tell whether a line is one flat object, as every entry is."""
    return OTHER.fullmatch(line.decode(errors="replace")) is not None


def parcel_of(line: bytes) -> bytes:
    """Return what says of which parcel a line is, well enough to bring its lines together."""
    start = line.find(KEY) + len(KEY)
    return line[start : line.find(b'"', start)]


class ChainReader:
    """Replays the parcels of some lines, all of whose lines must come, in the order of the log."""

    def __init__(self, rules: Rules, findings: Findings, *, partial: bool, agreed: bool) -> None:
        """`agreed` says whether the lines tell what was agreed, too; those of old forms do not."""
        self._rules = rules
        self._agreed = AgreedChains(findings) if agreed else None
        self._findings = findings
        self._partial = partial
        self._chains: dict[tuple[str, ...], Chains] = {}

    @property
    def parcels(self) -> int:
        """How many parcels came by."""
        return len(self._chains)

    def read(self, numbered: Iterable[tuple[int, bytes]]) -> None:
        """Take in some lines, each with its number in the file: steps, and what was agreed."""
        known, match = self._chains, ENTRY.fullmatch
        for number, line in numbered:
            if KIND in line:
                if self._agreed is not None and not self._agreed.add(line):
                    self._findings.add(f"line {number}", NO_ENTRY)
                continue
            found = match(line.decode(errors="replace"))
            if found is None:
                self._findings.add(f"line {number}", NO_ENTRY)
                continue
            actor, amends, definition, start, *names = found.groups()
            fulfillment, machine, order, before, reason, seq, shop, end = names
            chains = known.get((shop, order, fulfillment))
            if chains is None:
                chains = self._begin(shop, order, fulfillment)
            own = sha256(line).hexdigest()
            amendment = None if amends == "null" else (_known(actor), _known(reason))
            chains.add(machine, int(seq), start, end, definition, before, own, amendment)

    def _begin(self, *parcel: str) -> Chains:
        name = "/".join(json.loads(part) for part in parcel)
        made = Chains(self._rules, self._findings, name, partial=self._partial)
        self._chains[parcel] = made
        return made

    def finish(self) -> None:
        """Look at what is asked of whole parcels."""
        for chains in self._chains.values():
            chains.finish()
        if self._agreed is not None and not self._partial:
            self._agreed.finish(self._chains)


def _known(text: str) -> str | None:
    return None if text == "null" else text
