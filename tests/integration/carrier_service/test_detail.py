from datetime import UTC, datetime

import pytest

from carrierflow.carrier_service.shipments import published_status, shows_unknown_status
from carrierflow.domain.fulfillment import Fulfillment, MachineHead, RemoteSnapshot
from carrierflow.domain.model import FulfillmentRef, Machine, Opening, RemoteWord, Status
from carrierflow.domain.publication import (
    Publication,
    PublicationLog,
    PublicationState,
    PublishableStep,
)

from .conftest import envelope, order, signed


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
READ = ("none", "picking", "codpending", "codnotreceipt", "delivered")
ROAD = ("readytopick", "picking", "delivering", "delivered")


def parcel(*, delivery=0, cod=0, **fields):
    """Make a parcel of which the platform is known to show so much."""
    return Fulfillment(
        id=1,
        shop_id=1,
        ref=FulfillmentRef(shop="sms", order_id="1", fulfillment_id="2"),
        version=1,
        delivery=MachineHead(status="delivered", seq=4, confirmed=delivery),
        cod=MachineHead(status="codpaid", seq=2, confirmed=cod),
        cod_amount=5000,
        **fields,
    )


def shown(*raw):
    """Make what Haravan shows of delivery and cash; it knows the words of its manual alone."""
    carrier, cod = (RemoteWord(raw=it, status=Status(it) if it in READ else None) for it in raw)
    return RemoteSnapshot(carrier=carrier, cod=cod, updated_at=NOON, dates={}, digest="")


def publication_log(**told):
    """Make the track of a delivered parcel; `told` names states of delivery steps."""
    steps = [_step(Machine.DELIVERY, seq, word) for seq, word in enumerate(ROAD, 1)]
    steps += [
        _step(Machine.COD, 1, "codpending"),
        _step(Machine.COD, 2, "codpaid", cause="delivery:4"),
    ]
    publications = {}
    for word, (state, attempts) in told.items():
        key = (Machine.DELIVERY, ROAD.index(word) + 1)
        publications[key] = Publication(machine=key[0], seq=key[1], state=state, attempts=attempts)
    return PublicationLog(steps=tuple(steps), publications=publications)


def _step(machine, seq, word, cause=None):
    return PublishableStep(
        machine=machine, seq=seq, from_status="", to_status=Status(word), cause=cause
    )


SENT, UNKNOWN, TODO = PublicationState.SENT, PublicationState.UNKNOWN, PublicationState.TODO


@pytest.mark.parametrize(
    ("confirmed", "told", "expected"),
    [
        (0, {}, "readytopick"),
        (1, {}, "readytopick"),
        (2, {}, "picking"),
        (1, {"picking": (SENT, 1)}, "picking"),
        (1, {"picking": (UNKNOWN, 1)}, "picking"),
        (1, {"picking": (TODO, 1)}, "picking"),
        (2, {"delivered": (TODO, 1)}, "picking"),
        (3, {"delivered": (SENT, 1)}, "delivered"),
        (4, {}, "delivered"),
    ],
)
def test_the_answer_is_what_was_told_last_and_never_the_head(confirmed, told, expected):
    """The platform is shown what it knows, or what we are telling it, and jumps over nothing."""
    assert expected == published_status(parcel(delivery=confirmed), publication_log(**told))[0]


@pytest.mark.parametrize(("attempts", "expected"), [(0, "cancel"), (1, "readytopick")])
def test_a_cancel_is_shown_where_no_put_is_under_way(attempts, expected):
    """The platform would cancel by the answer, and refuse the PUT that tells it the same."""
    steps = [_step(Machine.DELIVERY, 1, "readytopick"), _step(Machine.DELIVERY, 2, "cancel")]
    steps.append(_step(Machine.COD, 1, "codpending"))
    told = Publication(machine=Machine.DELIVERY, seq=2, state=SENT, attempts=attempts)
    publication_log = PublicationLog(steps=tuple(steps), publications={(Machine.DELIVERY, 2): told})

    assert expected == published_status(parcel(delivery=1, cod=1), publication_log)[0]


@pytest.mark.parametrize(
    ("confirmed", "told", "expected"),
    [(3, {}, "codpending"), (3, {"delivered": (SENT, 1)}, "codpaid"), (4, {}, "codpaid")],
)
def test_the_cash_goes_with_the_delivery_that_lifts_it(confirmed, told, expected):
    """The platform lifts the cash by itself; the answer must not put it back."""
    assert (
        expected == published_status(parcel(delivery=confirmed, cod=1), publication_log(**told))[1]
    )


def test_a_frozen_parcel_is_shown_as_the_platform_has_it():
    """Where a person must decide, an answer moves nothing."""
    remote = shown("picking", "none")
    frozen = parcel(delivery=4, cod=2, frozen="merchant_edit", remote=remote)

    assert ("picking", "none") == published_status(frozen, publication_log())


@pytest.mark.parametrize(
    ("said", "expected"),
    [("none", "none"), ("codnotreceipt", "codnotreceipt"), ("codpending", "codpaid")],
)
def test_disputed_cash_is_shown_as_the_platform_has_it(said, expected):
    """What a person must decide about the cash, no answer of ours decides."""
    remote = shown("delivered", said)

    found = published_status(parcel(delivery=4, cod=2, remote=remote), publication_log())

    assert ("delivered", expected) == found


@pytest.mark.parametrize(
    ("frozen", "carrier", "cod", "expected"),
    [
        ("unknown_code", "lost", "none", True),
        ("unknown_code", "picking", "owed", True),
        ("merchant_edit", "picking", "none", False),
        (None, "lost", "none", False),
    ],
)
def test_a_word_that_nobody_knows_is_not_talked_over(frozen, carrier, cod, expected):
    """Where the platform says something unknown, no answer of ours may replace it."""
    remote = shown(carrier, cod)

    assert expected == shows_unknown_status(parcel(frozen=frozen, remote=remote))


def test_detail_tells_statuses_in_the_callbacks_words(service):
    """The answer repeats what create said, and where the parcel stands."""
    service.answer(signed("POST", "/sms/orders", order(cod_amount=5000)))

    reply = service.answer(signed("POST", "/sms/detail", {"tracking_number": "CF-9_1001_2001"}))

    assert {
        "tracking_number": "CF-9_1001_2001",
        "shipping_fee": 25_000,
        "tracking_url": None,
        "cod_amount": 5000,
        "status": "ReadyToPick",
        "cod_status": "CODPending",
    } == envelope(reply)["data"]


@pytest.mark.parametrize(
    ("method", "body", "query"),
    [
        ("POST", {"external_code": "9_1001_2001"}, {}),
        ("POST", None, {"external_code": "9_1001_2001"}),
        ("GET", None, {"external_code": "9_1001_2001"}),
    ],
)
def test_a_parcel_is_found_by_the_platform_s_code(service, method, body, query):
    """Nobody knows how Haravan asks; each way of naming the code is understood."""
    service.answer(signed("POST", "/sms/orders", order()))

    reply = service.answer(signed(method, "/sms/by-external-code", body, query=query))

    assert "CF-9_1001_2001" == envelope(reply)["data"]["tracking_number"]


def test_a_parcel_that_was_opened_by_hand_is_found_by_its_number(app, service):
    """A parcel that no callback made is shown too; what is not known of it is null."""
    ref = FulfillmentRef(shop="sms", order_id="1", fulfillment_id="2")
    app.ledger.open(Opening(ref=ref, tracking_number="OLD-1"))

    reply = service.answer(signed("POST", "/sms/detail", {"tracking_number": "OLD-1"}))

    assert ("None", None) == (
        envelope(reply)["data"]["cod_status"],
        envelope(reply)["data"]["shipping_fee"],
    )


def test_numbers_are_a_shop_s_own(app, service):
    """The number of another shop's parcel finds nothing."""
    app.shops.add("other", token="t", base_url="http://127.0.0.1")
    service.answer(signed("POST", "/sms/orders", order()))

    reply = service.answer(signed("POST", "/other/detail", {"tracking_number": "CF-9_1001_2001"}))

    assert "no such parcel" in envelope(reply)["message"]
