"""Parcels named by their tracking numbers on the command line, and in files."""

import json

import pytest


WAYBILL = "GHN-0042"
AT = "2026-03-01T08:30:00+07:00"


@pytest.fixture
def opened(ready, shop):
    """A parcel with a waybill, in a shop that has another without one."""
    assert shop
    assert 0 == ready("open", "alpha", "900", "901", "--tracking-number", WAYBILL).code
    return "901"


def test_a_scan_by_the_waybill_is_one_of_the_parcel(ready, opened):
    """The answer names the parcel; it is shown and told of by its waybill, whichever the shop."""
    named = ("--tracking-number", WAYBILL, "--json")

    answer = ready("record", "alpha", "picking", *named)
    amended = ready("amend", "alpha", "delivering", *named, "--actor", "lan", "--reason", "misread")

    assert (0, "alpha", opened) == (
        answer.code,
        answer.json["shop"],
        answer.json["fulfillment_id"],
    )
    assert opened == amended.json["fulfillment_id"]
    assert "delivering" == ready("show", *named).json["carrier_status"]
    assert opened == ready("show", "alpha", *named).json["fulfillment_id"]
    told = [entry["to"] for entry in ready("history", *named).json["entries"]]
    assert ["picking", "delivering"] == told[-2:]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("record", "alpha", "picking", "--tracking-number", "X"), 1, "'X' of shop 'alpha'"),
        (("show", "--tracking-number", "X"), 1, "no fulfillment with the tracking number 'X'"),
        (("record", "alpha", "901", "picking", "--tracking-number", WAYBILL), 2, "STATUS with"),
        (("record", "alpha", "picking"), 2, "STATUS with --tracking-number"),
        (("show", "alpha"), 2, "or give --tracking-number"),
        (("history", "alpha", "901", "--tracking-number", WAYBILL), 2, "not both"),
    ],
)
def test_what_names_no_parcel_or_two_is_one_sentence(ready, opened, words, code, says):
    """A parcel is named once, and is there."""
    answer = ready(*words)

    assert opened
    assert code == answer.code
    assert says in answer.err


def test_a_waybill_of_two_parcels_is_told_with_their_count(ready, opened):
    """A person says which one is meant."""
    ready("open", "alpha", "902", "903", "--tracking-number", WAYBILL)

    answer = ready("show", "--tracking-number", WAYBILL)

    assert opened
    assert 1 == answer.code
    assert f"2 fulfillments bear the tracking number '{WAYBILL}'" in answer.err


def test_rows_by_the_waybill_are_accounted_for(ready, opened):
    """Known ones are recorded, and their verdicts have both names; unknown ones are rejected."""
    rows = f"alpha,{WAYBILL},picking,{AT}\nalpha,NOBODYS,picking,{AT}\n"
    path = ready.file("scans.csv", "shop,tracking_number,status,at\n" + rows)
    verdicts = ready.folder / "verdicts.jsonl"

    answer = ready("record-file", path, "--verdicts", verdicts)

    first, second = map(json.loads, verdicts.read_text("utf-8").splitlines())
    assert 1 == answer.code
    assert (opened, WAYBILL) == (first["fulfillment_id"], first["tracking_number"])
    assert "rejected" != first["verdict"]
    assert "unknown_tracking_number" == second["reason"]
    assert "row 3: The ledger has no fulfillment with the tracking number 'NOBODYS'" in answer.err


def test_a_row_opens_nothing_by_its_waybill(ready):
    """What an order's id is for cannot be done, and is not passed over in silence."""
    row = f"shop,tracking_number,status,at,order_id\nalpha,W,picking,{AT},900\n"

    answer = ready("record-file", ready.file("scans.csv", row))

    assert 1 == answer.code
    assert "no fulfillment_id to open it by" in answer.err
