"""`shop check`, and a dry run, say of each shop what its platform answered."""

from __future__ import annotations

import pytest

from carrierflow.errors import (
    AccessDenied,
    AnchorUnavailable,
    NotificationFailed,
    NotSent,
    OutcomeUnknown,
    PlatformUnavailable,
    Refused,
)
from carrierflow.platforms.registry import PLATFORMS


SILENT = "http://127.0.0.1:9"


def add(ready, code, platform, url, token="canary-token-1f0e9d8c7b6a"):
    ready.file("token", token)
    named = ("--no-check", "--platform", platform, "--base-url", url, "--token-file", "token")
    assert 0 == ready("shop", "add", code, *named).code


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_platform_that_is_silent_leaves_a_token_unknown(ready, platform):
    """Nobody listening says nothing of the token, on any platform: code 3, and no incident."""
    add(ready, "far", platform, SILENT)

    answer = ready("shop", "check", "far", "--json")

    assert (3, "unreachable") == (answer.code, answer.json["shops"][0]["token"])
    assert [] == ready("incidents", "list", "--json").json["incidents"]


def test_a_token_is_good_or_refused(ready, shop, haravan):
    """A token that the platform accepts is good; after it was replaced there, it is refused."""
    good = ready("shop", "check", "alpha", "--json")
    haravan.haravan.world.replace_token("alpha", "another")
    refused = ready("shop", "check", "alpha", "--json")

    assert (0, "good") == (good.code, good.json["shops"][0]["token"])
    assert (1, "refused") == (refused.code, refused.json["shops"][0]["token"])
    assert ".." not in refused.json["shops"][0]["sentence"]


def test_all_shops_are_checked_whatever_one_answers(ready, shop, haravan):
    """With --all each shop has its line, a revoked and a silent one too; the worst decides."""
    add(ready, "far", "haravan", SILENT)
    assert 3 == ready("shop", "check", "--all").code
    ready("shop", "revoke", "far")

    answer = ready("shop", "check", "--all", "--json")

    found = {each["shop"]: each["token"] for each in answer.json["shops"]}
    assert (1, {"alpha": "good", "far": "none"}) == (answer.code, found)


@pytest.mark.parametrize("arguments", [(), ("alpha", "--all")])
def test_shops_are_named_or_all(ready, arguments):
    """Neither and both is a mistake of usage."""
    assert 2 == ready("shop", "check", *arguments).code


def test_a_dry_run_goes_on_past_a_shop_that_cannot_be_read(ready, shop, haravan):
    """The plan is of the shops that answer; the silent one is named on stderr and in JSON."""
    ready("record", "alpha", shop, "picking", "--at", "2026-01-05T08:00:00+07:00")
    add(ready, "far", "haravan", SILENT)
    assert 0 == ready("open", "far", "1", "2").code

    told = ready("reconcile", "--dry-run", "--full", "--plan-out", "plan.jsonl")
    answer = ready("reconcile", "--dry-run", "--full", "--json")

    assert (1, ["alpha"]) == (answer.code, [line["shop"] for line in answer.json["plan"]])
    assert ["far"] == [each["shop"] for each in answer.json["unread"]]
    assert "far" in told.err
    assert shop in (ready.folder / "plan.jsonl").read_text()


REASONED = [AccessDenied, NotSent, OutcomeUnknown, PlatformUnavailable, Refused]


@pytest.mark.parametrize("kind", REASONED)
@pytest.mark.parametrize("reason", ["it says no", "it says no.", "it says no. "])
def test_a_sentence_ends_once(kind, reason):
    """A reason that brings its own full stop does not make two."""
    assert str(kind(reason)).endswith("it says no.")


@pytest.mark.parametrize("kind", [AnchorUnavailable, NotificationFailed])
def test_a_reason_in_brackets_has_no_end(kind):
    """Within a sentence a reason has no full stop."""
    assert "(it says no);" in str(kind("mail", "it says no."))
