"""`shop add` connects what can be read, and nothing else unless it is told to."""

from __future__ import annotations

import pytest

from carrierflow.platforms.registry import PLATFORMS
from carrierflow.sandbox.kinds import SandboxPlan
from carrierflow.sandbox.sandboxes import SANDBOXES


SILENT = "http://127.0.0.1:9"


@pytest.fixture
def add(ready):
    """Add a shop of a platform at an address, with a token."""

    def run(platform, url, token, *options):
        file = ready.file("token", token)
        named = ("--platform", platform, "--base-url", url, "--token-file", file)
        return ready("shop", "add", "myshop", *named, *options)

    return run


def codes(ready):
    return [each["code"] for each in ready("shop", "list", "--json").json["shops"]]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_token_is_tried_before_a_shop_is_kept(ready, add, name):
    """What the platform refuses is not added and says so; what it accepts is."""
    plan = SandboxPlan(tokens={"myshop": "good-token"}, parcels=0, legal={}, app={})
    with SANDBOXES[name].open("127.0.0.1", 0, plan) as server:
        refused = add(name, server.url, "canary-token")
        assert (1, []) == (refused.code, codes(ready))
        assert "HTTP 401" in refused.err
        assert "shop 'myshop' was not added (`--no-check`" in " ".join(refused.err.split())
        assert "canary-token" not in refused.out + refused.err

        accepted = add(name, server.url, "good-token")

    assert (0, ["myshop"]) == (accepted.code, codes(ready))


def test_a_silent_host_adds_nothing_unless_it_is_not_asked(ready, add):
    """A wrong address is told at once, and a shop that is not up yet is added by --no-check."""
    silent = add("haravan", SILENT, "t", "--json")
    assert (1, "InvalidInput", []) == (silent.code, silent.json["error"], codes(ready))
    assert "no connection could be made" in silent.json["sentence"]

    assert (0, ["myshop"]) == (add("haravan", SILENT, "t", "--no-check").code, codes(ready))
    assert "a shop 'myshop' already" in add("haravan", SILENT, "t").err
