"""The process from which others are forked has what these would import: each costs little."""

from __future__ import annotations

import sys

from carrierflow.app.build import build
from carrierflow.app.settings import Settings

from .processes import CONTEXT


def _imported(mouth, url):
    """Build what a process of a carrier holds, use it, and say what had to be imported for that."""
    before = set(sys.modules)
    with build(Settings(database_url=url)) as app:
        app.upgrade()
        app.coverage()
        app.reconcile()
    mouth.send(sorted(set(sys.modules) - before))


def test_a_forked_process_imports_nothing_of_ours(tmp_path):
    """All of it is there: importing it would take longer than what most processes are made for."""
    ear, mouth = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_imported, args=(mouth, f"sqlite:///{tmp_path / 'a.db'}"))
    process.start()
    assert ear.poll(60)
    imported = ear.recv()
    process.join()

    ours = [name for name in imported if name.startswith("carrierflow.")]
    assert [] == [name for name in ours if ".migrations." not in name]
