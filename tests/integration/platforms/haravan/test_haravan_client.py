"""The client of Haravan's fulfillments over real HTTP: what is asked, read, sent and refused."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from carrierflow.domain.model import Status, Unreadable
from carrierflow.errors import (
    AccessDenied,
    InvalidInput,
    NotSent,
    NotThere,
    OutcomeUnknown,
    PlatformUnavailable,
    ReadRefused,
    Refused,
)
from carrierflow.platforms.haravan import (
    Client,
    FulfillmentFilter,
    HaravanClient,
    NewFulfillment,
)

from .conftest import SHORT, TOKEN


READ = "1229422895", "1054978733"
"""The order and the fulfillment that the reference lists, counts and reads."""
CHANGED = "1230064550", "1055494932"
"""Those that it creates with cash on delivery, and changes."""
NOTIFY = NewFulfillment(tracking_number="123456789", notify_customer=True)
WITH_COD = NewFulfillment(
    notify_customer=True,
    tracking_company="Giao Hàng Nhanh",
    location_id="963414",
    note="test",
    cod_amount=20_000,
    coupon_code="abc",
    carrier_service_package=1,
    carrier_service_package_name="giao abc",
    is_new_service_package=True,
    carrier_service_code="abc",
)
BOUNDS = (("created_at_max", 1), ("updated_at_min", 2), ("updated_at_max", 3))
HANOI = timezone(timedelta(hours=7))


@pytest.fixture(name="client")
def _client(server, budget, clock, naps):
    http = HaravanClient(
        base_url=server.url, token=TOKEN, budget=budget, limits=SHORT, now=clock, sleep=naps.append
    )
    with Client("s1", http) as client:
        yield client


@pytest.fixture(name="printed")
def _printed(payload):
    """Return the fulfillment of a body as the reference prints it, and as JSON has it."""

    def load(scenario):
        document = json.loads(payload(f"fulfillment_{scenario}"))
        return document.get("fulfillment") or document["fulfillments"][0]

    return load


def told(body):
    """Return what should be read of a printed fulfillment, field by field."""
    return {
        "shop": "s1",
        "order_id": str(body["order_id"]),
        "fulfillment_id": str(body["id"]),
        "carrier": body["carrier_status_code"],
        "cod": body["carrier_cod_status_code"],
        "updated_at": body["updated_at"],
        "tracking_number": body["tracking_number"],
        "tracking_company_code": body["tracking_company_code"],
        "cod_amount": int(body["cod_amount"]),
        "dates": {v for k, v in body.items() if k.endswith("_date") and v is not None},
    }


def seen_in(found):
    """Return the same of what was read."""
    return {
        "shop": found.ref.shop,
        "order_id": found.ref.order_id,
        "fulfillment_id": found.ref.fulfillment_id,
        "carrier": found.carrier.raw,
        "cod": found.cod.raw,
        "updated_at": found.updated_at_raw,
        "tracking_number": found.tracking_number,
        "tracking_company_code": found.tracking_company_code,
        "cod_amount": found.cod_amount,
        "dates": set(found.dates_raw.values()),
    }


def test_the_printed_list_is_read(server, answer, client, payload, printed, budget):
    """The list of the reference, asked for at its address, with one request of the budget."""
    server.plays(answer.reply(payload("fulfillment_list_of_one")))

    page = client.fulfillments(READ[0])

    (found,) = page.fulfillments
    assert told(printed("list_of_one")) == seen_in(found)
    assert () == page.unreadable
    assert [("GET", f"/com/orders/{READ[0]}/fulfillments.json?limit=50")] == server.paths
    assert 1 == budget.spent


def test_the_printed_count_is_read(server, answer, client, payload):
    """The count of the reference, and one of none."""
    server.plays(answer.reply(payload("fulfillment_count")), answer.reply({"count": 0}))

    assert [1, 0] == [client.count_fulfillments(READ[0]) for _ in range(2)]
    assert ("GET", f"/com/orders/{READ[0]}/fulfillments/count.json") == server.paths[0]


def test_the_printed_fulfillment_is_read(server, answer, client, payload, printed):
    """The one fulfillment of the reference, at its own address."""
    server.plays(answer.reply(payload("fulfillment_read_delivered_receipt")))

    found = client.fulfillment(*READ)

    assert told(printed("read_delivered_receipt")) == seen_in(found)
    assert [("GET", f"/com/orders/{READ[0]}/fulfillments/{READ[1]}.json")] == server.paths


@pytest.mark.parametrize(
    ("scenario", "wanted"), [("create_notify", NOTIFY), ("create_with_cod", WITH_COD)]
)
def test_a_printed_fulfillment_is_created(
    server, answer, client, payload, printed, budget, scenario, wanted
):
    """What is sent is what the reference prints, and what it answers is read."""
    server.plays(answer.reply(payload(f"fulfillment_{scenario}"), status=201))
    order_id = str(printed(scenario)["order_id"])

    made = client.create_fulfillment(order_id, wanted)

    assert json.loads(payload(f"fulfillment_{scenario}_request")) == json.loads(server.bodies[0])
    assert told(printed(scenario)) == seen_in(made)
    assert [("POST", f"/com/orders/{order_id}/fulfillments.json")] == server.paths
    assert 1 == budget.spent


def test_the_printed_tracking_number_is_changed(server, answer, client, payload, printed):
    """Of the reference's plain PUT the number is sent, and never the status."""
    server.plays(answer.reply(payload("fulfillment_plain_put_delivered")))

    changed = client.update_fulfillment(*CHANGED, tracking_number="2021")

    asked = json.loads(payload("fulfillment_plain_put_request"))["fulfillment"]
    sent = json.loads(server.bodies[0])["fulfillment"]
    assert {"carrier_status_code": "delivered"} | sent == asked
    assert {"tracking_number"} == set(sent)
    assert told(printed("plain_put_delivered")) == seen_in(changed)
    path = f"/com/orders/{CHANGED[0]}/fulfillments/{CHANGED[1]}.json"
    assert [("PUT", path)] == server.paths


@pytest.mark.parametrize(
    ("chosen", "query"),
    [
        (FulfillmentFilter(ids=("1", "2")), "ids=1%2C2&limit=50"),
        (FulfillmentFilter(since_id="7", limit=5, page=3), "since_id=7&limit=5&page=3"),
        (
            FulfillmentFilter(created_at_min=datetime(2026, 3, 1, 7, tzinfo=HANOI)),
            "created_at_min=2026-03-01T00%3A00%3A00.000Z&limit=50",
        ),
        (
            FulfillmentFilter(**{name: datetime(2026, 3, day, tzinfo=UTC) for name, day in BOUNDS}),
            "&".join(f"{name}=2026-03-0{day}T00%3A00%3A00.000Z" for name, day in BOUNDS)
            + "&limit=50",
        ),
    ],
)
def test_filters_are_asked_as_the_reference_names_them(server, answer, client, chosen, query):
    """No blank is sent, and no time without a zone."""
    server.plays(answer.reply({"fulfillments": []}))

    client.fulfillments(READ[0], chosen)

    assert [("GET", f"/com/orders/{READ[0]}/fulfillments.json?{query}")] == server.paths


def test_a_filter_by_id_that_is_ignored_brings_nothing_else(server, answer, client, payload):
    """Rows that were not asked for are left out, those that may be it are not."""
    body = json.loads(payload("fulfillment_list_of_one"))
    body["fulfillments"] += [{"id": 77}, {"id": "?"}]
    server.plays(*[answer.reply(body)] * 2)

    others = client.fulfillments(READ[0], FulfillmentFilter(ids=("5",)))
    asked = client.fulfillments(READ[0], FulfillmentFilter(ids=(READ[1], "77")))

    assert ((), [None]) == (others.fulfillments, [it.fulfillment_id for it in others.unreadable])
    assert [READ[1]] == [one.ref.fulfillment_id for one in asked.fulfillments]
    assert ["77", None] == [row.fulfillment_id for row in asked.unreadable]


def test_an_empty_reply_lists_nothing(server, answer, client):
    """A 200 without a body shows no fulfillment."""
    server.plays(answer.reply(b""))

    assert () == client.fulfillments(READ[0]).fulfillments


def test_an_odd_fulfillment_costs_itself(server, answer, client, printed):
    """What cannot be read of one is said, and nothing of it is kept."""
    body = printed("read_delivered_receipt") | {"updated_at": "soon"}
    server.plays(answer.reply({"fulfillment": body}))

    found = client.fulfillment(*READ)

    assert isinstance(found, Unreadable)
    assert "soon" not in repr(found)


def test_unknown_words_stay_unknown(server, answer, client, printed):
    """A status that nobody knows has no status of ours, in a list as in one fulfillment."""
    body = printed("read_delivered_receipt") | {"carrier_status_code": "lost"}
    server.plays(answer.reply({"fulfillments": [body]}), answer.reply({"fulfillment": body}))

    listed, read = client.fulfillments(READ[0]).fulfillments[0], client.fulfillment(*READ)

    assert [("lost", None)] * 2 == [(it.carrier.raw, it.carrier.status) for it in (listed, read)]


@pytest.mark.parametrize("body", [{}, {"count": True}, {"count": -1}, {"count": "1"}, b"", b"<p>"])
def test_a_count_that_is_none_is_unreadable(server, answer, client, body):
    """What is no number is not taken for none."""
    server.plays(*[answer.reply(body)] * 4)

    with pytest.raises(PlatformUnavailable):
        client.count_fulfillments(READ[0])


READS = {
    "list": lambda client: client.fulfillments(READ[0]),
    "count": lambda client: client.count_fulfillments(READ[0]),
    "one": lambda client: client.fulfillment(*READ),
    "order": lambda client: client.order(READ[0]),
    "orders": lambda client: client.orders([READ[0]]),
}
WRITES = {
    "create": lambda client: client.create_fulfillment(CHANGED[0]),
    "update": lambda client: client.update_fulfillment(*CHANGED, tracking_number="2021"),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("status", "fate"),
    [(404, NotThere), (400, ReadRefused), (401, AccessDenied), (500, PlatformUnavailable)],
)
def test_a_read_says_what_it_was_answered(server, answer, client, budget, read, status, fate):
    """Only what may pass is asked again, and each try is one request of the budget."""
    server.plays(*[answer.reply(status=status)] * 4)

    with pytest.raises(fate):
        READS[read](client)

    assert budget.spent == len(server.received) == (4 if status == 500 else 1)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("step", "fate"),
    [
        ("hang_up", OutcomeUnknown),
        ("stay_silent", OutcomeUnknown),
        ("break_off", OutcomeUnknown),
        ({"status": 502, "body": b"<html>"}, OutcomeUnknown),
        ({"status": 201, "body": b""}, OutcomeUnknown),
        ({"status": 201, "body": {"fulfillment": {"id": 1}}}, OutcomeUnknown),
        ({"status": 429, "Retry_After": "2.0"}, NotSent),
        ({"status": 401}, AccessDenied),
        ({"status": 404}, Refused),
        ({"status": 422, "body": {"errors": "no"}}, Refused),
    ],
)
def test_a_write_is_sent_once_whatever_becomes_of_it(server, answer, client, write, step, fate):
    """No answer, however bad, makes a second request; its fate is named."""
    server.plays(answer.reply(**step) if isinstance(step, dict) else getattr(answer, step))

    with pytest.raises(fate):
        WRITES[write](client)

    assert 1 == len(server.received)


@pytest.mark.parametrize("write", WRITES)
def test_a_reply_about_another_parcel_says_nothing(server, answer, client, payload, write):
    """What was done here is then unknown."""
    server.plays(answer.reply(payload("fulfillment_create_notify"), status=201))

    with pytest.raises(OutcomeUnknown):
        WRITES[write](client)


NASTY = (None, "", "x", "..", "1/2", "1?", "\ud800", "9" * 30, 1.5, -1, [], ["x"], [""], b"1")
NASTY += (
    NewFulfillment(note="\ud800"),
    NewFulfillment(cod_amount=1.5),
    NewFulfillment(cod_amount=-1),
    FulfillmentFilter(ids=("",)),
    FulfillmentFilter(since_id=""),
    FulfillmentFilter(limit=0),
    FulfillmentFilter(limit=51),
    FulfillmentFilter(page=0),
    FulfillmentFilter(created_at_min="2026-03-01"),
    FulfillmentFilter(updated_at_max=datetime(2026, 3, 1)),
    datetime(2026, 3, 1),
)
SOUND = {
    "order_id": READ[0],
    "order_ids": [READ[0]],
    "fulfillment_id": READ[1],
    "tracking_number": "2021",
    "status": Status.PICKING,
    "since": datetime(2026, 3, 1, tzinfo=UTC),
    "not_later_than": datetime(2036, 3, 1, tzinfo=UTC),
}


def senseless(parameter):
    """Return what is none of a parameter; a number on a waybill may have any letters."""
    if parameter != "tracking_number":
        return NASTY
    return [it for it in NASTY if not isinstance(it, str) or it in {"", "\ud800"}]


def misuses(client):
    """Yield every call of the client with one argument that cannot be."""
    for name, method in inspect.getmembers(client, inspect.ismethod):
        parameters = list(inspect.signature(method).parameters)
        given = {parameter: SOUND[parameter] for parameter in parameters if parameter in SOUND}
        if not name.startswith("_"):
            for parameter in parameters:
                for value in senseless(parameter):
                    yield method, given | {parameter: value}


def test_nothing_senseless_is_sent(server, client):
    """Whatever cannot be asked for or told is refused, before anything leaves."""
    calls = list(misuses(client))
    for call, given in calls:
        with pytest.raises(InvalidInput):
            call(**given)

    assert len(calls) > 250
    assert [] == server.received
