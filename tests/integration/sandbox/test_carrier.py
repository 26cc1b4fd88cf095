from __future__ import annotations

import json
import time

import pytest
import requests

from carrierflow.sandbox.haravan import (
    SIGNATURE_HEADER,
    Answer,
    CallKind,
    CarrierCallables,
    CarrierCalls,
    CarrierClient,
    CarrierDeclined,
    Fault,
    FaultKind,
    FaultMix,
    NoAnswer,
    NotFound,
    Outgoing,
    ParcelRef,
    Rule,
    SandboxServer,
    Unprocessable,
    sign,
)
from carrierflow.sandbox.http_client import send

from .carrier import RATE, FakeCarrier, bad, good, listening


@pytest.fixture
def carrier():
    """A carrier that agrees to everything."""
    return FakeCarrier()


@pytest.fixture
def slept():
    """How long late calls were held back."""
    return []


@pytest.fixture
def carrier_calls(world, faults, carrier, slept):
    """Haravan's side of the talk with that carrier."""
    carrier_calls = CarrierCalls(
        world, CarrierClient(world, faults, send=carrier, sleep=slept.append)
    )
    world.callbacks = carrier_calls.callbacks
    return carrier_calls


@pytest.fixture
def service(world):
    """The carrier's registration in the shop."""
    return register(world, "https://carrier.example")


@pytest.fixture
def order(world):
    """An order of the shop."""
    return world.add_order(shop="alpha", total=250_000)


@pytest.fixture
def ship(carrier_calls, service, order):
    """Let the seller ship the order."""

    def go(**options):
        fixed = {"carrier": service.id, "service_id": 7, "cod_amount": 250_000}
        return carrier_calls.ship("alpha", order.id, **{**fixed, **options})

    return go


def register(world, root):
    fields = {
        "name": "Giao Thử",
        "active": True,
        "get_shipping_rates_url": f"{root}/rates",
        "create_order_url": f"{root}/create",
        "get_order_detail_url": f"{root}/detail",
        "cancel_order_url": f"{root}/cancel",
    }
    return world.shop("alpha").services.register(fields, world.now())


def now_of(world, parcel):
    return world.shop("alpha").parcel(parcel.ref.order_id, parcel.ref.fulfillment_id)


def test_rates_are_offered(carrier_calls, service, order, carrier):
    """A carrier is asked with both addresses and the amounts as floats, and offers its rates."""
    offers, problems = carrier_calls.rates("alpha", order.id, 250_000)

    assert ([(service.id, 7, 30_000)], []) == (
        [(offer.carrier, offer.service_id, offer.total_price) for offer in offers],
        problems,
    )
    asked = carrier.bodies("/rates")[0]
    assert isinstance(asked["cod_amount"], float)
    assert "HC476" == asked["destination"]["district_code"]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (bad("Không giao vùng này"), "Không giao vùng này"),
        (Answer(status=500), "500"),
        (Answer(status=200, body=b"<html>"), "JSON"),
        (Answer(status=200, body=b"[]"), "object"),
        (Answer(status=200, body=b"{}"), "error"),
        (good({"rates": [{**RATE, "service_id": 1 << 31}]}), "32 bits"),
        (good({}), "rates"),
    ],
)
def test_bad_rates_are_told(answer, word, carrier_calls, service, order, carrier):
    """A carrier that cannot say its rates offers none, and the seller reads why."""
    carrier.says["/rates"] = answer

    offers, problems = carrier_calls.rates("alpha", order.id, 0)

    assert [] == offers
    assert word in problems[0]


def test_inactive_carriers_are_not_asked(carrier_calls, service, world, order, carrier):
    """A registration that is switched off offers no rates."""
    world.shop("alpha").services.change(service.id, {"active": False}, world.now())

    assert ([], []) == carrier_calls.rates("alpha", order.id, 0)
    assert [] == carrier.heard


def test_create_comes_after_the_row(ship, order, world, carrier):
    """The fulfillment exists when the carrier hears of it, and is linked to it in five fields."""
    seen = []

    def look(call):
        body = json.loads(call.body)
        ids = (body["external_order_id"], body["external_fulfillment_id"])
        seen.append(world.shop("alpha").parcel(*ids).carrier_status)
        return good({"tracking_number": "CF-1", "tracking_url": "https://carrier.example/CF-1"})

    carrier.says["/create"] = look
    parcel = ship(note="Gọi trước")

    assert ["readytopick"] == seen
    asked = carrier.bodies("/create")[0]
    store_id, fulfillment_id = world.shop("alpha").org_id, parcel.ref.fulfillment_id
    assert (f"{store_id}_{order.id}_{fulfillment_id}", 7, "Gọi trước", 250_000.0) == (
        asked["external_code"],
        asked["shipping_rate_id"],
        asked["note"],
        asked["cod_amount"],
    )
    assert ("CF-1", "external", "codpending") == (
        parcel.tracking_number,
        parcel.tracking_company_code,
        parcel.cod_status,
    )


def test_calls_are_signed(ship, carrier, world):
    """Every callback bears the signature of its exact bytes, Vietnamese ones included."""
    parcel = ship(note="Giờ hành chính")
    parcel_ref = parcel.ref
    world.callbacks.poll_detail(parcel_ref)

    assert 2 == len(carrier.heard)
    for call in carrier.heard:
        assert sign(call.body, "sandbox-secret") == call.headers[SIGNATURE_HEADER]


def test_declined_create_leaves_nothing(ship, order, world, carrier):
    """A carrier that declines a parcel leaves the order as it was, and the seller reads why."""
    carrier.says["/create"] = bad("Quá nặng")

    with pytest.raises(CarrierDeclined, match="Quá nặng"):
        ship()

    assert () == world.shop("alpha").order(order.id).fulfillment_ids
    assert [] == list(world.shop("alpha").parcels())


@pytest.mark.parametrize("kind", [FaultKind.CALL_LOST, FaultKind.CALL_REPLY_LOST])
def test_unanswered_create_can_be_repeated(
    kind, ship, order, world, carrier, faults, carrier_calls
):
    """A create without an answer leaves the parcel, and is repeated under the same code."""
    faults.add(Rule(fault=Fault(kind=kind), path="create"))
    with pytest.raises(NoAnswer):
        ship()
    (fulfillment_id,) = world.shop("alpha").order(order.id).fulfillment_ids
    ref = ParcelRef("alpha", order.id, fulfillment_id)
    assert world.shop("alpha").parcel(*ref[1:]).tracking_number is None

    assert "CF-1" == carrier_calls.hand_over(ref).tracking_number

    codes = [body["external_code"] for body in carrier.bodies("/create")]
    assert 1 == len(set(codes))
    assert (2 if kind is FaultKind.CALL_REPLY_LOST else 1) == len(codes)


def test_cancel_waits_for_the_carrier(ship, carrier_calls, world, carrier):
    """A parcel is cancelled once the carrier agrees, who is asked once, by DELETE with a body."""
    parcel = ship()

    cancelled = carrier_calls.cancel(parcel.ref)
    world.deliver_callbacks()

    assert cancelled.is_cancelled
    calls = [call for call in carrier.heard if call.url.endswith("/cancel")]
    assert [("DELETE", b'{"tracking_number":"CF-1"}')] == [
        (call.method, call.body) for call in calls
    ]


@pytest.mark.parametrize(
    ("answer", "error"), [(bad("Đã lấy hàng"), CarrierDeclined), (Answer(status=502), NoAnswer)]
)
def test_refused_cancel_changes_nothing(answer, error, ship, carrier_calls, world, carrier):
    """If the carrier refuses, or cannot be understood, the parcel stays as it is."""
    parcel = ship()
    carrier.says["/cancel"] = answer

    with pytest.raises(error):
        carrier_calls.cancel(parcel.ref)

    assert "readytopick" == now_of(world, parcel).carrier_status


def test_nothing_is_cancelled_twice(ship, carrier_calls, carrier):
    """A parcel that is cancelled already is not asked about again."""
    parcel = ship()
    carrier_calls.cancel(parcel.ref)

    with pytest.raises(Unprocessable):
        carrier_calls.cancel(parcel.ref)
    with pytest.raises(Unprocessable):
        carrier_calls.hand_over(parcel.ref)


def test_parcels_of_nobody_are_nobodys(carrier_calls, world):
    """Without a registered carrier there is nobody to ask."""
    ids = world.add_parcel(shop="alpha", tracking_number="X")

    with pytest.raises(NotFound):
        carrier_calls.cancel(ParcelRef("alpha", *ids))
    assert 0 == world.poll_all()


def test_cancel_by_api_comes_back(ship, put, carrier, carrier_calls):
    """A cancel that the app itself PUTs comes back as a callback, whose answer changes nothing."""
    parcel = ship()
    carrier.says["/cancel"] = bad("Không")

    assert "cancel" == put(parcel.ref[1:], "cancel")["carrier_status_code"]

    assert [{"tracking_number": "CF-1"}] == carrier.bodies("/cancel")


def test_details_are_polled(ship, world, carrier):
    """Polling asks for every parcel that was handed over, and applies the answer."""
    parcel = ship()

    assert 1 == world.poll_all()

    assert "picking" == now_of(world, parcel).carrier_status
    assert [{"tracking_number": "CF-1"}] == carrier.bodies("/detail")


def test_overtaken_answers_are_dropped(ship, world, carrier, put):
    """An answer to a poll that a PUT overtook does not set the parcel back."""
    parcel = ship()

    def meanwhile(_call):
        put(parcel.ref[1:], "delivering")
        return good({"status": "Picking", "cod_status": "CODPending"})

    carrier.says["/detail"] = meanwhile

    assert 0 == world.poll_all()
    assert "delivering" == now_of(world, parcel).carrier_status


@pytest.mark.parametrize("words", [{"status": "Picking"}, {"cod_status": "None"}, None])
def test_useless_details_change_nothing(words, ship, world, carrier):
    """An answer to a poll that lacks a word, or refuses, changes nothing."""
    ship()
    carrier.says["/detail"] = bad("?") if words is None else good(words)

    assert 0 == world.poll_all()


def test_judge_sees_skipped_steps(ship, world, carrier, legal):
    """An answer to a poll that skips a step is held against the carrier."""
    ship()
    carrier.says["/detail"] = good({"status": "Delivering", "cod_status": "CODPending"})
    world.poll_all()

    report = world.recorder.report(legal)

    assert [("readytopick", "delivering")] == [
        (touch.from_status, touch.to_status) for touch in report.illegal_polls
    ]
    assert not report.is_clean


def test_call_faults_happen(ship, carrier, faults, slept, world):
    """Calls are late, doubled, unsigned or signed wrongly, as a script says."""
    kinds = ("call_late", "call_doubled", "call_unsigned", "call_missigned")
    for kind in kinds:
        faults.add(Rule(fault=Fault(kind=FaultKind(kind), seconds=3.0), path="create"))

    for _ in kinds:
        ship()

    signatures = [call.headers.get(SIGNATURE_HEADER) for call in carrier.heard]
    good_ones = [sign(call.body, "sandbox-secret") for call in carrier.heard]
    assert 5 == len(carrier.heard)
    assert [True, True, True, False, False] == [
        given == good for given, good in zip(signatures, good_ones, strict=True)
    ]
    assert (None, [3.0]) == (signatures[3], slept)
    assert [made.fault for made in world.calls] == [
        "call_late",
        "call_doubled",
        "call_doubled",
        "call_unsigned",
        "call_missigned",
    ]


def test_call_faults_are_repeatable(world, carrier, order, service, faults):
    """A mix draws the same faults for the same calls, and none of them for requests."""

    def run():
        faults.plan(mix=FaultMix(rates={FaultKind.CALL_UNSIGNED: 0.5}), seed=3)
        carrier_calls = CarrierCalls(world, CarrierClient(world, faults, send=carrier))
        carrier.heard.clear()
        for _ in range(20):
            carrier_calls.rates("alpha", order.id, 0)
        return [SIGNATURE_HEADER in call.headers for call in carrier.heard]

    first = run()

    assert run() == first
    assert {True, False} == set(first)
    assert faults.choose("GET", "/com/orders.json", "alpha") is None


def test_calls_are_on_record(ship, carrier, control_calls, world):
    """What was said to the carrier, and what it answered, can be looked up, without signatures."""
    carrier.says["/create"] = bad("Quá nặng")
    with pytest.raises(CarrierDeclined):
        ship()

    (made,) = control_calls()

    assert ("create", "POST", 200, True) == (
        made["kind"],
        made["method"],
        made["status"],
        made["is_signed"],
    )
    assert "Quá nặng" in made["answer"] or "Qu\\u00e1" in made["answer"]
    assert sign(carrier.heard[0].body, "sandbox-secret") not in json.dumps(made)
    world.reset()
    assert [] == control_calls()


@pytest.fixture
def control_calls(ask):
    """Return the record of calls as the control call shows it."""
    return lambda: ask("GET", "/_sandbox/calls")[1]["calls"]


def test_carrier_may_ask_the_platform_while_it_answers(world, carrier, service, order):
    """Over real sockets a carrier calls the platform back from within a create callback."""
    statuses = []
    with listening(carrier) as root, SandboxServer(world) as server:
        other = register(world, root)

        def look(_call):
            headers = {"Authorization": "Bearer token-alpha"}
            url = f"{server.url}/com/orders/{order.id}.json"
            statuses.append(requests.get(url, headers=headers, timeout=5).status_code)
            return good({"tracking_number": "CF-9"})

        carrier.says["/create"] = look
        parcel = server.haravan.carrier_calls.ship(
            "alpha", order.id, carrier=other.id, service_id=7, cod_amount=0
        )

        assert ("CF-9", [200]) == (parcel.tracking_number, statuses)
        server.haravan.carrier_calls.cancel(parcel.ref)
        assert now_of(world, parcel).is_cancelled


def test_server_polls_by_itself(world, carrier, order):
    """A sandbox on a port polls at its interval, without being asked."""
    with listening(carrier) as root, SandboxServer(world) as server:
        service = register(world, root)
        parcel = server.haravan.carrier_calls.ship(
            "alpha", order.id, carrier=service.id, service_id=7, cod_amount=0
        )
        requests.post(f"{server.url}/_sandbox/app", json={"poll_seconds": 0.05}, timeout=5)
        deadline = time.monotonic() + 5
        while now_of(world, parcel).carrier_status != "picking":
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_callers_have_a_time_limit(carrier):
    """A carrier that takes too long is given up."""

    def dawdle(_call):
        time.sleep(0.3)
        return Answer(status=200)

    carrier.says["/rates"] = dawdle
    with listening(carrier) as root, pytest.raises(NoAnswer, match=r"within 0\.05 seconds"):
        send(Outgoing(method="POST", url=f"{root}/rates", seconds=0.05))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/rates", "http://127.0.0.1:many/", "http://[", "nowhere", "http://x/ y"],
)
def test_callers_say_who_is_missing(url):
    """A carrier that does not listen, or has no address, is a sentence and not a stack trace."""
    with pytest.raises(NoAnswer, match="could not be reached"):
        send(Outgoing(method="POST", url=url, seconds=1))


def test_callers_read_no_endless_answers(carrier):
    """An answer longer than a mebibyte is none."""
    carrier.says["/rates"] = Answer(status=200, body=b"x" * (1 << 21))
    with listening(carrier) as root, pytest.raises(NoAnswer, match="mebibyte"):
        send(Outgoing(method="POST", url=f"{root}/rates", seconds=5))


def test_parcels_may_vanish_while_they_are_polled(ship, world, carrier):
    """A poll goes on when an order is removed while its carrier answers."""
    parcel, _other = ship(), ship()

    def vanish(_call):
        if parcel.ref.order_id in world.shop("alpha").orders:
            world.remove_order("alpha", parcel.ref.order_id)
        return good({"status": "Picking", "cod_status": "CODPending"})

    carrier.says["/detail"] = vanish

    assert 0 == world.poll_all()


def test_own_callbacks_are_kept(world, haravan):
    """Whoever passes callables of its own hears of cancels by these."""
    heard = []
    world.callbacks = CarrierCallables(on_cancel=heard.append)
    ids = world.add_parcel(shop="alpha")

    world.edit(ParcelRef("alpha", *ids), carrier_status="cancel")
    world.deliver_callbacks()

    assert [ParcelRef("alpha", *ids)] == heard


def test_kinds_of_calls_are_few():
    """The record knows six kinds of calls."""
    assert {"rates", "create", "detail", "cancel", "webhook", "challenge"} == set(CallKind)
