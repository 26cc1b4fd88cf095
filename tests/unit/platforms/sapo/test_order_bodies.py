from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from carrierflow.domain.model import FulfillmentRef, Observation, RemoteWord, Status
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.sapo.order_bodies import read_page, read_sapo_order

from .making import ASKED, LOOK, SEEN, body_of, order_with, parcel, read, seen


S = Status


def at(hour, minute, second, day=9):
    """Return a moment of the July that the documents' examples are from."""
    return datetime(2018, 7, day, hour, minute, second, tzinfo=UTC)


def test_the_printed_order_is_read_field_by_field():
    """The order that a GET prints, fetched by its buyer: received, unpaid, and without cash."""
    order = read_sapo_order(body_of("order_read"), LOOK)

    expected = Observation(
        ref=FulfillmentRef(shop="s1", order_id="14900465", fulfillment_id="33444600"),
        asked_at=ASKED,
        seen_at=SEEN,
        carrier=RemoteWord(raw="received", status=S.DELIVERED),
        cod=RemoteWord(raw="", status=S.NONE),
        updated_at=at(4, 36, 8, day=2),
        updated_at_raw="2018-07-02T04:36:08Z",
        created_at=at(4, 36, 3, day=2),
        dates={
            S.READYTOPICK: at(4, 36, 4, day=2),
            S.DELIVERING: at(4, 36, 8, day=2),
            S.DELIVERED: at(4, 36, 8, day=2),
        },
        dates_raw={
            S.READYTOPICK: "2018-07-02T04:36:04Z",
            S.DELIVERING: "2018-07-02T04:36:08Z",
            S.DELIVERED: "2018-07-02T04:36:08Z",
        },
        order_cancelled=False,
        tracking_number=None,
        tracking_company_code=None,
        cod_amount=None,
        source="order",
    )
    assert (expected,) == order.fulfillments
    assert ("14900465", at(4, 38, 48, day=2)) == (order.order_id, order.updated_at)
    assert (False, (), False) == (order.cancelled, order.unreadable, order.left_out)


def test_the_printed_parcel_with_cash_is_read_field_by_field():
    """A parcel of a courier's: its cash is what is collected, and not what the goods come to."""
    assert (
        Observation(
            ref=FulfillmentRef(shop="s1", order_id="15414945", fulfillment_id="34120348"),
            asked_at=ASKED,
            seen_at=SEEN,
            carrier=RemoteWord(raw="received", status=S.DELIVERED),
            cod=RemoteWord(raw="paid", status=S.CODPAID),
            updated_at=at(9, 28, 50),
            updated_at_raw="2018-07-09T09:28:50Z",
            created_at=at(8, 12, 42),
            dates={
                S.READYTOPICK: at(8, 11, 44),
                S.DELIVERING: at(9, 16, 20),
                S.DELIVERED: at(9, 28, 50),
            },
            dates_raw={
                S.READYTOPICK: "2018-07-09T08:11:44Z",
                S.DELIVERING: "2018-07-09T09:16:20Z",
                S.DELIVERED: "2018-07-09T09:28:50Z",
            },
            order_cancelled=False,
            tracking_number="FU0907185",
            tracking_company_code="10355",
            cod_amount=800_000,
            source="order",
        )
        == seen()
    )


def test_a_parcel_may_be_packed_before_it_is_made():
    """Sapo prints a `packed_on` that lies before `created_on`, and both are kept as they are."""
    assert seen().created_at > seen().dates[S.READYTOPICK]


def test_the_printed_parcel_that_was_packed():
    """A new fulfillment is packed, and dated by that alone."""
    row = body_of("fulfillment_create")["fulfillment"]
    (found,) = read_sapo_order(order_with(row), LOOK).fulfillments
    assert RemoteWord(raw="packed", status=S.READYTOPICK) == found.carrier
    assert {S.READYTOPICK: at(8, 27, 48)} == found.dates


def test_the_printed_cancel_of_a_packed_parcel():
    """A parcel cancelled when packed is dated as taken back, and was never on its way back."""
    row = body_of("fulfillment_cancel")["fulfillment"]
    (found,) = read_sapo_order(order_with(row, id=15033904), LOOK).fulfillments
    assert RemoteWord(raw="cancelled from packed", status=S.CANCEL) == found.carrier
    assert {S.READYTOPICK: at(9, 32, 15), S.CANCEL: at(9, 32, 49)} == found.dates
    assert "2018-07-09T09:32:49Z" == found.dates_raw[S.CANCEL]


def test_the_printed_order_that_was_cancelled():
    """An order is cancelled by its status: no date of it is printed."""
    order = read_sapo_order(body_of("order_cancel"), LOOK)
    assert (True, (), (), False) == (
        order.cancelled,
        order.fulfillments,
        order.unreadable,
        order.left_out,
    )
    assert at(8, 42, 8, day=6) == order.updated_at


def test_a_parcel_knows_that_its_order_is_cancelled():
    """What is read of a fulfillment says whether its order was cancelled."""
    order = read_sapo_order(order_with(parcel(), status="cancelled"), LOOK)
    assert (True, True) == (order.cancelled, order.fulfillments[0].order_cancelled)


@pytest.mark.parametrize(
    ("back_on", "status", "dates"),
    [
        (None, S.WAITINGFORRETURN, {S.WAITINGFORRETURN: at(10, 0, 0)}),
        (
            "2018-07-09T11:00:00Z",
            S.RETURN,
            {S.WAITINGFORRETURN: at(10, 0, 0), S.RETURN: at(11, 0, 0)},
        ),
    ],
)
def test_a_cancel_after_shipping_dates_the_way_back(back_on, status, dates):
    """The cancel of a shipped parcel dates its way back, and the receipt dates its end."""
    found = seen(
        status="cancelled",
        status_before_cancellation="fulfilled",
        received_on=None,
        cancel_date="2018-07-09T10:00:00Z",
        receive_cancellation_on=back_on,
    )
    assert status is found.carrier.status
    assert {S.READYTOPICK: at(8, 11, 44), S.DELIVERING: at(9, 16, 20), **dates} == found.dates


def test_an_unclear_cancel_dates_nothing():
    """What a cancel led to says what its date dates; where that is unknown, nothing is dated."""
    found = seen(status="cancelled", cancel_date="2018-07-09T10:00:00Z", received_on=None)
    assert RemoteWord(raw="cancelled", status=None) == found.carrier
    assert {S.READYTOPICK, S.DELIVERING} == found.dates.keys() == found.dates_raw.keys()


@pytest.mark.parametrize(
    ("amount", "expected"),
    [(0, 0), (None, None), (800000, 800000), ("800000", 800000), ("800000.00", 800000)],
)
def test_an_amount_is_whole(amount, expected):
    """Whole đồng are read from a number, a text, or a decimal with zeros behind the point."""
    assert expected == seen(shipment={"cod_amount": amount}).cod_amount


@pytest.mark.parametrize("amount", [-1, "-1", "1.5", "0.1", True, "", "1e5", [], {}, 10**12 + 1])
def test_an_odd_amount_spoils_the_row(amount):
    """A negative, fractional or otherwise odd amount is not rounded: the row is unreadable."""
    (flaw,) = read(shipment={"cod_amount": amount}).unreadable
    assert "`cod_amount` is not an amount in whole đồng" == flaw.reason
    assert ("15414945", "34120348") == (flaw.order_id, flaw.fulfillment_id)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "a fulfillment has an unreadable id"),
        ({"id": "../1"}, "a fulfillment has an unreadable id"),
        ({"order_id": 7}, "fulfillment 34120348 belongs to another order"),
        ({"order_id": None}, "the order of fulfillment 34120348 has an unreadable id"),
        ({"modified_on": None}, "fulfillment 34120348 has no `modified_on`"),
        ({"modified_on": "soon"}, "`modified_on` is not a time with a zone"),
        ({"modified_on": "2018-07-09T09:28:50"}, "`modified_on` is not a time with a zone"),
        ({"shipped_on": "2018-02-30T09:28:50Z"}, "`shipped_on` does not exist in the calendar"),
        (
            {"cancel_date": "0001-01-01T00:00:00Z"},
            "`cancel_date` is no time at which this can have happened",
        ),
        (
            {"packed_on": "2018-07-12T00:00:00Z"},
            "`packed_on` is no time at which this can have happened",
        ),
        ({"received_on": 1531128530}, "`received_on` is not a time with a zone"),
        ({"receive_cancellation_on": ""}, "`receive_cancellation_on` is not a time with a zone"),
        ({"status": 7}, "`status` of fulfillment 34120348 is not a word"),
        ({"payment_status": []}, "`payment_status` of fulfillment 34120348 is not a word"),
        (
            {"composite_fulfillment_status": 1},
            "`composite_fulfillment_status` of fulfillment 34120348 is not a word",
        ),
        ({"shipment": []}, "`shipment` of fulfillment 34120348 is not an object"),
        (
            {"shipment": {"delivery_service_provider_id": True}},
            "`delivery_service_provider_id` is not an id",
        ),
        (
            {"shipment": {"delivery_service_provider_id": "1.5 "}},
            "`delivery_service_provider_id` is not an id",
        ),
    ],
)
def test_what_is_used_must_be_what_it_should(changes, reason):
    """A value that decides anything and cannot be read spoils its row, which says why."""
    found = read(**changes)
    assert [reason] == [flaw.reason for flaw in found.unreadable]
    assert () == found.fulfillments


def test_a_parcel_that_does_not_say_how_it_is_shipped():
    """Null means that the buyer fetches it; a row without the field is not read as one."""
    row = parcel()
    del row["shipment"]
    (flaw,) = read_sapo_order(order_with(row), LOOK).unreadable
    assert "fulfillment 34120348 has no `shipment`" == flaw.reason


def test_other_values_may_be_anything():
    """What is not used is not looked at, and a waybill that names nothing is none."""
    shipment = {"cod_amount": 1, "detail": 7, "tracking_code": " ", "collation_status": []}
    found = seen(shipment=shipment, payments="many", total=-0.5, fulfillment_line_items=None)
    assert (None, None, 1) == (found.tracking_number, found.tracking_company_code, found.cod_amount)


@pytest.mark.parametrize(("value", "text"), [(10355, "10355"), ("10355", "10355"), (None, None)])
def test_who_ships_is_text(value, text):
    """A carrier's id is kept as text, whether it comes as a number or as text."""
    shipment = {"delivery_service_provider_id": value}
    assert text == seen(shipment=shipment).tracking_company_code


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({"fulfillments": None}, True),
        ({"fulfillments": [], "packed_status": "packed"}, True),
        ({"fulfillments": [], "packed_status": "partial"}, True),
        ({"fulfillments": [], "packed_status": "unpacked"}, False),
        ({"fulfillments": [], "packed_status": None}, False),
    ],
)
def test_an_order_without_its_parcels_says_so(changes, left_out):
    """An order that is packed and shows no fulfillments leaves them out."""
    assert left_out is read_sapo_order(order_with(**changes), LOOK).left_out


def test_an_order_without_a_readable_id_is_one_odd_row():
    """Nothing is known of an order that does not say which one it is, and its parcels are none."""
    order = read_sapo_order(order_with(parcel(), id=None), LOOK)
    assert ("", None, ()) == (order.order_id, order.updated_at, order.fulfillments)
    assert ["the order has an unreadable id"] == [flaw.reason for flaw in order.unreadable]


@pytest.mark.parametrize("changes", [{"modified_on": None}, {"modified_on": "soon"}, {"status": 7}])
def test_an_odd_order_keeps_its_parcels(changes):
    """What cannot be read of an order itself hides none of its fulfillments."""
    order = read_sapo_order(order_with(parcel(), **changes), LOOK)
    assert (1, [""]) == (len(order.fulfillments), [row.fulfillment_id for row in order.unreadable])


def test_a_page_says_how_many_there_are():
    """A page holds orders, and its `metadata` the number on all pages, if it is one."""
    document = {"orders": [order_with(parcel())["order"]], "metadata": {"total": 38, "page": 1}}
    assert (38, ["15414945"]) == (
        read_page(document, LOOK).total,
        [order.order_id for order in read_page(document, LOOK).orders],
    )
    for odd in (
        {},
        {"metadata": None},
        {"metadata": {"total": "38"}},
        {"metadata": {"total": True}},
    ):
        assert read_page({"orders": []} | odd, LOOK).total is None


@pytest.mark.parametrize("document", [None, [], "x", {}, {"orders": None}, {"orders": {}}])
def test_what_is_no_page_is_unreadable(document):
    """A reply without a list of orders, as the document prints it, says nothing of any order."""
    with pytest.raises(UnreadableReply):
        read_page(document, LOOK)


@pytest.mark.parametrize("document", [None, [], {}, {"metadata": {}}])
def test_what_is_no_order_is_unreadable(document):
    """A reply without an order is no answer to the question for one."""
    with pytest.raises(UnreadableReply):
        read_sapo_order(document, LOOK)


def test_nothing_personal_survives():
    """Names, phones and addresses of buyers are in nothing that is read of an order."""
    for row in (parcel(), parcel(status=7), parcel(shipment={"cod_amount": "Khách"})):
        told = repr(asdict(read_sapo_order(order_with(row), LOOK)))
        assert not [word for word in ("Khách", "0900000000", "Phố", "example.com") if word in told]
