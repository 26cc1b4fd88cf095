from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from carrierflow.domain.model import FulfillmentRef, RemoteWord, Status
from carrierflow.platforms.haravan.codec import (
    read_fulfillment,
    read_order,
    read_orders,
)
from carrierflow.platforms.http.replies import UnreadableReply, parse_document


ASKED = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
SEEN = datetime(2026, 3, 1, 1, 31, tzinfo=UTC)
S = Status
GOOD = "2026-03-01T00:00:00Z"

# scenario: carrier status, COD status, COD amount, `updated_at`, dated statuses
FULFILLMENTS = {
    "list_of_one": (
        (S.DELIVERED, S.CODRECEIPT, 510000, "2021-09-27T03:42:31.466Z"),
        {S.READYTOPICK, S.DELIVERED, S.CODRECEIPT},
    ),
    "read_delivered_receipt": (
        (S.DELIVERED, S.CODRECEIPT, 510000, "2021-09-27T03:42:31.466Z"),
        {S.READYTOPICK, S.DELIVERED, S.CODRECEIPT},
    ),
    "create_notify": (
        (S.READYTOPICK, S.CODPENDING, 109500000, "2021-10-02T13:47:32.8910108Z"),
        {S.READYTOPICK},
    ),
    "create_with_cod": (
        (S.READYTOPICK, S.CODPENDING, 20000, "2021-10-02T13:58:58.7549122Z"),
        {S.READYTOPICK},
    ),
    "plain_put_delivered": (
        (S.DELIVERED, S.CODPAID, 20000, "2021-10-03T04:43:00.345Z"),
        {S.READYTOPICK, S.DELIVERED, S.CODPAID},
    ),
    "put_picking": (
        (S.PICKING, S.CODPAID, 20000, "2021-10-03T04:51:26.5279791Z"),
        {S.READYTOPICK, S.PICKING, S.DELIVERED, S.CODPAID},
    ),
    "put_delivering": (
        (S.DELIVERING, S.CODPAID, 20000, "2021-10-03T04:53:12.747917Z"),
        {S.READYTOPICK, S.PICKING, S.DELIVERING, S.DELIVERED, S.CODPAID},
    ),
    "put_delivered": (
        (S.DELIVERED, S.CODPAID, 20000, "2021-10-03T04:53:41.557Z"),
        {S.READYTOPICK, S.PICKING, S.DELIVERING, S.DELIVERED, S.CODPAID},
    ),
}
ON_THE_WAY = {S.READYTOPICK, S.PICKING, S.DELIVERING, S.DELIVERED, S.CODPAID, S.NOTMEETCUSTOMER}
FULFILLMENTS |= {
    "put_not_meet_customer": (
        (S.NOTMEETCUSTOMER, S.CODPAID, 20000, "2021-10-03T04:57:21.2991246Z"),
        ON_THE_WAY,
    ),
    "put_waiting_for_return": (
        (S.WAITINGFORRETURN, S.CODPAID, 20000, "2021-10-03T04:58:46.0662403Z"),
        ON_THE_WAY | {S.WAITINGFORRETURN},
    ),
    "put_return": (
        (S.RETURN, S.CODPAID, 20000, "2021-10-03T05:00:55.477775Z"),
        ON_THE_WAY | {S.WAITINGFORRETURN, S.RETURN},
    ),
    "put_cod_paid": (
        (S.RETURN, S.CODPAID, 20000, "2021-10-03T05:00:55.478Z"),
        ON_THE_WAY | {S.WAITINGFORRETURN, S.RETURN},
    ),
    "put_cod_receipt": (
        (S.RETURN, S.CODRECEIPT, 20000, "2021-10-03T05:04:17.1170943Z"),
        ON_THE_WAY | {S.WAITINGFORRETURN, S.RETURN, S.CODRECEIPT},
    ),
    "put_cancel": (
        (S.CANCEL, S.CODRECEIPT, 20000, "2021-10-03T05:06:32.881063Z"),
        ON_THE_WAY | {S.WAITINGFORRETURN, S.RETURN, S.CODRECEIPT, S.CANCEL},
    ),
}


def observe(document):
    """Read the reply to a PUT."""
    return read_fulfillment(document, shop="s1", asked_at=ASKED, seen_at=SEEN)


@pytest.fixture(name="body")
def _body(payload):
    """The reply to a PUT of `picking`, to be spoilt."""
    return parse_document(payload("fulfillment_put_picking"))["fulfillment"]


@pytest.mark.parametrize("scenario", FULFILLMENTS)
def test_every_printed_fulfillment_is_read(payload, scenario):
    """Each of the fourteen bodies in the Fulfillment API reference is read as it is printed."""
    document = parse_document(payload(f"fulfillment_{scenario}"))
    if "fulfillments" in document:
        document = {"fulfillment": document["fulfillments"][0]}

    seen = observe(document)

    expected, dated = FULFILLMENTS[scenario]
    assert expected == (
        seen.carrier.status,
        seen.cod.status,
        seen.cod_amount,
        seen.updated_at_raw,
    )
    assert dated == set(seen.dates) == set(seen.dates_raw)
    assert (ASKED, SEEN, "put") == (seen.asked_at, seen.seen_at, seen.source)


def test_dates_are_kept_as_printed_and_as_times(payload):
    """A status date is there twice: as a time in UTC, and as the text that was printed."""
    seen = observe(parse_document(payload("fulfillment_put_picking")))

    assert seen.dates_raw[S.PICKING] == "2021-10-03T04:51:26.526012Z"
    assert datetime(2021, 10, 3, 4, 51, 26, 526012, tzinfo=UTC) == seen.dates[S.PICKING]
    assert datetime(2021, 10, 3, 4, 51, 26, 527979, tzinfo=UTC) == seen.updated_at


@pytest.mark.parametrize(
    ("scenario", "order_id", "cancelled", "statuses"),
    [
        ("unfulfilled", "1138637099", False, []),
        ("fulfilled_at_creation", "1225414307", False, [(S.DELIVERED, S.NONE)]),
        ("fulfilled_after_creation", "1225411478", False, [(S.DELIVERED, S.NONE)]),
        ("cancelled_unfulfilled", "1235723054", True, []),
        ("cancelled_fulfillment_kept", "1235745635", True, [(S.READYTOPICK, S.CODPENDING)]),
        ("cancelled_with_fulfillment", "1235748629", True, [(S.CANCEL, S.CODPENDING)]),
    ],
)
def test_printed_orders_are_read(payload, scenario, order_id, cancelled, statuses):
    """Orders of the Order API reference are read with their fulfillments and cancellations."""
    document = parse_document(payload(f"order_{scenario}"))

    order = read_order(document, shop="s1", asked_at=ASKED, seen_at=SEEN)

    assert (order_id, cancelled) == (order.order_id, order.cancelled)
    assert statuses == [(one.carrier.status, one.cod.status) for one in order.fulfillments]
    assert {cancelled} >= {one.order_cancelled for one in order.fulfillments}


def test_a_carrier_that_an_app_registered_is_called_external(payload):
    """The tracking number and the carrier's code of our own kind of shipment are read."""
    document = parse_document(payload("order_cancelled_with_fulfillment"))
    (seen,) = read_order(document, shop="s1", asked_at=ASKED, seen_at=SEEN).fulfillments

    assert (seen.tracking_company_code, seen.tracking_number) == ("external", "403943")


@pytest.mark.parametrize(
    ("field", "value", "cancelled"),
    [
        ("cancelled_at", "2026-03-01T00:00:00Z", True),
        ("cancelled_at", None, False),
        ("cancelled_status", "cancelled", True),
        ("cancelled_status", "uncancelled", False),
    ],
)
def test_either_sign_of_a_cancelled_order_is_enough(field, value, cancelled):
    """An order is cancelled if it says when, or if its status says so; one sign is enough."""
    order = {"id": 1, "updated_at": "2026-03-01T00:00:00Z", field: value}
    read = read_order({"order": order}, shop="s1", asked_at=ASKED, seen_at=SEEN)
    assert cancelled == read.cancelled


def test_an_unknown_word_spoils_nothing_else(body):
    """An unknown status word is kept raw beside the other parcels of its page, which are read."""
    strange = body | {"id": 7, "carrier_status_code": "teleported"}
    order = {
        "id": body["order_id"],
        "updated_at": "2026-03-01T00:00:00Z",
        "fulfillments": [strange, body],
    }

    (read,) = read_orders({"orders": [order]}, shop="s1", asked_at=ASKED, seen_at=SEEN)

    assert [
        RemoteWord(raw="teleported", status=None),
        RemoteWord(raw="picking", status=S.PICKING),
    ] == [one.carrier for one in read.fulfillments]


def test_display_names_decide_nothing(body):
    """The name that is shown may say what it likes, for paid and pending share one."""
    seen = observe({"fulfillment": body | {"carrier_cod_status_name": "Đã nhận"}})
    assert S.CODPAID == seen.cod.status


def test_ids_may_be_text(body):
    """Ids are text for us, whether Haravan prints numbers, as it does, or strings, as it says."""
    as_text = body | {"id": str(body["id"]), "order_id": str(body["order_id"])}
    ref = FulfillmentRef(shop="s1", order_id="1230064550", fulfillment_id="1055494932")
    assert ref == observe({"fulfillment": body}).ref == observe({"fulfillment": as_text}).ref


def test_five_fields_are_enough(body):
    """A body with nothing but the five indispensable fields is read."""
    names = ("id", "order_id", "carrier_status_code", "carrier_cod_status_code", "updated_at")
    seen = observe({"fulfillment": {name: body[name] for name in names}})

    assert (S.PICKING, None, None, {}) == (
        seen.carrier.status,
        seen.tracking_number,
        seen.cod_amount,
        seen.dates,
    )


@pytest.mark.parametrize(
    "name", ["id", "order_id", "carrier_status_code", "carrier_cod_status_code", "updated_at"]
)
def test_each_of_the_five_is_indispensable(body, name):
    """A body that lacks one of the five is unreadable, and the error says which one it lacks."""
    del body[name]
    with pytest.raises(UnreadableReply, match=f"`{name}`"):
        observe({"fulfillment": body})


def test_everything_else_may_be_null(body):
    """Nulls in all other places mean that there is nothing to say."""
    nulls = dict.fromkeys(body) | {
        name: body[name] for name in ("id", "order_id", "updated_at", "carrier_cod_status_code")
    }
    assert RemoteWord(raw="", status=None) == observe({"fulfillment": nulls}).carrier


@pytest.mark.parametrize("printed", ["soon", "2021-10-03T04:51:26", 5])
def test_a_strange_date_is_only_evidence(body, printed):
    """A status date that cannot be read is kept as printed and taken for no time."""
    seen = observe({"fulfillment": body | {"picking_date": printed}})
    assert str(printed) == seen.dates_raw[S.PICKING]
    assert S.PICKING not in seen.dates


ODD_TIMES = [
    f"{day}T{hour}{zone}"
    for day in ("0001-01-01", "0001-01-02", "1899-12-30", "1926-03-01", "2014-12-31", "9999-12-31")
    for hour in ("00:00:00", "23:59:59.9999999")
    for zone in ("Z", "+07:00", "+14:00", "-12:00", "")
    if (day, hour, zone) != ("2014-12-31", "23:59:59.9999999", "-12:00")
]
"""Dates for what never happened or never will, on both ends of a day, east and west of UTC."""


@pytest.mark.parametrize("printed", ODD_TIMES)
def test_a_time_at_which_nothing_can_have_happened_is_none(body, printed):
    """A status never has such a date, which stays as evidence; a row without another is no row."""
    odd = {"picking_date": printed, "created_at": printed}

    seen = observe({"fulfillment": body | odd})

    assert (None, printed) == (seen.dates.get(S.PICKING), seen.dates_raw[S.PICKING])
    assert seen.created_at is None
    with pytest.raises(UnreadableReply, match="is not a time"):
        observe({"fulfillment": body | {"updated_at": printed}})
    order = {"id": 1, "updated_at": printed, "fulfillments": []}
    read = read_order({"order": order}, shop="s1", asked_at=ASKED, seen_at=SEEN)
    assert (None, ["`updated_at` of the order is not a time"]) == (
        read.updated_at,
        [odd.reason for odd in read.unreadable],
    )


def test_a_platforms_clock_may_be_a_day_ahead(body):
    """Clocks differ: a time is believed until a day after it was seen, and no longer."""
    for ahead, believed in ((timedelta(days=1), True), (timedelta(days=1, seconds=1), False)):
        printed = f"{(SEEN + ahead).replace(tzinfo=None).isoformat()}Z"
        seen = observe({"fulfillment": body | {"picking_date": printed}})
        assert believed == (S.PICKING in seen.dates)


@pytest.mark.parametrize(
    ("printed", "amount"),
    [
        ('"20000.0000"', 20000),
        ("20000.0000", 20000),
        ("20000", 20000),
        ("9007199254740993.0000", 9007199254740993),  # no float holds it
        ("null", None),
        ("0.5", None),
    ],
)
def test_amounts_are_whole_or_absent(body, printed, amount):
    """An amount is read from any of its spellings; one with a fraction is not known at all."""
    text = json.dumps({"fulfillment": body | {"cod_amount": "@"}}).replace('"@"', printed)
    assert amount == observe(parse_document(text.encode())).cod_amount


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"orders": None},
        {"orders": {}},
    ],
)
def test_other_shapes_are_unreadable(document):
    """A reply of another shape is unreadable, which is never the same as empty."""
    with pytest.raises(UnreadableReply):
        read_orders(document, shop="s1", asked_at=ASKED, seen_at=SEEN)


@pytest.mark.parametrize(
    ("order", "ids", "place", "reason"),
    [
        (None, (None, None), "", "it has no `id`"),
        ({"id": [], "updated_at": GOOD}, (None, None), "", "it has an unreadable id"),
        ({"id": 1}, ("1", ""), "", "the order has no `updated_at`"),
        ({"id": 1, "updated_at": None}, ("1", ""), "", "`updated_at` of the order is not a time"),
        (
            {"id": 1, "updated_at": GOOD, "fulfillments": {"a": 1}},
            ("1", None),
            ".fulfillments[0]",
            "a fulfillment has no `id`",
        ),
        (
            {"id": 1, "updated_at": GOOD, "fulfillments": [{"id": 7, "order_id": 1}]},
            ("1", "7"),
            ".fulfillments[0]",
            "fulfillment 7 has no `updated_at`",
        ),
    ],
)
def test_one_bad_row_is_named(order, ids, place, reason):
    """What cannot be read of a list is named by what can: its ids, its place, and what is wrong."""
    good = {"id": 5, "updated_at": GOOD, "fulfillments": []}

    orders = read_orders({"orders": [good, order]}, shop="s1", asked_at=ASKED, seen_at=SEEN)

    assert ("5", ()) == (orders[0].order_id, orders[0].unreadable)
    (odd,) = orders[1].unreadable
    assert (*ids, f"orders[1]{place}", reason) == (
        odd.order_id,
        odd.fulfillment_id,
        odd.place,
        odd.reason,
    )


def test_a_fulfillment_of_another_order_is_unreadable(body):
    """A fulfillment that names another order than the one it stands in is not believed."""
    order = {"id": 99, "updated_at": GOOD, "fulfillments": [body]}

    found = read_order({"order": order}, shop="s1", asked_at=ASKED, seen_at=SEEN)

    assert () == found.fulfillments
    assert ["it belongs to another order"] == [row.reason for row in found.unreadable]


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5_000, "-" + "9" * 5_000])
def test_a_long_number_costs_one_row(body, number):
    """A number that no `int` takes spoils its own row at most, wherever it stands."""
    order = {"id": 99, "updated_at": GOOD, "fulfillments": [body | {"order_id": 99, "grams": "@"}]}
    text = json.dumps({"orders": [order]}).replace('"@"', number)

    (found,) = read_orders(parse_document(text.encode()), shop="s1", asked_at=ASKED, seen_at=SEEN)

    assert 1 == len(found.fulfillments)


@pytest.mark.parametrize(
    "reply",
    [b"", b" \r\n", b"<html>Nguyen</html>", b'{"a":', b"[NaN]", b"\xff\xfe\x00", b"[" * 100_000],
)
def test_what_is_no_json_is_unreadable(reply):
    """An empty, broken or endlessly nested body is unreadable, and the error quotes none of it."""
    with pytest.raises(UnreadableReply) as caught:
        parse_document(reply)
    assert "Nguyen" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "scenario", ["order_fulfilled_at_creation", "order_cancelled_with_fulfillment"]
)
def test_nothing_personal_survives(payload, scenario):
    """Neither names nor phones nor addresses nor notes are in what the codec returns."""
    document = parse_document(payload(scenario))

    read = dataclasses.asdict(read_order(document, shop="s1", asked_at=ASKED, seen_at=SEEN))

    assert "Fake" not in repr(read)
    assert "0000000000" not in repr(read)
    assert "fake" not in repr(read)
