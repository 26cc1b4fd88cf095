import json
from datetime import UTC, datetime

import pytest

from carrierflow.domain.model import Event, FulfillmentRef, Opening, Source, Status
from carrierflow.errors import BadTime, InvalidInput, UnknownStatus

from .reading import GOOD, but, problem_of, read, read_csv, read_json


AT = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
BARE = Event(shop="demo", fulfillment_id="1001", status=Status.DELIVERED, occurred_at=AT)

FULL = GOOD | {
    "actor": "driver-7",
    "reason": "left with the neighbour",
    "key": "scan-1",
    "note": "Chị Hoa, tầng 3",
    "order_id": "500",
    "tracking_number": "VN84",
    "cod_amount": "350000",
}


@pytest.mark.parametrize("read_one", [read_json, read_csv])
def test_a_row_of_the_four_required_values_is_an_event(read_one):
    """Shop, fulfillment, status and time make an event that leaves all else open."""
    (row,) = read_one(GOOD)

    assert BARE == row.event
    assert row.problem is None
    assert Source.CARRIER is row.event.source


@pytest.mark.parametrize("read_one", [read_json, read_csv])
def test_a_row_of_all_values_keeps_every_one(read_one):
    """Everything that a row says arrives in its event, and an order id opens the parcel."""
    (row,) = read_one(FULL)

    expected = Event(
        shop="demo",
        fulfillment_id="1001",
        status=Status.DELIVERED,
        occurred_at=AT,
        key="scan-1",
        actor="driver-7",
        reason="left with the neighbour",
        note="Chị Hoa, tầng 3",
        opening=Opening(
            ref=FulfillmentRef(shop="demo", order_id="500", fulfillment_id="1001"),
            tracking_number="VN84",
            cod_amount=350_000,
        ),
    )
    assert expected == row.event


@pytest.mark.parametrize("fill_gaps", [True, False])
def test_events_say_whether_gaps_may_be_filled(fill_gaps):
    """The caller's choice about missed scans stands on every event."""
    (row,) = read(json.dumps(GOOD), fill_gaps=fill_gaps)

    assert fill_gaps is row.event.fill_gaps


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_value_is_an_absent_one(nothing):
    """Empty text and null in an optional place mean that nothing was said."""
    names = ("actor", "reason", "key", "note", "order_id", "tracking_number", "cod_amount")

    (row,) = read_json(GOOD | dict.fromkeys(names, nothing))

    assert BARE == row.event


def test_an_opening_without_an_amount_does_not_say_zero():
    """A row with an order id but no amount leaves the amount open."""
    (row,) = read_json(but(order_id="500"))

    assert row.event.opening.cod_amount is None
    assert row.event.opening.tracking_number is None


def test_whole_numbers_are_ids_kept_as_text():
    """A JSON integer in the place of an id, key or tracking number loses no digit."""
    (row,) = read_json(
        but(
            fulfillment_id=9007199254740993, order_id=12, key=3, tracking_number=8400000000000000001
        )
    )

    assert "9007199254740993" == row.event.fulfillment_id
    assert "12" == row.event.opening.ref.order_id
    assert "3" == row.event.key
    assert "8400000000000000001" == row.event.opening.tracking_number
    assert str is type(row.event.fulfillment_id)


def test_ids_may_be_as_long_as_the_ledger_stores_them():
    """The longest shop, ids and tracking number are read whole."""
    (row,) = read_json(
        but(shop="s" * 64, fulfillment_id="f" * 64, order_id="o" * 64, tracking_number="t" * 128)
    )

    opening = row.event.opening
    assert ("s" * 64, "o" * 64, "f" * 64) == (
        opening.ref.shop,
        opening.ref.order_id,
        opening.ref.fulfillment_id,
    )
    assert "t" * 128 == opening.tracking_number


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, 0), ("0", 0), (350000, 350_000), ("007", 7), (10**12, 10**12), (str(10**12), 10**12)],
)
def test_an_amount_is_whole_dong(amount, expected):
    """An amount is read exactly, from an integer or its text."""
    (row,) = read_json(but(order_id="500", cod_amount=amount))

    assert expected == row.event.opening.cod_amount


CASH = "The cod_amount must be whole đồng, from 0 to 1000000000000, in digits alone."

PROBLEMS = [
    (but(shop=...), "The row has no shop."),
    (but(fulfillment_id=""), "The row has no fulfillment_id or tracking_number."),
    (but(status=None), "The row has no status."),
    (but(status=..., at=...), "The row has no status, no at."),
    (but(status="lost"), "'lost' is not a status"),
    (but(status="x" * 33), "The status has 33 characters"),
    (but(at="2026-03-01T08:30:00"), "has no time zone"),
    (but(at=1772328600), "The at must be a text, not a number."),
    (but(at=1772328600.5), "The at must be a text, not a fraction."),
    (but(shop=7), "The shop must be a text, not a number."),
    (but(note=7), "The note must be a text, not a number."),
    (but(status=True), "The status must be a text, not true or false."),
    (but(fulfillment_id=1.0), "must be a text or a whole number, not a fraction."),
    (but(fulfillment_id=False), "must be a text or a whole number, not true or false."),
    (but(fulfillment_id=[1]), "must be a text or a whole number, not a list."),
    (but(order_id={"id": 1}), "must be a text or a whole number, not an object."),
    (but(fulfillment_id="9" * 65), "The fulfillment_id has 65 characters; 64 are the most."),
    (but(shop="s" * 65), "The shop has 65 characters"),
    (but(order_id="5", tracking_number="9" * 129), "The tracking_number has 129 characters"),
    (but(fulfillment_id=" 1001"), "The fulfillment_id has blanks around it"),
    (but(fulfillment_id="1001\xa0"), "The fulfillment_id has blanks around it"),
    (but(order_id="5\n0"), "The order_id has blanks around it, or characters"),
    (but(shop=" "), "The shop has blanks around it"),
    (but(fulfillment_id="1.23457E+11"), "which a spreadsheet made of it"),
    (but(fulfillment_id="1001.0"), "which a spreadsheet made of it"),
    (but(order_id="1,5e+9"), "which a spreadsheet made of it"),
    (but(note="a\0b"), "The note holds a character that cannot be stored."),
    (but(key="a\ud800"), "The key holds a character that cannot be stored."),
    *((but(order_id="5", cod_amount=amount), CASH) for amount in (-1, "-1", 10**12 + 1, 10**13)),
    *((but(order_id="5", cod_amount=text), CASH) for text in ("350.000", "350,000", "1e6", "٣")),
    *((but(order_id="5", cod_amount=text), CASH) for text in ("350 000", " 5", "5đ", "+5", "_5")),
    (but(order_id="5", cod_amount=350000.0), "a text or a whole number, not a fraction."),
    (but(cod_amount="much"), CASH),
    (but(fulfilment_id="1"), "'fulfilment_id' (did you mean 'fulfillment_id'?)"),
    (but(SHOP="demo"), "'SHOP' (did you mean 'shop'?)"),
    (but(zzz=None), "The row has 'zzz', which is unknown; the columns are shop, fulfillment_id"),
    (but(p=1, q=2, x=3, y=4, z=5), "'p', 'q', 'x' and 2 more, which is unknown"),
    ({}, "The row has no shop, no fulfillment_id or tracking_number, no status, no at."),
]


@pytest.mark.parametrize(("values", "sentence"), PROBLEMS)
def test_says_what_is_wrong_with_a_value(values, sentence):
    """A value that cannot be taken as it stands is named in one sentence, never repaired."""
    before, row, after = read_json(GOOD, values, GOOD)

    assert sentence in problem_of(row)
    assert BARE == before.event == after.event


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (but(status="lost"), UnknownStatus),
        (but(at="noon"), BadTime),
        (but(shop=...), InvalidInput),
    ],
)
def test_the_type_of_a_problem_says_what_it_is(values, kind):
    """Programs can tell an unknown status and a bad time from other problems by type."""
    (row,) = read_json(values)

    assert kind is type(row.problem)


@pytest.mark.parametrize(
    "values",
    [
        but(note="SECRET", shop=...),
        but(note=["SECRET"]),
        but(note="SECRET\0"),
        but(reason={"SECRET": 1}),
        but(actor="SECRET", at="x"),
        but(note="SECRET", fill_gaps=True),
        but(status="SECRET " * 9),
        but(at="SECRET " * 9),
        but(cod_amount="SECRET"),
        but(tracking_number="SECRET\n"),
        but(fulfillment_id="SECRET" * 20),
    ],
)
def test_sentences_repeat_no_free_text(values):
    """What a person wrote into a note or into the wrong place stands in no sentence."""
    (row,) = read_json(values)

    assert "SECRET" not in problem_of(row)


def test_a_long_name_is_cut_short_in_the_sentence():
    """An unknown name of any length gets a sentence that a person can read."""
    (row,) = read_json(but(**{"n" * 5000: "1"}))

    assert len(problem_of(row)) < 250
