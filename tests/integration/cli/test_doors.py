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
    for senseless in ("base_url", "token=x", "=", ""):
        answer = ready("shop", "set", "alpha", senseless)
        assert (1, True) == (answer.code, "KEY=VALUE; the keys are base_url" in answer.err)
    assert 1 == ready("shop", "set", "nowhere", f"base_url={before}").code

    document = ready("shop", "set", "alpha", f"base_url={before}/ ", "--json").json
    assert before == document["base_url"]
    assert 0 == ready("reconcile").code
    assert 1 == len(world.recorder.puts)


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
