"""The alerts and the dashboard that we hand out ask for what `serve` has, and Prometheus agrees."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from datetime import timedelta
from threading import Event

import pytest
import requests
from asgi import serving
from plain_runs import begin, end
from sqlalchemy import update

from carrierflow import Event as Scan
from carrierflow import FulfillmentRef, Opening, Status
from carrierflow.domain.incident import Finding
from carrierflow.storage.tables import fulfillments, shops
from carrierflow.web import create_app

from .conftest import EXAMPLES, Platform


FOLDER = EXAMPLES / "monitoring"
RULES = FOLDER / "carrierflow.rules.yml"
DASHBOARD = json.loads((FOLDER / "carrierflow.dashboard.json").read_text("utf-8"))
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
QUERIES = [
    (title, target["expr"]) for title, panel in PANELS.items() for target in panel["targets"]
]
PATIENCE = 30
"""Seconds within which Prometheus starts and has scraped twice."""


@pytest.fixture
def served_app(app, service):
    """A running server with a little of everything to show; yields its address."""
    with serving(create_app(app, service)) as url:
        ref = FulfillmentRef(shop="myshop", order_id="1", fulfillment_id="2")
        app.ledger.open(Opening(ref=ref, cod_amount=None))
        app.ledger.record(Scan(shop="myshop", fulfillment_id="2", status=Status.PICKING))
        finding = Finding(kind="stuck", sentence="It stands still.", ref=ref, evidence={})
        app.reconciler.parts.store.open_incidents(app.shops.get("myshop"), [finding], now=app.now())
        app.reconcile(["myshop"])
        look_bad(app)
        platform = Platform(url)
        platform.call("POST", "/haravan/myshop/rates")
        platform.call("POST", "/haravan/webhooks", **{"X-Haravan-Topic": "orders/updated"})
        yield url


def look_bad(app):
    """Let the parcel have been open for days, a run been throttled, and the bucket be full."""
    long_ago, leaked_at = app.now() - timedelta(days=3), app.now() + timedelta(hours=1)
    with app.store.begin() as connection:
        connection.execute(update(fulfillments).values(opened_at=long_ago, verified_at=None))
        connection.execute(update(shops).values(rate_until_us=int(leaked_at.timestamp() * 1e6)))
    begin(app.store, "throttled", "myshop", now=app.now())
    end(app.store, "throttled", "myshop", counters={"throttled": 20}, now=app.now())


def samples(url):
    """Return the names and labels of every sample that the server shows."""
    text = requests.get(f"{url}/metrics", timeout=30).text
    found = {}
    for name, labels in re.findall(r"^(carrierflow_\w+?)(?:\{(.*)\})? ", text, flags=re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def asked(text):
    """Return the names of figures and of labels that a query or a text of ours holds."""
    names = set(re.findall(r"\bcarrierflow_\w+", text))
    labels = set(re.findall(r"\b(\w+)=~?\"", text))
    for inner in re.findall(r"by \((.*?)\)", text):
        labels |= set(re.split(r",\s*", inner))
    return names, labels


def test_the_dashboard_asks_for_what_a_server_has(served_app):
    """Each figure and each label in a query or a legend is shown by a server at work."""
    shown = samples(served_app)

    for panel in PANELS.values():
        for target in panel["targets"]:
            names, labels = asked(target["expr"])
            labels |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert names, target
            assert set() == names - set(shown), target
            assert set() == labels - set().union(*(shown[name] for name in names)), target


def test_the_alerts_ask_for_what_a_server_has(served_app):
    """Each figure and each label in a rule is shown by a server at work."""
    shown = samples(served_app)
    text = RULES.read_text("utf-8")
    names, labels = asked(text)
    labels |= set(re.findall(r"\$labels\.(\w+)", text))

    assert set() == names - set(shown)
    assert set() == labels - set().union(*shown.values())


def test_the_page_tells_of_every_alert():
    """Each alert of the file stands in the table of the how-to, and none besides."""
    page = (EXAMPLES.parent / "docs/howto/alerts.md").read_text("utf-8")

    assert set(re.findall(r"alert: (\w+)", RULES.read_text("utf-8"))) == set(
        re.findall(r"^\| `(Carrierflow\w+)`", page, flags=re.MULTILINE)
    )


@pytest.mark.prometheus
def test_the_alerts_are_what_their_own_tests_say():
    """Prometheus reads the rules, and each fires where it must and not before."""
    for arguments in (["check", "rules", RULES], ["test", "rules", RULES.with_suffix(".test.yml")]):
        done = subprocess.run(
            [shutil.which("promtool"), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stdout + done.stderr


def test_every_alert_has_a_test_in_which_it_fires():
    """No alert is handed out of which nobody saw that it fires."""
    tests = RULES.with_suffix(".test.yml").read_text("utf-8")
    fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts", tests))

    assert set(re.findall(r"alert: (\w+)", RULES.read_text("utf-8"))) == fired


@pytest.mark.prometheus
@pytest.mark.slow
def test_a_prometheus_answers_every_query_of_the_dashboard(served_app, tmp_path):
    """A real one that scrapes a server has something to draw in every panel."""
    port = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{RULES}]\n"
        "scrape_configs:\n  - job_name: carrierflow\n    static_configs:\n"
        f"      - targets: ['{served_app.removeprefix('http://')}']\n"
    )
    arguments = [
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen([shutil.which("prometheus"), *arguments], cwd=tmp_path)
    try:
        ask = Asker(f"http://127.0.0.1:{port}")
        ask.until("count_over_time(carrierflow_database_up[1m]) >= 3")
        empty = [(title, query) for title, query in QUERIES if not ask(query)]
    finally:
        process.kill()
        process.wait()

    assert [] == empty


def free_port():
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Asker:
    """Asks a Prometheus."""

    def __init__(self, url):
        self._url = url

    def __call__(self, query):
        """Return what it answers to a query of a panel, as Grafana would put it."""
        filled = query.replace("$__rate_interval", "1m").replace("$shop", ".*")
        answer = requests.get(f"{self._url}/api/v1/query", params={"query": filled}, timeout=5)
        assert 200 == answer.status_code, answer.text
        return answer.json()["data"]["result"]

    def until(self, query):
        """Wait until something answers a query."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if self(query):
                    return
            except (requests.ConnectionError, AssertionError):
                pass
            Event().wait(0.2)
        raise AssertionError(query)
