"""A Haravan and a carrier as processes of their own, a seller in front, an operator behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from terminals import runner

from carrierflow.cli import cli
from carrierflow.storage.encryption import generate_key


__all__ = ["Operator", "Seller", "Town", "open_town", "until"]

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = "myshop"
PATIENCE = 60.0


class Town:
    """What a test has at hand: the seller, the operator, and the address of the carrier."""

    def __init__(self, seller, operator, carrier):
        self.seller = seller
        self.operator = operator
        self.carrier = carrier


class Seller:
    """The seller's desk and the controls of the sandbox, over HTTP."""

    def __init__(self, url):
        self.url = url
        self._session = requests.Session()

    def does(self, deed, **wish):
        """Do what the page would do, and return status and JSON."""
        reply = self._session.post(
            f"{self.url}/seller/{deed}", json={"shop": SHOP, **wish}, timeout=PATIENCE
        )
        return reply.status_code, reply.json()

    def state(self):
        """Return what the page shows."""
        return self._session.get(f"{self.url}/seller/state", timeout=PATIENCE).json()

    def parcel(self, ids):
        """Return one parcel as the page shows it."""
        parcels = [each for order in self.state()["orders"] for each in order["parcels"]]
        return next(each for each in parcels if each["id"] == ids["fulfillment_id"])

    def statuses(self, ids):
        """Return the delivery and the COD code that the page shows of a parcel."""
        parcel = self.parcel(ids)
        return parcel["delivery"]["code"], parcel["cod"]["code"]

    def ships(self, *, cod=0):
        """Make an order, look at the rates, choose the first, ship; return the parcel's ids."""
        order_id = self.does("orders", total=cod)[1]["order_id"]
        status, rates = self.does("rates", order_id=order_id, cod_amount=cod)
        assert (200, []) == (status, rates["problems"])
        offer = rates["offers"][0]
        chosen = {"carrier": offer["carrier"], "service_id": offer["service_id"]}
        status, made = self.does("ship", order_id=order_id, cod_amount=cod, **chosen)
        assert 200 == status, made
        return {"order_id": order_id, "fulfillment_id": made["fulfillment_id"]}

    def controls(self, call, **body):
        """Make one control call, and return its JSON."""
        method = "GET" if call in {"state", "judge", "calls"} else "POST"
        url = f"{self.url}/_sandbox/{call}"
        reply = self._session.request(method, url, json=body or None, timeout=PATIENCE)
        assert 200 == reply.status_code, reply.text
        return reply.json()


class Operator:
    """Who works with the command line; every command is given the deployment's environment."""

    def __init__(self, environment):
        self._environment = environment

    def runs(self, *command, code=0):
        """Run a command, expect its exit code, and return its JSON."""
        found = runner().invoke(
            cli, [*map(str, command), "--json"], env=self._environment, catch_exceptions=False
        )
        assert code == found.exit_code, f"{command}: {found.output}"
        return json.loads(found.stdout)

    def scans(self, ids, status):
        """Record one scan of a parcel; nobody else hears of it."""
        answer = self.runs("record", SHOP, ids["fulfillment_id"], status)
        assert "accepted" == answer["verdict"]

    def publishes(self):
        """Tell the platform everything that it lacks; nothing may be left."""
        self.runs("reconcile", "--shop", SHOP)

    def records(self, ids, *statuses):
        """Record scans of a parcel, one after the other, and tell the platform of each."""
        for status in statuses:
            self.scans(ids, status)
            self.publishes()

    def shows(self, ids):
        """Return both machines' status in the ledger."""
        head = self.runs("show", SHOP, ids["fulfillment_id"])
        return head["carrier_status"], head["cod_status"]


@contextmanager
def open_town(folder):
    """Start a sandbox and a carrier that know of each other; yields the town."""
    with _process("sandbox", "--port", "0", "--shop", SHOP, "--token", "") as sandbox:
        seller = Seller(sandbox["url"])
        port = _free_port()
        carrier = f"http://127.0.0.1:{port}/haravan"
        environment = _environment(folder, sandbox["url"], carrier)
        operator = Operator(environment)
        operator.runs("db", "upgrade")
        seller.controls("app", webhook_url=f"{carrier}/webhooks", install_url=f"{carrier}/install")
        serve = ["serve", "--carrier", str(EXAMPLES / "carrier.py"), "--port", str(port)]
        with _process(*serve, environment=environment, folder=folder):
            yield Town(seller, operator, carrier)


def until(is_so, *, what):
    """Wait until something has come true, which other processes bring about."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def _environment(folder, platform, carrier):
    return {
        "CARRIERFLOW_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "CARRIERFLOW_SECRET_KEY": generate_key(),
        "CARRIERFLOW_CLIENT_ID": "sandbox-app",
        "CARRIERFLOW_CLIENT_SECRET": "sandbox-secret",
        "CARRIERFLOW_CARRIER_NAME": "Giao Thử",
        "CARRIERFLOW_PUBLIC_URL": carrier,
        "CARRIERFLOW_ACCOUNTS_URL": platform,
        "CARRIERFLOW_WEBHOOK_URL": platform,
        "CARRIERFLOW_WEBHOOK_VERIFY_TOKEN": "sandbox-verify",
    }


@contextmanager
def _process(*command, environment=None, folder=None):
    """Run a command that serves, yield the JSON that it begins with, and end it politely."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "carrierflow", *command, "--json"],
        env=inherited | (environment or {}),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=PATIENCE)
            process.kill()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
