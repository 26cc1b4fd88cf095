"""Verifying a long history takes no more memory than a short one."""

from __future__ import annotations

import tracemalloc

import pytest

from carrierflow.audit.verify.database import DatabaseVerifier, trusted
from carrierflow.audit.verify.export import Expectations, verify_export


MOST_GROWTH = 1_000_000
"""Bytes; the rows of the longer history that are looked at hold many times as much."""

pytestmark = pytest.mark.slow


def peak_of(work):
    """Return the most memory that some work held at once, and what it returned."""
    work()
    tracemalloc.start()
    try:
        answer = work()
        return tracemalloc.get_traced_memory()[1], answer
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_history(book, tmp_path, monkeypatch):
    """Four times the rows, on the database and in an export: about the same memory."""
    monkeypatch.setattr("carrierflow.audit.verify.export.SHARE_BYTES", 500_000)
    expected = Expectations(trust=trusted(()), unauthenticated=True)
    verifier = DatabaseVerifier(book.store, book.sealer())
    peaks = []
    for count, first in ((1_000, 1), (3_000, 2_000)):
        book.record(count, first=first)
        book.sealer().seal()
        folder = book.exporter().export(tmp_path / str(first)).folder
        live, verified = peak_of(verifier.verify)
        alone, checked = peak_of(lambda f=folder: verify_export(f, expected))
        assert verified.ok
        assert checked.ok
        peaks.append((verified.rows, live, alone))

    (short, *before), (long, *after) = peaks
    assert (6_000, 24_000) == (short, long)
    print(peaks)
    assert [True, True] == [b - a < MOST_GROWTH for a, b in zip(before, after, strict=True)], peaks
