"""The collection that a platform's people get: complete, without tokens, and honest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
from loopback import Answers, ScriptedServer
from mail_server import served

from carrierflow import build, load_settings
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import RequestSketch


SECRET = "canary-token"
SHOPS = {
    "haravan": ("my-shop", "token_my-shop", "Authorization", "Bearer {{token_my-shop}}"),
    "sapo": ("my_shop", "token_my_5f_shop", "X-Sapo-Access-Token", "{{token_my_5f_shop}}"),
    "onflow": ("my.shop", "token_my_2e_shop", "Authorization", "{{token_my_2e_shop}}"),
}
"""For each platform a shop, and what the documents say of the header with its token."""


@pytest.fixture
def exported(ready):
    """Export the requests of shops on each platform, all to one address; returns the document."""

    def export(url):
        app = build(load_settings(**settings_of(ready)))
        for platform, (code, *_) in SHOPS.items():
            ready.file("token", SECRET)
            add = ["shop", "add", code, "--platform", platform, "--base-url", url]
            extra = ["--carrier-code", "1"] if platform == "sapo" else []
            done = ready(*add, *extra, "--token-file", "token", "--no-check")
            assert 0 == done.code, done.err
            sketch = RequestSketch(method="PUT", url=f"{url}/of/{code}")
            finding = Finding(
                kind="stuck", sentence="It stands still.", ref=None, evidence={}, request=sketch
            )
            shop = app.shops.get(code)
            app.reconciler.parts.store.open_incidents(shop, [finding], now=app.now())
        app.store.engine.dispose()
        done = ready("incidents", "export", "--out", "incidents.json")
        assert 0 == done.code, done.err
        return json.loads((ready.folder / "incidents.json").read_text("utf-8"))

    return export


def settings_of(shell):
    """Return the settings that a shell's environment holds."""
    given = {name.removeprefix("CARRIERFLOW_"): it for name, it in shell.environment.items()}
    return {name.lower(): value for name, value in given.items()}


def test_each_shop_has_a_variable_of_its_own_in_the_header_that_its_platform_wants(exported):
    """What a request names as its token is declared, and stands where the documents say."""
    collection = exported("http://127.0.0.1:1")

    assert sorted(name for _, name, *_ in SHOPS.values()) == sorted(
        variable["key"] for variable in collection["variable"]
    )
    for item, (code, _, header, value) in zip(collection["item"], SHOPS.values(), strict=True):
        assert f"http://127.0.0.1:1/of/{code}" == item["request"]["url"]
        assert {"key": header, "value": value} == item["request"]["header"][0]
    assert SECRET not in json.dumps(collection)


def test_the_collection_has_the_form_of_its_schema(exported):
    """Version 2.1.0 asks for a name and a schema, items with requests, and scripts with a type."""
    collection = exported("http://127.0.0.1:1")

    assert {"info", "item", "variable", "event"} == set(collection)
    assert {"name", "schema"} == set(collection["info"])
    assert re.search(r"/v2\.1\.0/collection\.json$", collection["info"]["schema"])
    assert {"name", "request"} == set().union(*collection["item"])
    (event,) = collection["event"]
    assert ("test", "text/javascript") == (event["listen"], event["script"]["type"])
    assert all(isinstance(line, str) for line in event["script"]["exec"])


def test_the_curl_line_of_a_letter_does_what_the_run_did(exported, ready):
    """A shell that has the token sends the request, with the header that the platform wants."""
    with ScriptedServer() as server, served(server):
        exported(server.url)
        server.plays(*(Answers.reply({}) for _ in SHOPS))
        for number, (code, name, header, value) in enumerate(SHOPS.values(), 1):
            letter = ready("incidents", "report", number).out
            (line,) = (line for line in letter.splitlines() if line.startswith("curl "))
            environment = {"TOKEN": "its token", "PATH": os.environ["PATH"]}
            subprocess.run(["/bin/sh", "-c", line], env=environment, check=True, timeout=30)

            method, path, headers = server.received[-1]
            assert ("PUT", f"/of/{code}") == (method, path)
            assert value.replace(f"{{{{{name}}}}}", "its token") == headers[header]
            assert SECRET not in letter


@pytest.mark.newman
@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 401, 500])
def test_newman_fails_where_a_request_is_refused(exported, ready, status):
    """It sends each shop its own token, and ends with an error if one answer is no success."""
    with ScriptedServer() as server, served(server):
        exported(server.url)
        server.plays(*(Answers.reply({}, status=answer) for answer in (200, 200, status)))
        tokens = [f"{name}={name}-value" for _, name, *_ in SHOPS.values()]
        arguments = [it for pair in tokens for it in ("--env-var", pair)]
        done = subprocess.run(
            [shutil.which("newman"), "run", "incidents.json", *arguments],
            cwd=ready.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert (0 == done.returncode) == (status == 200), done.stdout
    for received, (_, name, header, value) in zip(server.received, SHOPS.values(), strict=True):
        assert value.replace(f"{{{{{name}}}}}", f"{name}-value") == received[2][header]
