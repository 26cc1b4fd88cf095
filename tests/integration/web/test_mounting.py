"""The same handler behind the web frameworks that carriers have already, each for real."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from asgi import serving
from django.core.handlers.wsgi import WSGIHandler
from django.urls import clear_url_caches
from django_host import set_up, urls
from fastapi import FastAPI
from flask import Flask

from carrierflow.app.load_file import load_name
from carrierflow.web import asgi

from .conftest import EXAMPLES, Platform


MOUNTING = EXAMPLES / "mounting"


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def serving_wsgi(site):
    """Serve a WSGI app on a free port of loopback; yields its URL."""
    with make_server("127.0.0.1", 0, site, handler_class=Silent) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def in_fastapi(service):
    api = FastAPI()
    load_name(MOUNTING / "in_fastapi.py", "mount")(api, service)
    return serving(api)


def in_flask(service):
    site = Flask(__name__)
    load_name(MOUNTING / "in_flask.py", "mount")(site, service)
    return serving_wsgi(site)


def in_django(service):
    set_up()
    urls.urlpatterns = [load_name(MOUNTING / "in_django.py", "route")(service)]
    clear_url_caches()
    return serving_wsgi(WSGIHandler())


@pytest.fixture(params=[in_fastapi, in_flask, in_django], ids=lambda mounted: mounted.__name__)
def mounted(request, service):
    """A platform that reaches the carrier service through one framework."""
    with request.param(service) as url:
        yield Platform(url)


def test_the_answer_is_the_same_in_every_framework(mounted):
    """Path, query, headers and bytes arrive as they were sent, and the reply goes back whole."""
    raw = '{"total_grams": 1200.0, "note": "Gọi trước khi giao"}'.encode()

    answered = mounted.call("POST", "/haravan/myshop/rates", raw=raw)
    tampered = mounted.call("POST", "/haravan/myshop/rates", raw=raw, secret="other")
    deleted = mounted.call("DELETE", "/haravan/myshop/cancel", {"tracking_number": "none"})
    nowhere = mounted.call("POST", "/haravan/myshop/nothing", {})

    assert (200, False) == (answered.status_code, answered.json()["error"])
    assert "application/json" in answered.headers["Content-Type"]
    assert (401, True) == (tampered.status_code, tampered.json()["error"])
    assert (200, True) == (deleted.status_code, deleted.json()["error"])
    assert 404 == nowhere.status_code


def test_an_owner_s_browser_is_answered_in_every_framework(mounted):
    """The pages of an install come whole too: the query arrives, the headers go back."""
    page = mounted.session.get(f"{mounted.url}/haravan/installed?state=made-up&code=x", timeout=30)

    assert (400, True) == (page.status_code, "has run out" in page.text)
    assert "text/plain; charset=utf-8" == page.headers["Content-Type"]
    assert "no-referrer" == page.headers["Referrer-Policy"]


CHEAP = {"total_grams": 1200.0, "cod_amount": "250000.0"}


@pytest.mark.parametrize("below", ["/carrier", "/a/b"])
def test_a_host_mounts_all_that_serve_answers(app, below):
    """Below any path of an app of the host's own: operators' pages, and calls that are signed."""
    host = FastAPI()
    host.mount(below, asgi(app, load_name(EXAMPLES / "carrier.py", "CARRIER")))
    with serving(host) as url:
        pages = {
            page: requests.get(f"{url}{below}/{page}", timeout=30)
            for page in ("health", "ready", "metrics", "openapi.json")
        }
        unsigned = requests.post(f"{url}{below}/haravan/myshop/rates", json={}, timeout=30)
        signed = Platform(url).call("POST", f"{below}/haravan/myshop/rates", CHEAP)

    assert {200} == {page.status_code for page in pages.values()}
    assert "carrierflow_" in pages["metrics"].text
    assert 401 == unsigned.status_code
    assert 200 == signed.status_code


def test_a_host_without_a_carrier_hears_hints_alone(app):
    """Nobody calls a carrier that there is none of; what says how the host does is there."""
    with serving(asgi(app)) as url:
        assert 404 == requests.post(f"{url}/haravan/myshop/rates", json={}, timeout=30).status_code
        assert 200 == requests.get(f"{url}/ready", timeout=30).status_code
