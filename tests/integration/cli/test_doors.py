"""What people hand over is cleaned and checked at the door, and what fails later ends no run."""

from __future__ import annotations

import pytest


AT = "2026-03-01T08:30:00+07:00"


def test_a_shop_is_reached_elsewhere_from_now_on(ready, shop, haravan):
    """A root that moved is changed without connecting the shop anew; a bad one is refused."""
    world = haravan.haravan.world
    ready("record", "alpha", shop, "picking", "--at", AT)
    before = ready("shop", "list", "--json").json["shops"][0]["base_url"]
    assert 0 == ready("shop", "set", "alpha", "base_url=http://127.0.0.1:1").code
    assert 1 == ready("reconcile").code

    refused = ready("shop", "set", "alpha", "base_url=http://elsewhere.example")
    assert (1, True) == (refused.code, "must begin with https://" in refused.err)
    for senseless, says in {
        **dict.fromkeys(("base_url", ""), "as KEY=VALUE"),
        **dict.fromkeys(("token=x", "=", "=x"), "cannot be chosen for a shop; remote_ahead, "),
        "remote_ahead=perhaps": "one of hold, adopt",
        "rate_leak=fast": "a number from 0.001",
        "rate_leak=nan": "a number from 0.001",
        "rate_bucket=1": "a number from 13",
    }.items():
        answer = ready("shop", "set", "alpha", "merchant_edit=reassert", senseless)
        assert (1, True) == (answer.code, says in answer.err), senseless
    assert ("hold", "platform") == chosen(ready, "merchant_edit"), "all of it or nothing"
    assert 1 == ready("shop", "set", "nowhere", f"base_url={before}").code

    document = ready("shop", "set", "alpha", f"base_url={before}/ ", "--json").json
    assert before == document["base_url"]
    assert 0 == ready("reconcile").code
    assert 1 == len(world.recorder.puts)


def chosen(ready, name):
    """Return a choice as it holds for a shop."""
    choices = ready("shop", "show", "alpha", "--json").json["choices"]
    return next((it["value"], it["origin"]) for it in choices if it["name"] == name)


def test_what_is_chosen_for_a_shop_stands_above_the_settings(ready, shop):
    """The shop's own choice holds, else the settings', else the platform's."""
    assert ("hold", "platform") == chosen(ready, "remote_ahead")
    ready.environment |= {"CARRIERFLOW_REMOTE_AHEAD": "adopt", "CARRIERFLOW_RATE_LEAK": "3"}
    assert ("adopt", "settings") == chosen(ready, "remote_ahead")

    assert 0 == ready("shop", "set", "alpha", "remote_ahead=hold", "rate_leak=0.5").code

    assert ("hold", "shop") == chosen(ready, "remote_ahead")
    assert ("0.5", "shop") == chosen(ready, "rate_leak")
    assert 0 == ready("shop", "set", "alpha", "rate_leak=").code
    assert ("3.0", "settings") == chosen(ready, "rate_leak")
    assert "remote_ahead" in ready("shop", "show", "alpha").out


def test_a_shop_is_added_with_its_choices(ready, shop, haravan):
    """What is chosen when a shop is connected is kept with it."""
    token, root = ready.file("t.txt", "t"), ("--base-url", haravan.url)
    choices = ("--policy", "remote_ahead=adopt", "--policy", "rate_leak=2")

    added = ready("shop", "add", "beta", "--no-check", "--token-file", token, *root, *choices)
    assert 0 == added.code

    found = ready("shop", "show", "beta", "--json").json["choices"]
    by_shop = {it["name"]: it["value"] for it in found if it["origin"] == "shop"}
    assert {"remote_ahead": "adopt", "rate_leak": "2"} == by_shop
    bad = ready("shop", "add", "gamma", "--token-file", token, *root, "--policy", "speed=2")
    assert (1, True) == (bad.code, "'speed' cannot be chosen" in bad.err)


@pytest.mark.parametrize(
    ("command", "lacks"),
    [
        (("carrier", "register", "beta"), "registering a carrier"),
        (("webhooks", "subscribe", "beta"), "switching webhooks on"),
    ],
)
def test_what_a_platform_does_not_offer_is_said(ready, shop, command, lacks):
    """A sentence names the platform and what it lacks, and nothing was tried."""
    token = ready.file("t.txt", "t")
    ready.environment |= {
        "CARRIERFLOW_CARRIER_NAME": "Sao Mai",
        "CARRIERFLOW_PUBLIC_URL": "https://carrier.example",
    }
    added = ("--no-check", "--platform", "sapo", "--base-url", "https://mystore.mysapogo.com")
    assert 0 == ready("shop", "add", "beta", "--token-file", token, *added).code

    answer = ready(*command)

    assert (1, True) == (answer.code, f"Sapo has no {lacks}" in answer.err), answer.err


def test_a_platform_without_a_root_of_its_own_asks_for_one(ready, shop):
    """A shop on Sapo is nowhere until somebody says where."""
    token = ready.file("t.txt", "t")

    answer = ready("shop", "add", "beta", "--platform", "sapo", "--token-file", token)

    assert (1, True) == (answer.code, "a root of its own" in answer.err)


def test_an_anchor_that_is_down_does_not_end_a_run(ready, shop, haravan):
    """A run whose work is done ends as it did; that no anchor took the checkpoint is a warning."""
    ready.environment |= {
        "CARRIERFLOW_SEAL_KEY_FILE": str(ready.folder / "seal.key"),
        "CARRIERFLOW_ANCHOR_FILE": str(ready.folder / "canary" / "anchor.txt"),
        "CARRIERFLOW_ANCHOR_URL": "http://127.0.0.1:1",
        "CARRIERFLOW_ANCHOR_TOKEN": "canary\u1ebf",
    }
    assert 0 == ready("keys", "generate-seal", "log.example", "seal.key").code
    ready("record", "alpha", shop, "picking", "--at", AT)

    answer = ready("reconcile", "--json")

    assert (0, 1) == (answer.code, answer.json["shops"][0]["published"])
    assert 2 == answer.err.count("carrierflow.not_anchored")
    assert "canary" not in answer.out + answer.err
    assert 0 == ready("audit", "checkpoint").code


@pytest.mark.parametrize("blank", ["", "\n", "\ufeff \r\n"])
def test_a_blank_secret_file_is_refused(ready, shop, blank):
    """Neither a token nor a role's password is ever empty by an empty file."""
    for command in (
        ("shop", "rotate-token", "alpha", "--token-file", "-"),
        ("shop", "add", "beta", "--token-file", "-"),
        ("db", "harden", "--password-file", "-"),
    ):
        answer = ready(*command, stdin=blank)
        assert (1, True) == (answer.code, "empty" in answer.err)
    assert ["alpha"] == [each["code"] for each in ready("shop", "list", "--json").json["shops"]]


def test_what_surrounds_a_token_or_an_id_goes(ready, shop, haravan):
    """A token file with an editor's mark and Windows' line ends holds the token."""
    haravan.haravan.world.add_shop(code="beta", token="other-token")
    file = ready.file("other.txt", "\ufeffother-token\r\n")
    options = ("--base-url", f" {haravan.url}/ ", "--org-id", " 77 ")

    added = ready("shop", "add", "beta", "--token-file", file, *options, "--json").json

    assert (haravan.url, "77") == (added["base_url"], added["org_id"])
    assert 0 == ready("reconcile", "--shop", "beta").code
