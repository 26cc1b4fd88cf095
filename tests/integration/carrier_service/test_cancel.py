from datetime import timedelta

import pytest

from carrierflow.carrier_service import Declined
from carrierflow.domain.model import Event, Machine, Source, Status
from carrierflow.domain.publication import PublicationState

from .conftest import envelope, order, signed


@pytest.fixture
def taken(service):
    """A parcel with cash to collect, handed over."""
    reply = service.answer(signed("POST", "/sms/orders", order(cod_amount=5000)))
    return envelope(reply)["data"]["tracking_number"]


def cancel(service, number, **parts):
    """Ask for a parcel back and return the answer."""
    body = None if number is None else {"tracking_number": number}
    return envelope(service.answer(signed("DELETE", "/sms/cancel", body, **parts)))


def entries(app):
    """Return the delivery history of the parcel."""
    found = app.timeline("sms", "2001").entries
    return [entry for entry in found if entry.machine is Machine.DELIVERY]


def refusals(app):
    """Return what is kept of requests that were answered with a no."""
    found = app.timeline("sms", "2001").evidence
    return [(each.verdict, each.status, each.source, each.reason) for each in found]


def record(app, clock, *walk):
    """Let the parcel move on the road."""
    for status in walk:
        event = Event(
            shop="sms", fulfillment_id="2001", status=status, occurred_at=clock.advance(hours=1)
        )
        assert "accepted" == app.ledger.record(event).verdict


def test_a_parcel_not_yet_on_its_way_is_given_up(app, service, courier, taken):
    """The seller's cancel becomes history of the platform's doing, and the answer says so."""
    told = cancel(service, taken)

    assert ("Cancel", "CODPending") == (told["data"]["status"], told["data"]["cod_status"])
    last = entries(app)[-1]
    assert (Status.CANCEL, Source.PLATFORM) == (last.to_status, last.source)
    assert ("1001", taken) == (courier.asked[-1].order_id, courier.asked[-1].tracking_number)


def test_the_tracking_number_may_come_in_the_query(app, service, taken):
    """Where a proxy dropped the body of the DELETE, the query says which parcel is meant."""
    told = cancel(service, None, query={"tracking_number": taken})

    assert "Cancel" == told["data"]["status"]


def test_a_parcel_on_its_way_is_not_given_up(app, service, courier, clock, taken):
    """Where the lifecycle forbids it the seller is told why, and the carrier is not asked."""
    record(app, clock, Status.PICKING, Status.DELIVERING)
    before = entries(app)

    told = cancel(service, taken)

    assert told["error"]
    assert "Out for delivery (Đang giao hàng)" in told["message"]
    assert before == entries(app)
    assert 1 == len(courier.asked)
    assert [("refused", "cancel", "platform", told["message"])] == refusals(app)


def test_a_carrier_may_keep_a_parcel(app, service, courier, taken):
    """Where the carrier refuses, its reason is told and kept, and nothing changes."""
    before = entries(app)
    courier.cancel = lambda _: Declined("The courier is at the door.")

    told = cancel(service, taken)

    assert (True, "The courier is at the door.") == (told["error"], told["message"])
    assert before == entries(app)
    assert [("refused", "cancel", "platform", told["message"])] == refusals(app)


def test_each_no_is_kept_and_prevents_no_later_yes(app, service, courier, taken):
    """What was refused is evidence alone: it neither waits nor stands in the way."""
    agreed = courier.cancel
    courier.cancel = lambda _: Declined("Not \0now" + "!" * 300)
    assert all(cancel(service, taken)["error"] for _ in range(2))
    courier.cancel = agreed

    assert "Cancel" == cancel(service, taken)["data"]["status"]
    assert ["Not \N{REPLACEMENT CHARACTER}now" + "!" * 246 + "…"] * 2 == [
        reason for *_, reason in refusals(app)
    ]
    moments = app.timeline("sms", "2001").moments()
    assert 2 == [moment.kind for moment in moments].count("refused")


def test_a_cancel_that_came_before_succeeds_and_writes_nothing(app, service, courier, taken):
    """A repeated cancel is the echo of the first."""
    first = cancel(service, taken)
    before = entries(app)

    assert first == cancel(service, taken)
    assert before == entries(app)
    assert 2 == len(courier.asked)


def test_the_echo_of_our_own_cancel_writes_nothing(app, service, courier, clock, taken):
    """The platform calls back while we tell it a cancel that the carrier recorded."""
    record(app, clock, Status.CANCEL)
    before = entries(app)

    told = cancel(service, taken)

    assert "Cancel" == told["data"]["status"]
    assert before == entries(app)
    assert Source.CARRIER is before[-1].source
    assert 1 == len(courier.asked)


def test_a_cancel_that_the_road_overtakes_is_refused(app, service, courier, clock, taken):
    """The parcel was picked up while the carrier thought about it: the road is right."""
    courier.cancel = lambda _: record(app, clock, Status.PICKING, Status.DELIVERING)

    told = cancel(service, taken)

    assert "Out for delivery" in told["message"]
    assert Status.DELIVERING == entries(app)[-1].to_status


def test_a_scanner_ahead_of_time_does_not_prevent_a_cancel(app, service, clock, taken):
    """A scan dated in the near future is not newer than what the seller asks now."""
    record(app, clock, Status.PICKING)
    clock.advance(timedelta(hours=-1))

    assert "Cancel" == cancel(service, taken)["data"]["status"]


def test_an_unknown_parcel_is_refused(service):
    """A number that was never given out is nobody's parcel."""
    assert "no such parcel" in cancel(service, "CF-0")["message"]


def test_the_answer_counts_as_a_telling(app, service, clock, taken):
    """Until the platform had time to hear our yes, no run tells it again."""
    cancel(service, taken)

    parcel = app.parcel("sms", "2001")
    publication = app.reconciler.parts.store.publication_logs([parcel])[parcel.id].publications[
        Machine.DELIVERY, 2
    ]
    assert PublicationState.SENT is publication.state
    assert clock() == publication.ended_at
