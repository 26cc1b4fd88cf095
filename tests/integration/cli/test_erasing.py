"""Erasing what names people, from the command line."""

from __future__ import annotations


AT = "2026-03-01T08:30:00+07:00"


def noted(ready, shop):
    """Say something of the parcel."""
    ready("record", "alpha", shop, "picking", "--at", AT, "--note", "Mrs Mai")


def test_what_is_said_of_one_parcel_is_erased(ready, shop):
    """`erase parcel` erases at once, says what, and the history verifies."""
    noted(ready, shop)

    answer = ready("erase", "parcel", "alpha", shop, "--json")

    assert {"notes": 1, "webhooks": 0, "files": 0} == answer.json
    assert {"notes": []} == ready("notes", "alpha", shop, "--json").json
    assert ready("audit", "verify", "--json").json["ok"]


def test_what_is_open_is_never_old(ready, shop):
    """`erase old` leaves alone what an open parcel needs, however small the age."""
    noted(ready, shop)

    answer = ready("erase", "old", "--older-than", "0")

    assert "0 notes, 0 bodies of webhooks and 0 names of files are erased." == answer.out.strip()
    assert {"notes": ["Mrs Mai"]} == ready("notes", "alpha", shop, "--json").json


def test_a_dry_run_counts_and_erases_nothing(ready, shop, tmp_path):
    """`erase old --dry-run` says what would be erased, twice the same."""
    file = tmp_path / "scans.jsonl"
    row = f'{{"shop": "alpha", "fulfillment_id": "{shop}", "status": "picking", "at": "{AT}"}}'
    file.write_text(row + "\n")
    ready("record-file", str(file))
    for _ in range(2):
        answer = ready("erase", "old", "--older-than", "0", "--dry-run", "--json")
        assert {"dry_run": True, "notes": 0, "webhooks": 0, "files": 1} == answer.json


def test_without_an_age_the_command_says_where_to_set_one(ready):
    """`erase old` without a time fails with one sentence that names the setting."""
    answer = ready("erase", "old")

    assert 1 == answer.code
    assert "CARRIERFLOW_RETENTION_DAYS" in answer.err
