"""Where the lines of an export stand in the log, and that nothing else does."""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from hashlib import sha256

from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.kept import TreeCheck
from carrierflow.audit.log.tree import Frontier, root_of_proof
from carrierflow.audit.verify.replay import Findings


__all__ = ["PartOfLog", "ProvenLines", "WholeLog"]

PLACE = re.compile(rb"(0|[1-9][0-9]*) ([A-Za-z0-9+/=]{44})((?: [A-Za-z0-9+/=]{44})*)\n")
"""A line of `places.txt`: the place, the leaf, and what leads from it to the root."""

GAP = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9]|[1-5][0-9]) ([A-Za-z0-9+/=]{44})\n")
"""A line of `left_out.txt`: the first place, the height of the subtree, its hash."""

CHANGED = "its content is not what was sealed at its place: it was changed since"
AT_ONCE = 2_000


class WholeLog:
    """Builds the tree from the places of every line, which must leave none out."""

    def __init__(self, tree: TreeCheck, findings: Findings) -> None:
        self._tree = tree
        self._findings = findings
        self._leaves: list[bytes] = []

    def add(self, number: int, text: bytes, place: bytes) -> None:
        """Take in the next line, and what is said of its place."""
        leaf = sha256(b"\x00" + text).digest()
        if place != b"%d %b\n" % (number - 1, b2a_base64(leaf, newline=False)):
            leaf = self._stated(number, leaf, place)
        self._leaves.append(leaf)
        if len(self._leaves) == AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Compare the end."""
        self._flush()
        self._tree.finish()

    def _stated(self, number: int, leaf: bytes, place: bytes) -> bytes:
        """Say what is wrong, and go on with the leaf that the place names, if it names one."""
        found = PLACE.fullmatch(place)
        if found is None or int(found[1]) != number - 1:
            self._findings.add(f"line {number}", f"place {number - 1} of the log is missing")
        if found is None or b2a_base64(leaf, newline=False) == found[2]:
            return leaf
        self._findings.add(f"line {number}", CHANGED)
        return a2b_base64(found[2])

    def _flush(self) -> None:
        self._tree.add(self._leaves)
        self._leaves = []


class ProvenLines:
    """Follows the proof of each line to the root that was signed, as older forms have them."""

    def __init__(self, newest: Checkpoint, findings: Findings) -> None:
        self._newest = newest
        self._findings = findings
        self._last = -1

    def add(self, number: int, text: bytes, place: bytes) -> None:
        """Take in the next line, and what is said of its place."""
        found = PLACE.fullmatch(place)
        if found is None:
            self._findings.add(f"line {number}", "its place in the log is missing")
            return
        index, leaf = int(found[1]), sha256(b"\x00" + text).digest()
        if index <= self._last:
            self._findings.add(f"line {number}", "it stands in another order than in the log")
        self._last = index
        path = [a2b_base64(each) for each in found[3].split()]
        if b2a_base64(leaf, newline=False) != found[2]:
            self._findings.add(f"line {number}", CHANGED)
        elif root_of_proof(leaf, index, self._newest.size, path) != self._newest.root:
            what = f"its proof does not lead to the checkpoint of {self._newest.size} entries: "
            self._findings.add(f"line {number}", what + "it never stood in this log")

    def finish(self) -> None:
        """Nothing is owed at the end: a part of a log can be any part."""


class PartOfLog:
    """Builds the tree from the lines and from what is left out between them: no place is missing.

    What is left out is there by its hashes alone, which say nothing of it.
    """

    def __init__(self, newest: Checkpoint, gaps: Iterable[bytes], findings: Findings) -> None:
        self._newest = newest
        self._gaps = iter(gaps)
        self._findings = findings
        self._tree = Frontier()
        self._broken = False

    def add(self, number: int, text: bytes, place: bytes) -> None:
        """Take in the next line, and what is said of its place."""
        found = PLACE.fullmatch(place)
        if found is None:
            self._findings.add(f"line {number}", "its place in the log is missing")
            self._broken = True
            return
        if b2a_base64(sha256(b"\x00" + text).digest(), newline=False) != found[2]:
            self._findings.add(f"line {number}", CHANGED)
        self._skip_to(int(found[1]))
        self._tree.add(a2b_base64(found[2]))

    def finish(self) -> None:
        """Compare the whole with the root that was signed."""
        newest = self._newest
        self._skip_to(newest.size)
        if self._broken:
            return
        if next(self._gaps, None) is not None or self._tree.root() != newest.root:
            what = "the lines and what is left out are not the entries that it covers"
            self._findings.add(f"checkpoint {newest.size}", what)

    def _skip_to(self, place: int) -> None:
        while not self._broken and self._tree.size < place:
            found = GAP.fullmatch(next(self._gaps, b""))
            start, height = (int(found[1]), int(found[2])) if found else (-1, 0)
            fits = start == self._tree.size and start % (1 << height) == 0
            if found is None or not fits or start + (1 << height) > place:
                return self._miss()
            self._tree.add_subtree(height, a2b_base64(found[3]))
        if not self._broken and self._tree.size != place:
            return self._miss(place)
        return None

    def _miss(self, place: int | None = None) -> None:
        self._broken = True
        at = self._tree.size if place is None else place
        what = "it is neither among the lines nor said to be left out: an entry was taken away"
        if place is not None:
            what = "it stands there twice, or in another order than in the log"
        self._findings.add(f"place {at}", what)
