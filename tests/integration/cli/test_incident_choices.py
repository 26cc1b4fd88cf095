"""Many incidents at once: one line for what is alike, a preview, and a yes."""

from __future__ import annotations

import pytest

from carrierflow import build
from carrierflow.app.settings import Settings
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import FulfillmentRef


WHO = ("--actor", "lan", "--reason", "seen")


@pytest.fixture
def many(ready, shop):
    """Five parcels that the ledger lacks, and one that differs, in a shop."""
    settings = {
        name.removeprefix("CARRIERFLOW_").lower(): value
        for name, value in ready.environment.items()
    }
    app = build(Settings(**settings))
    ref = FulfillmentRef(shop="alpha", order_id="1", fulfillment_id="2")
    findings = [
        Finding(kind="unknown_here", sentence="So.", ref=None, evidence={"fulfillment_id": str(n)})
        for n in range(5)
    ]
    findings.append(Finding(kind="diverged", sentence="They differ.", ref=ref, evidence={}))
    app.reconciler.parts.store.open_incidents(app.shops.get("alpha"), findings, now=app.now())
    app.store.engine.dispose()
    return ready


def left(shell):
    """Return the kinds that are open."""
    return [each["kind"] for each in shell("incidents", "list", "--json").json["incidents"]]


def test_many_of_one_kind_are_one_line(many):
    """A list tells of them once, with their count; asked for, each is a line."""
    lines = many("incidents", "list").out.splitlines()
    each = many("incidents", "list", "--kind", "unknown_here").out.splitlines()

    assert (3, 6) == (len(lines), len(each))
    assert "1…5" in lines[1]
    assert "5 of them" in lines[1]
    assert 6 == len(left(many))
    assert [] == many("incidents", "list", "--older-than", "1", "--json").json["incidents"]


def test_pages_of_incidents_make_a_whole(many):
    """Each comes once, oldest first, whatever is resolved meanwhile; and a cursor has its list."""
    found, after = [], ()
    while True:
        page = many("incidents", "list", "--limit", "2", *after, "--json").json
        found += page["incidents"]
        if page["next"] is None:
            break
        after = ("--after", page["next"])
        many("incidents", "resolve", found[0]["id"], "--action", "unfreeze", *WHO)

    assert [str(number) for number in range(1, 7)] == [each["id"] for each in found]
    other = many("incidents", "list", "--kind", "diverged", *after)
    assert (1, True) == (other.code, "goes on with another list" in other.err)
    assert "--after" in many("incidents", "list", "--limit", "1").out


def test_what_is_chosen_is_shown_and_done_after_a_yes(many):
    """A no changes nothing, and neither does a dry run; a yes resolves just those."""
    chosen = ("incidents", "resolve", "--kind", "unknown_here", "--shop", "alpha")
    decided = (*chosen, "--action", "unfreeze", *WHO)
    asked = many(*decided, stdin="n\n")
    assert "5 incidents" in asked.err
    assert 1 == asked.code
    assert asked.err.rstrip().endswith("Nothing was done.")
    assert "Nothing was written" in many(*decided, "--dry-run").out
    assert 5 == len(many(*decided, "--dry-run", "--json").json["previews"])
    assert 6 == len(left(many))

    assert 0 == many(*decided, stdin="y\n").code

    assert ["diverged"] == left(many)


def test_a_program_says_yes_beforehand(many):
    """Nobody can be asked where JSON is wanted, and no option chooses everything by itself."""
    assign = ("incidents", "assign", "--owner", "lan", "--actor", "mai", "--json")
    assert 2 == many(*assign).code
    assert 2 == many(*assign, "--all").code
    assert 2 == many(*assign, "1", "--all", "--yes").code

    done = many(*assign, "--all", "--yes").json["incidents"]

    assert {"lan"} == {each["owner"] for each in done}
    assert 6 == len(done)


def test_one_is_shown_with_what_can_be_done(many):
    """The steps that fit its kind are named, and what ends it without anybody."""
    shown = many("incidents", "show", "1")

    assert "import" in shown.out
    assert "Closes by itself when" in shown.out
    assert ["unfreeze"] == [
        step["action"] for step in many("incidents", "show", "1", "--json").json["steps"]
    ]


def test_what_is_resolved_has_nothing_to_do(many):
    """A resolved incident is refused by a dry run as it is without; nobody is asked for it."""
    assert "To do: " in many("incidents", "show", "6").out
    decided = ("incidents", "resolve", "6", "--action", "unfreeze", *WHO)
    assert (0, 0) == (many(*decided, "--dry-run").code, many(*decided).code)

    again = many(*decided, "--dry-run")

    assert (1, 1) == (many(*decided).code, again.code)
    assert "unfreeze: not now" in again.out
    shown = many("incidents", "show", "6").out
    assert [] == [word for word in ("To do", "Closes by itself", "Meanwhile") if word in shown]
