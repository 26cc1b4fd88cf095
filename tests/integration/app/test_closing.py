"""An application is closed by whoever built it, and opens again for whoever goes on using it."""

from __future__ import annotations

import pytest

from carrierflow import build, load_settings


@pytest.fixture
def settings(database):
    return load_settings(database_url=database.url)


def test_a_block_ends_with_the_connections_closed(settings):
    """After the block nothing is open at the server; a later use opens what it needs."""
    with build(settings) as app:
        app.shops.all()
        pool = app.store.engine.pool
        assert 1 == pool.checkedin()

    assert 0 == pool.checkedin()
    app.shops.all()
    app.close()
    assert 0 == app.store.engine.pool.checkedin()


def test_a_host_s_engine_stays_open(settings, engine):
    """What was handed over is not ours to close."""
    with build(settings, engine=engine) as app:
        app.shops.all()
        open_ones = engine.pool.checkedin()

    assert 0 < open_ones == engine.pool.checkedin()


def test_a_run_leaves_sealing_to_others(settings, monkeypatch):
    """Where another process seals, a run is told so and does not; by itself it does."""
    with build(settings) as app:
        sealed = []
        monkeypatch.setattr(app.sealer, "seal_if_possible", lambda: sealed.append(True))
        app.reconcile(hinted=True, seal=False)
        assert [] == sealed
        app.reconcile(hinted=True)
        assert [True] == sealed
