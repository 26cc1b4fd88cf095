"""What was agreed about a parcel cannot be agreed behind the auditor's back."""

from __future__ import annotations

import json

import pytest

from carrierflow.domain.model import FulfillmentRef

from . import intruder
from .test_attacks import audited
from .test_forged_exports import Forger, checked


LAN = {"actor": "lan", "reason": "seller asked"}
AMOUNTS = (200_000, 0, 90_000)


def revise(book, number="1", amounts=AMOUNTS):
    """Agree some amounts about a parcel, one after the other."""
    ref = FulfillmentRef(shop=book.shop, order_id=f"{100_000 + int(number)}", fulfillment_id=number)
    for amount in amounts:
        book.clock.advance(minutes=1)
        book.ledger.revise(ref, cod_amount=amount, correction=True, **LAN)


@pytest.fixture
def agreed(attacked_book):
    """A ledger of three parcels, one of which was revised three times; nothing is sealed."""
    attacked_book.record(3)
    revise(attacked_book)
    return attacked_book


CHANGES = {
    "DELETE {of} number = 2": "a revision of what was agreed about it is missing",
    "DELETE {of} number = 3": "is not the one that was agreed last",
    "DELETE {of} number >= 0": "nothing says what was agreed about it",
    "UPDATE carrierflow_terms SET cod_amount = 90001 WHERE number = 3": "agreed last",
    "UPDATE carrierflow_terms SET cod_amount = 200000 WHERE number = 2": "agreed already",
    "UPDATE carrierflow_fulfillments SET cod_amount = 0 WHERE fulfillment_id = '1'": "agreed last",
    "UPDATE carrierflow_fulfillments SET tracking_number = 'X' WHERE fulfillment_id = '1'": (
        "agreed last"
    ),
}
"""What somebody does to the tables, and what is said of it; nothing was sealed before."""


def test_what_was_revised_is_as_it_was_written(agreed):
    """A parcel that was revised is in order, before and after it was sealed."""
    assert audited(agreed).ok, audited(agreed).problems
    agreed.sealer().seal()
    done = audited(agreed)

    assert done.ok, done.problems
    assert (3, 3) == (done.kinds["opening"], done.kinds["revision"])


@pytest.mark.parametrize("change", CHANGES)
def test_terms_that_were_changed_are_found_without_a_seal(agreed, change):
    """A revision that is gone, changed or passed over is named by its parcel."""
    of = "FROM carrierflow_terms WHERE fulfillment = ("
    of += "SELECT id FROM carrierflow_fulfillments WHERE fulfillment_id = '1') AND"
    with intruder.broken_in(agreed) as connection:
        intruder.run(connection, change.format(of=of))

    problems = audited(agreed).problems
    assert any("/1" in each.where and CHANGES[change] in each.what for each in problems), problems


def test_a_sealed_revision_that_is_gone_with_its_traces_is_found(agreed):
    """Who takes the last revision away and puts the amount back is found by its place."""
    agreed.sealer().seal()
    with intruder.broken_in(agreed) as connection:
        intruder.run(connection, "DELETE FROM carrierflow_terms WHERE number = 3")
        amount = "cod_amount = 0 WHERE fulfillment_id = '1'"
        intruder.run(connection, f"UPDATE carrierflow_fulfillments SET {amount}")

    (problem,) = audited(agreed).problems
    assert problem.where.startswith("revision ")
    assert "is gone" in problem.what


@pytest.fixture
def exported(book, tmp_path):
    """An export of a ledger with revisions, and whose it is."""
    book.record(3)
    revise(book)
    book.sealer().seal()
    return book, book.exporter().export(tmp_path / "export").folder


def test_an_export_holds_what_was_agreed(exported):
    """Every revision is a line, the manifest has the last amount, and all of it verifies."""
    book, folder = exported
    lines = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    revised = [line for line in lines if line.get("kind") == "revision"]
    shown = json.loads((folder / "manifest.json").read_text())["shops"][book.shop]["cod"]

    assert checked(book, folder).ok, checked(book, folder).problems
    assert [f"{amount}" for amount in AMOUNTS] == [line["cod_amount"] for line in revised]
    assert {"lan"} == {line["actor"] for line in revised}
    assert 590_000 == sum(int(each["amount"]) for each in shown.values())


@pytest.mark.parametrize(
    ("number", "change", "what"),
    [
        ("2", None, "a revision of what was agreed about it is missing"),
        ("0", None, "a revision of what was agreed about it is missing"),
        ("2", {"cod_amount": "200000"}, "revision 2 says what was agreed already"),
        ("2", {"actor": None}, "revision 2 does not say who and why"),
        ("2", {"number": "x"}, "it is no entry in its canonical form"),
    ],
)
def test_an_export_without_a_revision_is_found(exported, number, change, what):
    """Of lines alone it is said which parcel's terms do not follow each other."""
    book, folder = exported
    forger = Forger(folder, book.key_file)
    (at,) = [
        place
        for place, line in enumerate(forger.lines)
        if json.loads(line).get("kind") in {"opening", "revision"}
        and json.loads(line)["fulfillment_id"] == "1"
        and json.loads(line)["number"] == number
    ]
    if change is None:
        del forger.lines[at], forger.places[at]
    else:
        line = json.loads(forger.lines[at]) | change
        forger.lines[at] = json.dumps(line, separators=(",", ":"), sort_keys=True)
    forger.finish()

    problems = checked(book, folder).problems
    assert any(what in each.what for each in problems), problems
