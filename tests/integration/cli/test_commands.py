"""Commands as people and programs use them."""

from __future__ import annotations

import json
import sqlite3

import click
import pytest

from carrierflow.cli import cli
from carrierflow.storage.encryption import generate_key


AT = "2026-03-01T08:30:00+07:00"
LATER = "2026-03-01T18:30:00+07:00"


def every_command(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize("path", [path for path, _ in every_command()], ids=" ".join)
def test_every_command_has_help_with_an_example_and_json(shell, path):
    """Each command explains itself, shows an example, and knows --json."""
    answer = shell(*path, "--help")

    assert 0 == answer.code
    assert "Example:\n  carrierflow " in answer.out.replace("    carrierflow", "  carrierflow") or (
        "Example:" in answer.out
    )
    assert "--json" in answer.out


def test_each_option_is_an_environment_variable(ready):
    """An option can be given as CARRIERFLOW_ + command + option."""
    ready.environment["CARRIERFLOW_STATES_FORMAT"] = "dot"

    assert ready("states").out.startswith("digraph")


def test_a_parcel_from_open_to_agreement(ready, shop, haravan):
    """Open, record, plan, reconcile, show and history tell one consistent story."""
    picked = ready("record", "alpha", shop, "picking", "--at", AT, "--json").json
    assert "accepted" == picked["verdict"]
    late = ("--fill-gaps", "--at", LATER, "--json")
    delivered = ready("record", "alpha", shop, "delivered", *late).json
    assert ("delivered", "codpaid") == (delivered["carrier_status"], delivered["cod_status"])

    planned = ready("reconcile", "--dry-run", "--json").json["plan"]
    puts = [put["status"] for put in planned[0]["puts"]]
    assert ["picking", "delivering", "delivered"] == puts
    assert [] == haravan.haravan.world.recorder.puts

    answer = ready("reconcile", "--json")
    (report,) = answer.json["shops"]
    assert (0, 3, 3) == (answer.code, report["published"], report["requests"]["put"])

    shown = ready("show", "alpha", shop, "--json").json
    assert shown["in_sync"]
    remote = shown["remote"]
    assert ("delivered", "codpaid") == (remote["carrier_status"], remote["cod_status"])
    assert (None, 0) == (shown["frozen"], shown["unpublished"])

    entries = ready("history", "alpha", shop, "--json").json["entries"]
    assert 6 == len(entries)
    fields = {"machine", "seq", "from", "to", "source", "actor", "reason", "occurred_at"}
    assert fields | {"recorded_at", "inferred", "hash"} <= set(entries[0])
    assert ["delivering"] == [e["to"] for e in entries if e["inferred"]]

    verified = ready("audit", "verify", "--json").json
    assert (True, 6, None) == (verified["ok"], verified["rows"], verified["first_bad"])


def test_tables_for_people_hold_the_same(ready, shop):
    """Without --json the commands print tables that name the parcel and its states."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    ready("reconcile")

    assert "picking" in ready("show", "alpha", shop).out
    assert "readytopick" in ready("history", "alpha", shop).out
    assert "alpha" in ready("status", "--all").out
    assert "as they were written" in ready("audit", "verify").out


def test_repeated_and_late_events_are_no_failure(ready, shop):
    """Duplicate and late events exit 0; a refused one exits 1 and says what is allowed."""
    key = ("--key", "scan-1", "--at", LATER)
    assert 0 == ready("record", "alpha", shop, "picking", *key).code
    again = ready("record", "alpha", shop, "picking", *key, "--json")
    assert (0, "duplicate") == (again.code, again.json["verdict"])
    late = ready("record", "alpha", shop, "readytopick", "--at", AT, "--json")
    assert (0, "late") == (late.code, late.json["verdict"])
    refused = ready("record", "alpha", shop, "return", "--json")
    assert (1, "refused", "illegal_step") == (
        refused.code,
        refused.json["verdict"],
        refused.json["reason"],
    )
    assert "allowed are delivering, cancel" in refused.json["sentence"]


def test_a_file_is_recorded_with_a_verdict_for_each_row(ready, shop):
    """Counts in equal counts out; bad rows are named and the rest goes on."""
    rows = [
        {"shop": "alpha", "fulfillment_id": shop, "status": "picking", "at": AT},
        {
            "shop": "alpha",
            "fulfillment_id": "77",
            "order_id": "7",
            "status": "picking",
            "at": AT,
            "cod_amount": 5000,
        },
        {"shop": "alpha", "fulfillment_id": shop, "status": "flying", "at": AT},
        {"shop": "nowhere", "fulfillment_id": "1", "status": "picking", "at": AT},
        {"shop": "alpha", "fulfillment_id": "404", "status": "picking", "at": AT},
        {"shop": "alpha", "fulfillment_id": shop, "status": "picking", "at": "2026-03-01T08:30:00"},
    ]
    content = "\n".join(json.dumps(row) for row in rows) + "\n{oops\n"
    path, verdicts = ready.file("scans.jsonl", content), ready.folder / "verdicts.jsonl"

    answer = ready("record-file", path, "--verdicts", verdicts, "--json")

    assert 1 == answer.code
    assert {"accepted": 2, "duplicate": 0, "late": 0, "refused": 0, "rejected": 5, "rows": 7} == (
        answer.json
    )
    lines = [json.loads(line) for line in verdicts.read_text().splitlines()]
    assert [1, 2, 3, 4, 5, 6, 7] == [line["row"] for line in lines]
    assert ["accepted"] * 2 + ["rejected"] * 5 == [line["verdict"] for line in lines]


def test_the_same_file_is_refused_unless_forced(ready, shop):
    """A file recorded to its end is known by its bytes; forced again, its rows are duplicates."""
    row = {"shop": "alpha", "fulfillment_id": shop, "status": "picking", "at": AT}
    path = ready.file("scans.jsonl", json.dumps(row))
    assert 0 == ready("record-file", path).code

    refused = ready("record-file", path)
    assert 1 == refused.code
    assert "was recorded before" in refused.err
    forced = ready("record-file", path, "--force", "--json")
    assert (0, 1) == (forced.code, forced.json["duplicate"])


def test_stdin_csv_is_recorded(ready, shop):
    """A dash reads standard input, in either format."""
    text = f"shop,fulfillment_id,status,at\nalpha,{shop},picking,{AT}\n"

    assert 1 == ready("record-file", "-", "--json", stdin=text).json["accepted"]


def test_a_plan_can_be_kept_and_applied(ready, shop, haravan):
    """A plan written to a file is carried out by apply; a changed file is refused."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    path = ready.folder / "plan.jsonl"
    assert 0 == ready("reconcile", "--plan-out", path).code
    twice = ready.folder / "again.jsonl"
    ready("reconcile", "--plan-out", twice)
    assert path.read_bytes() == twice.read_bytes()

    tampered = ready.file("bad.jsonl", path.read_text().replace("picking", "delivered"))
    assert 1 == ready("apply", tampered).code
    answer = ready("apply", path, "--json")
    assert (0, 1) == (answer.code, answer.json["shops"][0]["published"])
    assert 0 == answer.json["shops"][0]["stale"]


def test_incidents_are_listed_shown_exported_and_resolved(ready, shop, haravan):
    """A merchant's cancel in transit freezes the parcel until a person decides."""
    for status, at in (("picking", AT), ("delivering", LATER)):
        ready("record", "alpha", shop, status, "--at", at)
    ready("reconcile")
    world = haravan.haravan.world
    (parcel,) = world.shop("alpha").parcels()
    world.edit(parcel.ref, carrier_status="cancel")

    answer = ready("reconcile", "--full", "--json")

    assert (3, 1, 1) == (
        answer.code,
        answer.json["shops"][0]["frozen"],
        answer.json["shops"][0]["incidents_opened"],
    )
    (incident,) = ready("incidents", "list", "--json").json["incidents"]
    assert {"id", "kind", "shop", "fulfillment_id", "opened_at", "state"} <= set(incident)
    assert ("cancelled_in_transit", "open") == (incident["kind"], incident["state"])
    assert "delivering" in ready("incidents", "show", incident["id"]).out
    assert "collection.json" in ready("incidents", "export").out
    who = ("--actor", "lan", "--reason", "shop-is-right")
    resolve = ("incidents", "resolve", incident["id"], *who)
    assert 1 == ready(*resolve, "--action", "reassert").code
    resolved = ready(*resolve, "--action", "adopt", "--json")
    assert (0, "resolved", "lan") == (
        resolved.code,
        resolved.json["state"],
        resolved.json["resolved_by"],
    )
    assert 0 == ready("reconcile").code
    assert ready("show", "alpha", shop, "--json").json["in_sync"]
    evidence = ready("history", "alpha", shop, "--json").json["evidence"]
    assert ["resolution"] == [e["kind"] for e in evidence if e["kind"] == "resolution"]


def test_shops_are_paused_resumed_and_given_new_tokens(ready, shop, haravan):
    """A paused shop is left alone; a rotated token is used by the next run."""
    ready("record", "alpha", shop, "picking", "--at", AT)
    assert "paused" == ready("shop", "pause", "alpha", "--json").json["state"]
    assert [] == ready("reconcile", "--json").json["shops"]
    assert "active" == ready("shop", "resume", "alpha", "--json").json["state"]
    haravan.haravan.world.replace_token("alpha", "canary-token-new")

    denied = ready("reconcile", "--json")
    assert (1, "access_denied") == (denied.code, denied.json["shops"][0]["end_reason"])

    ready("shop", "rotate-token", "alpha", "--token-file", "-", stdin="canary-token-new\n")
    assert 0 == ready("reconcile").code
    assert [] == ready("incidents", "list", "--json").json["incidents"]


def test_import_brings_existing_parcels_in_once(ready, shop, haravan):
    """Import opens the unknown parcels of this carrier with inferred history; again, none."""
    world = haravan.haravan.world
    _, other = world.add_parcel(shop="alpha", cod_amount=9000, carrier_status="delivering")
    world.add_parcel(shop="alpha", tracking_company_code="ghn2018")

    rest = {"unclear": [], "unopened": [], "settled": True}
    assert {"imported": 1, "skipped": 1, **rest} == ready("import", "alpha", "--json").json
    assert "delivering" == ready("show", "alpha", other, "--json").json["carrier_status"]
    assert {"imported": 0, "skipped": 2, **rest} == ready("import", "alpha", "--json").json
    assert 0 == ready("reconcile", "--json").json["shops"][0]["requests"]["put"]


def test_import_names_what_it_could_not_open(ready, shop, haravan):
    """A parcel that the ledger cannot take costs only itself, and is told with its reason."""
    world = haravan.haravan.world
    order, odd = world.add_parcel(shop="alpha", tracking_number="9" * 200)
    world.add_parcel(shop="alpha")

    answer = ready("import", "alpha")
    again = ready("import", "alpha", "--json")

    assert (1, 1) == (answer.code, again.code)
    assert "1 imported, 1 known already." in answer.out
    assert f"fulfillment {odd} of order {order}: The tracking number must" in answer.out
    assert (0, 2) == (again.json["imported"], again.json["skipped"])
    assert [str(odd)] == [each["fulfillment_id"] for each in again.json["unopened"]]


def test_a_parcel_may_be_opened_as_of_before(ready, shop):
    """`open --at` dates the first entries; a time that cannot be is a sentence."""
    assert 0 == ready("open", "alpha", "7", "8", "--at", "2025-03-01T08:30+07:00").code
    entries = ready("history", "alpha", "8", "--json").json["entries"]
    assert {"2025-03-01T01:30:00.000000Z"} == {entry["occurred_at"] for entry in entries}

    refused = ready("open", "alpha", "7", "9", "--at", "1899-12-30T00:00:00Z")
    assert (1, True) == (refused.code, "lies before 2015-01-01" in refused.err)


def test_imported_history_says_that_it_was_concluded(ready, shop, haravan):
    """What the ledger took from the platform's dates is never taken for what a scanner told."""
    _, other = haravan.haravan.world.add_parcel(shop="alpha", carrier_status="delivering")
    ready("import", "alpha")
    ready("record", "alpha", shop, "picking", "--at", AT)

    def inferred(parcel, status):
        entries = ready("history", "alpha", parcel, "--json").json["entries"]
        return next(entry["inferred"] for entry in entries if entry["to"] == status)

    assert inferred(other, "delivering") is True
    assert inferred(shop, "picking") is False


def test_states_prints_every_form(shell):
    """The lifecycle prints as table, JSON, Mermaid and DOT."""
    assert "readytopick" in shell("states").out
    assert shell("states", "--format", "mermaid").out.startswith("stateDiagram-v2")
    assert shell("states", "--format", "dot").out.startswith("digraph")
    assert {"delivery", "cod"} == set(shell("states", "--json").json["machines"])


def test_notes_can_be_read_and_erased_and_the_history_still_verifies(ready, shop):
    """A note comes out again with the key, is erased for good, and proof does not need it."""
    ready("record", "alpha", shop, "picking", "--at", AT, "--note", "ask at the back door")
    assert ["ask at the back door"] == ready("notes", "alpha", shop, "--json").json["notes"]

    assert 1 == ready("notes", "alpha", shop, "--erase", "--json").json["erased"]

    assert [] == ready("notes", "alpha", shop, "--json").json["notes"]
    assert ready("audit", "verify", "--json").json["ok"]


def test_secrets_are_sealed_anew_after_a_key_rotation(ready, shop):
    """After resealing, the new key alone opens tokens and notes."""
    ready("record", "alpha", shop, "picking", "--at", AT, "--note", "fragile")
    old = ready.environment["CARRIERFLOW_SECRET_KEY"]
    ready.environment["CARRIERFLOW_SECRET_KEY"] = generate_key()
    assert 1 == ready("keys", "reseal").code

    ready.environment["CARRIERFLOW_SECRET_KEY_PREVIOUS"] = old
    assert 2 == ready("keys", "reseal", "--json").json["resealed"]

    del ready.environment["CARRIERFLOW_SECRET_KEY_PREVIOUS"]
    assert ["fragile"] == ready("notes", "alpha", shop, "--json").json["notes"]
    assert 0 == ready("reconcile").code


def test_an_incident_can_be_assigned(ready, shop, haravan):
    """Somebody can take an incident over before it is resolved."""
    haravan.haravan.world.replace_token("alpha", "other")
    ready("reconcile")
    (incident,) = ready("incidents", "list", "--json").json["incidents"]

    assigned = ready(
        "incidents", "assign", incident["id"], "--owner", "lan", "--actor", "mai", "--json"
    ).json

    assert ("open", "lan") == (assigned["state"], assigned["owner"])


def test_protections_are_tried_and_reported(ready, shop):
    """The check tries every way; on SQLite one is open that nothing closes, and it says so."""
    answer = ready("db", "check", "--json")

    assert (0, False) == (answer.code, answer.json["protected"])
    assert ["DDL"] == [h["hole"] for h in answer.json["holes"] if not h["protected"]]


def test_a_missing_protection_is_found_and_put_back(ready, shop):
    """The check exits 3 where a trigger is gone, and db harden installs it again."""
    with sqlite3.connect(ready.folder / "ledger.db") as connection:
        connection.execute("DROP TRIGGER carrierflow_history_no_update")
    connection.close()
    assert 3 == ready("db", "check").code

    assert 0 == ready("db", "harden").code

    assert 0 == ready("db", "check").code


def test_a_revoked_shop_ends_named_runs_with_a_sentence(ready, shop, haravan):
    """Revoked: runs pass it over, naming it fails, its parcels are shown all the same."""
    revoked = ready("shop", "revoke", "alpha", "--json").json
    assert "revoked" == revoked["state"]

    assert (0, []) == ((every := ready("reconcile", "--json")).code, every.json["shops"])
    named = ready("reconcile", "--shop", "alpha")
    assert (1, True) == (named.code, "is revoked and has no token" in named.err)
    assert "ShopRevoked" == ready("reconcile", "--shop", "alpha", "--json").json["error"]
    assert "readytopick" == ready("show", "alpha", shop, "--json").json["carrier_status"]
