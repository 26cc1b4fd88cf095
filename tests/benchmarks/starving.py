"""What shops whose host hangs cost the others: the clock on the wall, with them and without.

The platform is another process on this machine, and each of its replies takes a while; the hosts
that hang are listeners that take requests and never answer. Time is real here.
"""

from __future__ import annotations

import multiprocessing
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain import clock
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.encryption import generate_key

from .measure import Spread, timed
from .platform_process import LATENCY, ids_of
from .results import Budget, Figure


__all__ = ["starving"]

PARCELS = 2
"""A small shop's, each with a step that the platform does not show yet at each pass."""

NIGHTS = {"a first pass": Status.PICKING, "a second pass": Status.DELIVERING}
"""What is told at each: at the first nobody knows yet who hangs."""

WALL = 1.1
ALONE, BESIDE = "alone", "beside hung ones"


def starving(kinds, size, folder):
    """Reconcile healthy shops alone, and as many beside hung ones; the ledger is on SQLite."""
    healthy, hung = size.beside
    where = f"{healthy} shops, {hung} hang"
    with _platform(2 * healthy) as url, _hung(hung) as deaf:
        alone = _Stage(Path(folder) / "alone.db", url, range(healthy), ())
        beside = _Stage(Path(folder) / "beside.db", url, range(healthy, 2 * healthy), deaf)
        for night, status in NIGHTS.items():
            walls = {}
            for who, stage in ((ALONE, alone), (BESIDE, beside)):
                stage.record(status)
                walls[who] = timed(stage.reconcile).wall
                yield Figure(
                    bench=f"time of {night}",
                    where=where,
                    who=who,
                    spread=Spread.of([walls[who]]),
                    unit="s",
                )
            yield Budget(
                promise=f"time of {night}, against the same shops alone",
                where=where,
                limit=WALL,
                spread=Spread.of([walls[BESIDE] / walls[ALONE]]),
            )
        for stage in (alone, beside):
            stage.close()


class _Stage:
    """A carrier with healthy shops, and hung ones evenly between them."""

    def __init__(self, path, url, places, deaf):
        key = generate_key()
        self._app = build(Settings(database_url=f"sqlite:///{path}", secret_key=key))
        self._app.upgrade()
        self._places = {_code(place): place for place in places}
        self._healthy = len(places)
        for place in places:
            self._app.shops.add(_code(place), token=f"token-{_code(place)}", base_url=url)
        for number, host in enumerate(deaf, 1):
            last = places[number * len(places) // len(deaf) - 1]
            self._places[f"{_code(last)}-hung"] = last
            self._app.shops.add(f"{_code(last)}-hung", token="t", base_url=host)
        for code, place in self._places.items():
            for number in range(PARCELS):
                order, fulfillment = (f"{it}" for it in ids_of(place, number))
                ref = FulfillmentRef(shop=code, order_id=order, fulfillment_id=fulfillment)
                self._app.ledger.open(Opening(ref=ref, cod_amount=0))

    def close(self):
        """Let the database go."""
        self._app.store.engine.dispose()

    def record(self, status):
        """Record a step of every parcel."""
        events = [
            Event(
                shop=code,
                fulfillment_id=f"{ids_of(place, number)[1]}",
                status=status,
                occurred_at=clock.now(),
            )
            for code, place in self._places.items()
            for number in range(PARCELS)
        ]
        assert all(answer.verdict == "accepted" for answer in self._app.ledger.record_many(events))

    def reconcile(self):
        """Make one pass; the healthy ones are whole after it, and the others unanswered."""
        reports = self._app.reconcile(full=True)
        ended = {r.shop: r.end_reason for r in reports}
        for code, reason in ended.items():
            assert reason == ("unavailable" if code.endswith("-hung") else "done"), (code, reason)
        assert sum(report.published for report in reports) == PARCELS * self._healthy


def _code(place):
    return f"shop-{place:04}"


@contextmanager
def _hung(count):
    with ExitStack() as stack:
        hosts = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        yield [f"http://127.0.0.1:{host.getsockname()[1]}" for host in hosts]


@contextmanager
def _platform(shops):
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, shops), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(parent, shops):
    world = World()
    for place in range(shops):
        world.add_shop(code=_code(place), token=f"token-{_code(place)}")
        for number in range(PARCELS):
            order, fulfillment = ids_of(place, number)
            world.add_parcel(
                shop=_code(place),
                order_id=order,
                fulfillment_id=fulfillment,
                cod_amount=0,
                carrier_status="readytopick",
            )
    with SandboxServer(world, latency=LATENCY) as server:
        parent.send(server.url)
        parent.recv()
