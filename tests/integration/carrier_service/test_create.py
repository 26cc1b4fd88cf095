from dataclasses import replace
from datetime import timedelta

import pytest

from carrierflow.carrier_service import Accepted, Declined
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import ConcurrentUpdate
from carrierflow.storage.callbacks import SqlCallbackStore

from .conftest import ROAD, envelope, order, signed


def create(service, **fields):
    """Hand a parcel over and return the answer."""
    return envelope(service.answer(signed("POST", "/sms/orders", order(**fields))))


def shipments(app):
    """Count the shipments that are kept."""
    with app.store.reading() as connection:
        query = "SELECT count(*) FROM carrierflow_shipments"
        return connection.exec_driver_sql(query).scalar()


def test_a_parcel_is_taken_and_opened(app, service, courier):
    """The carrier's answer goes to the platform, and the ledger holds the parcel from then on."""
    told = create(service, destination=ROAD, cod_amount="199000.0000", note="giao buổi sáng")

    assert {
        "tracking_number": "CF-9_1001_2001",
        "shipping_fee": 25_000,
        "tracking_url": None,
        "cod_amount": 199_000,
    } == told["data"]
    parcel = app.parcel("sms", "2001")
    assert ("1001", "CF-9_1001_2001", "readytopick", "codpending") == (
        parcel.ref.order_id,
        parcel.tracking_number,
        parcel.delivery.status,
        parcel.cod.status,
    )
    (asked,) = courier.asked
    assert ("9", "7", "giao buổi sáng") == (asked.store_id, asked.service_id, asked.note)


def test_the_same_parcel_again_gets_the_same_answer(app, service, courier):
    """A retry, in whatever order and spelling its fields come, makes no second shipment."""
    first = service.answer(signed("POST", "/sms/orders", order(cod_amount=5000, total_grams=300)))
    again = dict(reversed(order(cod_amount="5000.0", total_grams="300.00").items()))

    second = service.answer(signed("POST", "/sms/orders", again))

    assert first == second
    assert 1 == len(courier.asked)
    assert 1 == shipments(app)


def test_another_parcel_under_the_same_code_is_refused(service):
    """A code that was used for one parcel never stands for another."""
    create(service, cod_amount=5000)

    told = create(service, cod_amount=6000, destination=ROAD)

    assert told["error"]
    assert "another parcel" in told["message"]


def amounts_told(app):
    """Return the open incidents about amounts: what both sides say, and how often it was met."""
    incidents = app.incidents.all(shop="sms")
    assert {"cod_amount_differs"} >= {each.kind for each in incidents}
    return [
        (each.evidence["ledger"], each.evidence["platform"], each.times_seen) for each in incidents
    ]


def test_the_same_parcel_with_another_amount_is_answered_and_told(app, service, courier):
    """The platform gets the shipment as it is, the ledger stays, and a person hears of it."""
    first = create(service, cod_amount=5000)

    for _ in range(2):
        assert first == create(service, cod_amount=6000)
    assert 1 == len(courier.asked)
    assert 5000 == app.parcel("sms", "2001").cod_amount
    assert [(5000, 6000, 2)] == amounts_told(app)
    (incident,) = app.incidents.all()
    assert ("1001", "2001") == (incident.order_id, incident.fulfillment_id)


def test_an_amount_that_was_agreed_once_is_the_same_parcel(app, service):
    """A retry from before a revision, and a request from after it, get the amount of now."""
    create(service, cod_amount=5000)
    ref = app.parcel("sms", "2001").ref
    for amount in (6000, 7000):
        app.ledger.revise(ref, cod_amount=amount, actor="lan", reason="seller-raised-it")

    answers = [create(service, cod_amount=amount) for amount in (5000, 6000, 7000)]

    assert [7000, 7000, 7000] == [told["data"]["cod_amount"] for told in answers]
    assert [] == amounts_told(app)


def test_a_parcel_that_was_opened_otherwise_is_taken_as_it_is(app, service, courier):
    """What the carrier opened with another amount keeps it: it is carried, and a person hears."""
    ref = FulfillmentRef(shop="sms", order_id="1001", fulfillment_id="2001")
    app.ledger.open(Opening(ref=ref, cod_amount=5000))

    told = create(service, cod_amount=6000)

    data = told["data"]
    assert (5000, "CF-9_1001_2001") == (data["cod_amount"], data["tracking_number"])
    assert told == create(service, cod_amount=6000)
    assert 1 == len(courier.asked)
    assert [(5000, 6000, 2)] == amounts_told(app)


def test_nothing_happens_before_a_parcel_was_handed_over(app, service, courier, clock):
    """A delivery that is dated before the platform handed the parcel over is refused."""
    accept, asked_at = courier.accept, clock()

    def thinks(request):
        clock.advance(seconds=1)
        return accept(request)

    courier.accept = thinks
    create(service)
    given = {"shop": "sms", "fulfillment_id": "2001", "status": Status.PICKING}

    early = app.ledger.record(Event(**given, occurred_at=asked_at - timedelta(days=2)))
    since = app.ledger.record(Event(**given, occurred_at=asked_at))
    assert ["before_opening", "legal_step"] == [early.reason, since.reason]


def test_another_code_for_the_same_fulfillment_is_refused(service, courier):
    """One fulfillment is carried once, whatever it is called the second time."""
    create(service)

    told = create(service, external_code="another")

    assert "handed over before" in told["message"]
    assert 1 == len(courier.asked)


def test_a_declined_parcel_leaves_nothing(app, service, courier):
    """Where the carrier says no, there is no parcel, and the seller reads why."""
    courier.accept = lambda _: Declined("Chúng tôi không giao ở Côn Đảo.")

    told = create(service)

    assert (True, "Chúng tôi không giao ở Côn Đảo.", None) == (
        told["error"],
        told["message"],
        told["data"],
    )
    assert 0 == shipments(app)
    assert 0 == app.coverage()[0].open


def test_a_carrier_that_breaks_leaves_nothing_and_may_be_asked_again(app, service, courier):
    """An exception is answered without its text; the retry finds everything open."""
    accept = courier.accept

    def breaks(_):
        raise ConnectionError("canary: db.internal refused carrier:hunter2")

    courier.accept = breaks
    failed = create(service)
    courier.accept = accept
    told = create(service)

    assert failed["error"]
    assert "canary" not in failed["message"]
    assert not told["error"]
    assert 1 == shipments(app)


def test_a_crash_after_the_carrier_s_yes_is_healed_by_the_retry(app, service, courier, monkeypatch):
    """The carrier took it and we wrote nothing: the same code brings the same answer later."""
    run = SqlCallbackStore.run_callback

    def dies(store, work):
        raise ConcurrentUpdate("The power")

    monkeypatch.setattr(SqlCallbackStore, "run_callback", dies)
    assert create(service)["error"]
    assert 0 == app.coverage()[0].open
    monkeypatch.setattr(SqlCallbackStore, "run_callback", run)

    assert "CF-9_1001_2001" == create(service)["data"]["tracking_number"]
    assert courier.asked[0] == courier.asked[1]


def test_of_two_at_the_same_moment_one_wins(app, service, courier):
    """Another process takes the parcel while our carrier thinks: its answer is ours too."""
    accept, numbers = courier.accept, iter(["CF-2", "CF-1"])

    def slow(request):
        if not shipments(app):
            courier.accept = lambda _: Accepted(tracking_number=next(numbers), shipping_fee=2)
            create(service)
        return accept(request)

    courier.accept = slow

    assert "CF-2" == create(service)["data"]["tracking_number"]
    assert 1 == shipments(app)


def test_a_parcel_that_the_ledger_knows_already_gets_its_shipment(app, service):
    """An imported parcel is not opened twice; its steps stay as they are."""
    ref = FulfillmentRef(shop="sms", order_id="1001", fulfillment_id="2001")
    before = app.ledger.open(Opening(ref=ref, cod_amount=5000))

    told = create(service, cod_amount=5000)

    assert not told["error"]
    assert before.delivery == app.parcel("sms", "2001").delivery


def test_what_contradicts_the_ledger_is_refused_before_the_carrier_is_asked(app, service, courier):
    """A parcel that is known otherwise is nobody's to carry."""
    ref = FulfillmentRef(shop="sms", order_id="1001", fulfillment_id="2001")
    app.ledger.open(Opening(ref=ref, cod_amount=5000))

    assert create(service, cod_amount=5000, external_order_id=1002)["error"]
    assert [] == courier.asked


def test_a_tracking_number_is_given_once(app, service, courier):
    """A carrier that gives two parcels one number is told so, and neither is mixed up."""
    courier.accept = lambda _: Accepted(tracking_number="CF-1", shipping_fee=1)
    create(service)

    told = create(service, external_code="9_1001_2002", external_fulfillment_id=2002)

    assert "tracking number of another parcel" in told["message"]
    assert 1 == shipments(app)


def test_one_code_in_two_shops_is_two_parcels(app, service):
    """Codes are a shop's own."""
    app.shops.add("other", token="t", base_url="http://127.0.0.1")
    create(service)

    reply = service.answer(signed("POST", "/other/orders", order(cod_amount=1)))

    assert not envelope(reply)["error"]
    assert 2 == shipments(app)


def test_a_revoked_shop_hands_nothing_over(app, service, courier):
    """After an uninstall there is no shop to carry for."""
    app.shops.revoke("sms")

    told = create(service)

    assert "not connected" in told["message"]
    assert [] == courier.asked


def test_requests_never_print_who_lives_where(service, courier):
    """What a log or a traceback would show of a request names nobody."""
    create(service, destination={"name": "canary", "phone": "0900"}, note="canary at the gate")

    assert "canary" not in repr(courier.asked)
    assert "0900" not in repr(replace(courier.asked[0], origin=courier.asked[0].destination))


@pytest.mark.parametrize(
    ("own", "base", "shown"),
    [
        (None, "", None),
        (None, "https://ship.example/track?code=", "https://ship.example/track?code=CF%2F1"),
        ("https://own.example/1", "https://ship.example/", "https://own.example/1"),
    ],
)
def test_an_answer_says_where_the_parcel_can_be_followed(
    sqlite_engine, make_app, courier, own, base, shown
):
    """The carrier's own URL, or else the setting's with the tracking number behind it."""
    app = make_app(sqlite_engine, tracking_url=base)
    app.shops.add("sms", token="t", base_url="http://127.0.0.1")
    courier.accept = lambda _: Accepted(tracking_number="CF/1", shipping_fee=1, tracking_url=own)
    service = app.carrier_service(courier)

    created = envelope(service.answer(signed("POST", "/sms/orders", order())))
    asked = signed("POST", "/sms/detail", {"tracking_number": "CF/1"})

    assert shown == created["data"]["tracking_url"]
    assert shown == envelope(service.answer(asked))["data"]["tracking_url"]
