"""A load of callbacks against `carrierflow serve`, while a reconciler works beside it.

    PYTHONPATH=tests python -m web.load --rate 200 --seconds 60 --database URL

Calls leave at the times that a clock sets, however slow the answers are, and each latency counts
from the moment at which a call should have left: a server that falls behind cannot hide it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import queue
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import requests

from carrierflow import build, generate_key, load_settings
from carrierflow.platforms.haravan.signing import sign
from carrierflow.sandbox import SandboxServer, World


EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "load-secret"
CALLERS = 48
"""Connections kept open; more calls than that are never under way at once."""

MIX = ("rates", "rates", "create", "detail", "detail", "detail", "cancel", "webhook")
FIRST, COD = 5_000_001, 250_000


def main():
    """Run one load and print what came of it; exits with 1 if a call failed."""
    parser = argparse.ArgumentParser(prog="python -m web.load", description=__doc__)
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
    app = build(load_settings(database_url=database, secret_key=key, rate_leak=1000))
    app.upgrade()
    world = World()
    world.add_shop(code="load", token="token")
    for number in range(FIRST, FIRST + int(rate * seconds)):
        order = number - 1_000_000
        world.add_parcel(shop="load", order_id=order, fulfillment_id=number, cod_amount=COD)
    with SandboxServer(world) as platform:
        app.shops.add("load", token="token", base_url=platform.url)
        with serving(database, key, folder) as url, reconciling(app) as reports:
            figures = Calls(url).send(rate=rate, seconds=seconds)
    app.store.engine.dispose()
    return figures | {
        "runs": dict(Counter(str(report.end_reason) for report in reports)),
        "orders looked at": sum(report.orders for report in reports),
        "published": sum(report.published for report in reports),
    }


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
def reconciling(app):
    """Reconcile again and again beside the load; yields the reports."""
    reports, going = [], [True]

    def work():
        while going:
            reports.extend(app.reconcile())
            time.sleep(1)

    thread = Thread(target=work)
    thread.start()
    try:
        yield reports
    finally:
        going.clear()
        thread.join()


class Calls:
    """Many callers that share one timetable."""

    def __init__(self, url):
        self._url = url
        self._jobs = queue.SimpleQueue()
        self._made = []
        self._latencies = []
        self._errors = Counter()
        self._results = Counter()
        self._numbers = itertools.count(FIRST)

    def send(self, *, rate, seconds):
        """Make the calls and return how long they took, in milliseconds, and what failed."""
        chance = random.Random(1)
        callers = [Thread(target=self._call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        began = time.monotonic() + 0.2
        for number in range(int(rate * seconds)):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            self._jobs.put((due, self._choose(chance)))
        for _ in callers:
            self._jobs.put(None)
        for caller in callers:
            caller.join()
        ordered = sorted(self._latencies)
        share = {p: ordered[int(len(ordered) * p / 100)] for p in (50, 95, 99)}
        return {
            "calls": len(ordered),
            "per second": round(len(ordered) / (time.monotonic() - began)),
            **{f"p{p} ms": round(1000 * value, 1) for p, value in share.items()},
            "worst ms": round(1000 * ordered[-1], 1),
            "results": dict(self._results),
            "errors": dict(self._errors),
        }

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
        tracking = {"tracking_number": chance.choice(self._made)}
        return ("POST", "/load/detail", tracking) if kind == "detail" else _cancel(tracking)

    def _call(self):
        session = requests.Session()
        while (job := self._jobs.get()) is not None:
            due, (method, path, content) = job
            try:
                self._note(path, self._ask(session, method, path, content))
            except (requests.RequestException, ValueError) as error:
                self._errors[f"{path}: {type(error).__name__}"] += 1
            self._latencies.append(time.monotonic() - due)

    def _ask(self, session, method, path, content):
        body = json.dumps(content).encode()
        headers = {"X-Haravan-Hmac-SHA256": sign(body, SECRET), "X-Haravan-Topic": "orders/updated"}
        url = f"{self._url}/haravan{path}"
        return session.request(method, url, data=body, headers=headers, timeout=30)

    def _note(self, path, reply):
        if reply.status_code != 200:
            self._errors[f"{path}: {reply.status_code}"] += 1
            return
        if path == "/webhooks":
            self._results["webhook"] += 1
            return
        answer = reply.json()
        self._results[f"{path} {'refused' if answer['error'] else 'done'}"] += 1
        if path == "/load/orders" and not answer["error"]:
            self._made.append(answer["data"]["tracking_number"])


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
