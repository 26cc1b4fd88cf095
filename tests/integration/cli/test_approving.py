"""What one person proposes by a command, and another one approves."""

from __future__ import annotations


def test_a_correction_that_two_have_to_want(ready, shop):
    """It waits, is shown wherever one looks, and is entered with the second person's yes."""
    ready.environment["CARRIERFLOW_APPROVALS"] = "amend=2"
    ready("record", "alpha", shop, "picking")
    by = ("--actor", "lan", "--reason", "misread-scan")

    asked = ready("amend", "alpha", shop, "delivering", *by, "--json")

    assert (3, "correction_proposed", "open") == (
        asked.code,
        asked.json["kind"],
        asked.json["state"],
    )
    label = {"en": "proposed", "vi": "chờ duyệt"}
    assert ("amend", "lan", [], label) == tuple(
        asked.json["proposal"][key] for key in ("action", "actor", "approved_by", "label")
    )
    assert "picking" == ready("show", "alpha", shop, "--json").json["carrier_status"]
    number = asked.json["id"]
    for told in (("incidents", "list"), ("incidents", "show", number), ("status",)):
        assert "proposed" in ready(*told).out, told
    assert 1 == ready("status", "--json").json["totals"]["proposed"]
    own = ready("incidents", "approve", number, "--actor", "Lan")
    assert (1, True) == (own.code, "somebody else" in own.err)

    done = ready("incidents", "approve", number, "--actor", "mai", "--json")

    assert (0, "resolved", ["mai"], None) == (
        done.code,
        done.json["state"],
        done.json["approved_by"],
        done.json["proposal"],
    )
    assert "delivering" == ready("show", "alpha", shop, "--json").json["carrier_status"]
    decided = ready("audit", "corrections", "--json").json["corrections"]
    assert ["mai"] == [each["approved_by"] for each in decided if each["kind"] == "decision"]
    assert [] == ready("audit", "verify", "--json").json["problems"]


def test_a_rejected_proposal_changes_nothing(ready, shop):
    """The incident of a correction that nobody wanted is over, and says why."""
    ready.environment["CARRIERFLOW_APPROVALS"] = "amend=2"
    by = ("--actor", "lan", "--reason", "misread-scan")
    asked = ready("amend", "alpha", shop, "delivering", *by, "--json")

    over = ready(
        *("incidents", "reject", asked.json["id"], "--json"),
        *("--actor", "mai", "--reason", "parcel-found"),
    )

    assert (0, "resolved", "rejected", "parcel-found") == (
        over.code,
        over.json["state"],
        over.json["action"],
        over.json["resolved_reason"],
    )
    assert "readytopick" == ready("show", "alpha", shop, "--json").json["carrier_status"]
