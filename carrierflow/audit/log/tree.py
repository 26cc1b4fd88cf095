"""The Merkle tree of RFC 6962: roots, and proofs that need no more than a few hashes.

Pure: where proofs need hashes of a large tree they ask for them one at a time, as complete
subtrees. A subtree of height h and number i covers the leaves from i·2^h up to (i + 1)·2^h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256


__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "Subtrees",
    "consistency_proof",
    "inclusion_proof",
    "is_consistent",
    "leaf_hash",
    "node_hash",
    "range_root",
    "root_of_proof",
    "subtrees_between",
]

Subtrees = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree of a height and a number."""

EMPTY_ROOT = sha256().digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf; its prefix keeps it apart from every node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, as the complete subtrees that it consists of; it holds a few hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Put one more leaf at the end, by its hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Put more leaves at the end, by their hashes."""
        peaks, size = self._peaks, self.size
        for node in leaves:
            filled = size
            while filled & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()  # noqa: PLW2901
                filled >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def add_subtree(self, height: int, node: bytes) -> None:
        """Put a complete subtree at the end, which must begin where one of its height can."""
        filled = self.size >> height
        while filled & 1:
            node = node_hash(self._peaks.pop(), node)
            filled >>= 1
        self._peaks.append(node)
        self.size += 1 << height

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def subtrees_between(subtrees: Subtrees, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Return the fewest complete subtrees over some leaves: first leaf, height, hash."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield start, height, subtrees(height, start >> height)
        start += 1 << height


def range_root(subtrees: Subtrees, start: int, end: int) -> bytes:
    """Return the root over the leaves from `start` up to `end`, as a tree of `end` splits them."""
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    height = count.bit_length() - 1
    if count == 1 << height:
        return subtrees(height, start >> height)
    middle = start + _split(count)
    return node_hash(range_root(subtrees, start, middle), range_root(subtrees, middle, end))


def inclusion_proof(subtrees: Subtrees, index: int, size: int) -> list[bytes]:
    """Return what leads from a leaf to the root of a tree of some size, from the leaf upwards."""
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(range_root(subtrees, middle, end))
            end = middle
        else:
            found.append(range_root(subtrees, start, middle))
            start = middle
    return found[::-1]


def consistency_proof(subtrees: Subtrees, old: int, new: int) -> list[bytes]:
    """Return what shows that a tree of one size is the beginning of a larger one."""
    start, end, found = 0, new, []
    if old == 0:
        return []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            found.append(range_root(subtrees, middle, end))
            end = middle
        else:
            found.append(range_root(subtrees, start, middle))
            start = middle
    if start:
        found.append(range_root(subtrees, start, end))
    return found[::-1]


def root_of_proof(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that an inclusion proof leads to; None if it is no such proof at all."""
    if not 0 <= index < size:
        return None
    place, last, node = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(step, node)
            place, last = _past_single_nodes(place, last)
        else:
            node = node_hash(node, step)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows one tree, by size and root, to be the beginning of another."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == 0 or old_size >= new_size:
        return not proof and (old_size == 0 or old == new)
    whole = old_size & (old_size - 1) == 0
    steps = [old_root, *proof] if whole else list(proof)
    if not steps:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(step, before), node_hash(step, after)
            place, last = _past_single_nodes(place, last)
        else:
            after = node_hash(after, step)
        place, last = place >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, new_root)


def _split(count: int) -> int:
    """Return the largest power of two below a number."""
    return 1 << ((count - 1).bit_length() - 1)


def _past_single_nodes(place: int, last: int) -> tuple[int, int]:
    """Climb over the levels on which a node at the right edge has no sibling."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last
