"""The tree is the one of RFC 6962, and its proofs prove."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.audit.log.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    range_root,
    root_of_proof,
)


INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the tests of Certificate Transparency's own log servers."""

sizes = st.integers(1, 70)


def leaves(size):
    """Return the hashes of some leaves."""
    return [leaf_hash(str(number).encode()) for number in range(size)]


def slow_root(hashes):
    """Compute a root as the RFC's text defines it, by recursion."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    middle = 1
    while middle * 2 < len(hashes):
        middle *= 2
    return node_hash(slow_root(hashes[:middle]), slow_root(hashes[middle:]))


def subtrees(hashes):
    """Return complete subtrees over some leaves."""

    def subtree(height, number):
        part = hashes[number << height : (number + 1) << height]
        assert len(part) == 1 << height
        return slow_root(part)

    return subtree


def frontier_root(hashes):
    """Compute a root as it is done for a stream of leaves."""
    frontier = Frontier()
    for each in hashes:
        frontier.add(each)
    return frontier.root()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size):
    """The published roots of one to eight leaves come out."""
    hashes = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]

    assert ROOTS[size - 1] == frontier_root(hashes).hex()
    assert ROOTS[size - 1] == range_root(subtrees(hashes), 0, size).hex()


@given(size=st.integers(0, 200))
def test_a_stream_gives_the_root_of_the_definition(size):
    """Adding leaves one by one ends at the root that the definition gives."""
    hashes = leaves(size)

    assert slow_root(hashes) == frontier_root(hashes)
    assert slow_root(hashes) == range_root(subtrees(hashes), 0, size)


@given(data=st.data(), size=sizes)
def test_every_leaf_is_proven_and_no_other(data, size):
    """A proof leads from its leaf to the root, and from no other leaf or place."""
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(subtrees(hashes), index, size)

    assert slow_root(hashes) == root_of_proof(hashes[index], index, size, path)
    assert slow_root(hashes) != root_of_proof(leaf_hash(b"forged"), index, size, path)
    other = data.draw(st.integers(-1, size).filter(lambda n: n != index))
    assert slow_root(hashes) != root_of_proof(hashes[index], other, size, path)
    assert root_of_proof(hashes[index], index, size, [*path, bytes(32)]) is None


@given(data=st.data(), new=sizes)
def test_a_smaller_tree_is_shown_to_be_the_beginning(data, new):
    """A consistency proof holds for the two roots, and for no forged one."""
    hashes = leaves(new)
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(subtrees(hashes), old, new)
    before, after = (old, slow_root(hashes[:old])), (new, slow_root(hashes))

    assert is_consistent(before, after, proof)
    assert not is_consistent(before, after, [*proof, bytes(32)])
    if old:
        assert not is_consistent((old, bytes(32)), after, proof)
    if 0 < old < new:
        assert not is_consistent(before, (new, bytes(32)), proof)
        assert not is_consistent(before, after, proof[:-1])


def test_a_leaf_is_no_node():
    """What hashes as a leaf never hashes as a node: the prefixes differ."""
    left, right = leaves(2)

    assert node_hash(left, right) != leaf_hash(left + right)
