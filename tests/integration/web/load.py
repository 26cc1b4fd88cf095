"""A load of callbacks against `carrierflow serve`, while a reconciler works beside it.

The callers, the server, and the reconciler with its platform are processes of their own.

    PYTHONPATH=tests python -m integration.web.load --rate 200 --seconds 60 --database URL

Calls leave at the times that a clock sets, however slow the answers are, and each latency counts
from the moment at which a call should have left: a server that falls behind cannot hide it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Ending
from threading import Thread
from urllib.parse import urlsplit

from carrierflow import Event, Status, build, generate_key, load_settings
from carrierflow.platforms.haravan.signing import sign
from carrierflow.sandbox.haravan import ParcelRef, SandboxServer, World
from carrierflow.storage import build_engine


EXAMPLES = Path(__file__).parents[3] / "examples"
SECRET = "load-secret"
CALLERS = 48
"""Connections kept open; more calls than that are never under way at once."""

LENGTH = re.compile(r"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
MIX = ("rates", "rates", "create", "detail", "detail", "detail", "cancel", "webhook")
WARM_UP = 4
"""Seconds of half the load that come first, and count for nothing."""

PAUSE = 5
"""Seconds between two runs of the reconciler; cron leaves more."""

PICKED_UP = 20
"""Parcels that a driver picks up between two runs, at most: each is a request to the platform."""

FIRST, COD = 5_000_001, 250_000


def main():
    """Run one load and print what came of it; exits with 1 if a call failed."""
    parser = argparse.ArgumentParser(prog="python -m integration.web.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="calls a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database", help="a database of its own; by default a SQLite file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{folder}/load.db"
        figures = load(url, Path(folder), rate=options.rate, seconds=options.seconds)
    print(json.dumps(figures, indent=2))
    raise SystemExit(int(figures["errors"] != {}))


def load(database, folder, *, rate, seconds):
    """Send the load and return its figures."""
    key = generate_key()
    with reconciling(database, key) as platform:
        with serving(database, key, folder) as url:
            calls = Calls(url, platform)
            calls.send(rate=rate / 2, seconds=WARM_UP)
            analyze(database)
            figures = calls.send(rate=rate, seconds=seconds)
        platform.send("end")
        return figures | platform.recv()


def analyze(database):
    """Let the database learn what its tables hold, as one in use has, and a fresh one has not."""
    if not database.startswith("mariadb"):
        engine = build_engine(database)
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        engine.dispose()


@contextmanager
def serving(database, key, folder):
    """Run `carrierflow serve` as a process of its own; yields its URL."""
    command = [sys.executable, "-m", "carrierflow", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(
        [*command, "--carrier", str(EXAMPLES / "carrier.py")],
        env={
            "CARRIERFLOW_DATABASE_URL": database,
            "CARRIERFLOW_SECRET_KEY": key,
            "CARRIERFLOW_CLIENT_SECRET": SECRET,
        },
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield json.loads("".join(process.stdout.readline() for _ in range(3)))["url"]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def reconciling(database, key):
    """Be the platform, and reconcile again and again beside the load; yields a pipe to it.

    It takes what the platform does to a parcel, and "end", which it answers with its figures.
    """
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=reconcile, args=(there, database, key)
    )
    process.start()
    try:
        assert here.recv() == "ready"
        yield here
    finally:
        process.terminate()
        process.join()


def reconcile(parent, database, key):
    """Be the platform of one shop, and the reconciler that looks at it, until told to end.

    Before each run a driver picks up a few of the new parcels, so that there is something to
    publish. It takes what the callbacks leave of the processors, as the how-to guide advises.
    """
    os.nice(10)
    app = build(load_settings(database_url=database, secret_key=key))
    app.upgrade()
    world = World()
    world.add_shop(code="load", token="token")
    waiting = deque(maxlen=PICKED_UP)
    ended = Ending()

    def take_in():
        while (told := parent.recv()) != "end":
            what, number = told
            parcel = {"order_id": number - 1_000_000, "fulfillment_id": number}
            if what == "made":
                world.add_parcel(shop="load", cod_amount=COD, **parcel)
                waiting.append(str(number))
            else:
                world.cancel_agreed(ParcelRef(shop="load", **parcel))
        ended.set()

    with SandboxServer(world) as platform:
        app.shops.add("load", token="token", base_url=platform.url)
        parent.send("ready")
        Thread(target=take_in).start()
        reports = []
        while not ended.wait(PAUSE):
            picked_up = [waiting.popleft() for _ in range(len(waiting))]
            for number in picked_up:
                app.ledger.record(Event(shop="load", fulfillment_id=number, status=Status.PICKING))
            reports += app.reconcile()
    app.store.engine.dispose()
    parent.send(
        {
            "runs": dict(Counter(str(report.end_reason) for report in reports)),
            "orders looked at": sum(report.orders for report in reports),
            "published": sum(report.published for report in reports),
        }
    )


class Calls:
    """Many callers that share one timetable."""

    def __init__(self, url, platform):
        self._place, self._platform = urlsplit(url), platform
        self._made, self._alive = [], {}
        self._latencies = []
        self._errors = Counter()
        self._results = Counter()
        self._numbers = itertools.count(FIRST)

    def send(self, *, rate, seconds):
        """Make the calls and return how long they took, in milliseconds, and what failed."""
        self._latencies, self._errors, self._results = [], Counter(), Counter()
        took = asyncio.run(self._send(rate, int(rate * seconds)))
        ordered = sorted(self._latencies)
        share = {p: ordered[int(len(ordered) * p / 100)] for p in (50, 95, 99)}
        return {
            "calls": len(ordered),
            "per second": round(len(ordered) / took),
            **{f"p{p} ms": round(1000 * value, 1) for p, value in share.items()},
            "worst ms": round(1000 * ordered[-1], 1),
            "results": dict(self._results),
            "errors": dict(self._errors),
        }

    async def _send(self, rate, count):
        chance, jobs = random.Random(1), asyncio.Queue()
        callers = [asyncio.create_task(self._call(jobs)) for _ in range(CALLERS)]
        began = time.monotonic() + 0.2
        for number in range(count):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            jobs.put_nowait((due, self._choose(chance)))
        for _ in callers:
            jobs.put_nowait(None)
        await asyncio.gather(*callers)
        return time.monotonic() - began

    def _choose(self, chance):
        kind = chance.choice(MIX)
        if kind in {"detail", "cancel"} and not self._made:
            kind = "create"
        if kind == "rates":
            return "POST", "/load/rates", {"total_grams": 1200.0, "cod_amount": 250000.0}
        if kind == "create":
            return "POST", "/load/orders", _parcel(next(self._numbers))
        if kind == "webhook":
            return "POST", "/webhooks", {"id": chance.randrange(10**6), "note": "Đổi địa chỉ"}
        number = {"tracking_number": chance.choice(self._made)}
        return ("POST", "/load/detail", number) if kind == "detail" else _cancel(number)

    async def _call(self, jobs):
        line = Line(self._place.hostname, self._place.port)
        while (job := await jobs.get()) is not None:
            due, (method, path, content) = job
            try:
                status, body = await line.ask(method, f"/haravan{path}", content)
                self._note(path, content, status, body)
            except (OSError, EOFError, ValueError) as error:
                self._errors[f"{path}: {type(error).__name__}"] += 1
            self._latencies.append(time.monotonic() - due)
        line.hang_up()

    def _note(self, path, content, status, body):
        if status != "200":
            self._errors[f"{path}: {status}"] += 1
            return
        if path == "/webhooks":
            self._results["webhook"] += 1
            return
        answer = json.loads(body)
        self._results[f"{path} {'refused' if answer['error'] else 'done'}"] += 1
        if not answer["error"]:
            self._tell_platform(path, content, answer["data"])

    def _tell_platform(self, path, content, data):
        """Let the platform do what it does after a yes: a parcel is there, or is cancelled."""
        if path == "/load/orders":
            number = content["external_fulfillment_id"]
            self._made.append(data["tracking_number"])
            self._alive[data["tracking_number"]] = number
            self._platform.send(("made", number))
        elif path == "/load/cancel" and content["tracking_number"] in self._alive:
            self._platform.send(("cancelled", self._alive.pop(content["tracking_number"])))


class Line:
    """One connection that is kept open; a client that leaves the processors to the server."""

    def __init__(self, host, port):
        self._place = host, port
        self._reader = self._writer = None

    async def ask(self, method, path, content):
        """Send one signed request and return the status and the body of its answer."""
        if self._reader is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        body = json.dumps(content).encode()
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: load\r\nContent-Length: {len(body)}\r\n"
            f"X-Haravan-Hmac-SHA256: {sign(body, SECRET)}\r\n"
            "X-Haravan-Topic: orders/updated\r\n\r\n".encode()
            + body
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = int(LENGTH.search(head)[1])
        return head.split(" ", 2)[1], await self._reader.readexactly(length)

    def hang_up(self):
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()


def _parcel(number):
    return {
        "external_store_id": 1,
        "external_order_id": number - 1_000_000,
        "external_fulfillment_id": number,
        "external_code": f"1_{number - 1_000_000}_{number}",
        "cod_amount": 250000.0,
        "total_grams": 1200.0,
        "shipping_rate_id": 1,
        "items": [{"name": "Áo dài", "quantity": 1, "grams": 1200.0, "price": 250000.0}],
    }


def _cancel(tracking):
    return "DELETE", "/load/cancel", tracking


if __name__ == "__main__":
    main()
