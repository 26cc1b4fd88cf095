from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.exchange import Dropped, HttpReply
from carrierflow.sandbox.faults import FaultKind, FaultMix
from carrierflow.sandbox.refusals import BadInput
from carrierflow.sandbox.sapo.sapo_faults import EFFECTS

from .conftest import path_of


@pytest.fixture
def ship(call):
    """Ship a parcel by a call, and return the outcome."""
    return lambda ref: call("POST", f"{path_of(ref)}/ship.json", {})


@pytest.fixture
def state(world):
    """Return where a parcel is in truth."""
    return lambda ref: str(world.shop(ref.shop).parcel(ref)[1].state)


@pytest.mark.parametrize(
    ("kind", "status", "is_applied"),
    [
        ("lost_request", None, False),
        ("lost_reply", None, True),
        ("error_500_before", 500, False),
        ("error_502_after", 502, True),
        ("throttle_429", 429, False),
        ("throttle_429_bare", 429, False),
        ("throttle_long", 429, False),
        ("refusal_before", 422, False),
        ("refusal_after", 422, True),
        ("slow", 200, True),
        ("html", 200, True),
        ("empty_body", 200, True),
        ("truncated_body", 200, True),
        ("huge_body", 200, True),
        ("odd_header", 200, True),
    ],
)
def test_a_fault_leaves_the_action_done_or_not(
    kind, status, is_applied, script, ship, parcel, state
):
    """Each fault does what its name says, once; the next read tells what became of it."""
    script(kind, method="POST")
    ref = parcel()

    outcome = ship(ref)

    assert status == (outcome.status if isinstance(outcome, HttpReply) else None)
    assert ("fulfilled" if is_applied else "packed") == state(ref)
    assert (422 if is_applied else 200) == ship(ref).status


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize(("kind", "is_applied"), [("proxy_before", False), ("proxy_after", True)])
def test_cloudflare_answers_with_a_page(kind, is_applied, status, script, ship, parcel, state):
    """The page has the status of a refusal and says nothing of what became of the action."""
    script(kind, status=status)
    ref = parcel()

    reply = ship(ref)

    assert (status, "text/html; charset=utf-8") == (reply.status, reply.headers["Content-Type"])
    assert b"Cloudflare" in reply.body
    assert ("fulfilled" if is_applied else "packed") == state(ref)


def test_cloudflare_draws_from_its_own_statuses(script, call):
    """Where none is named, it is one of the three that integrators met."""
    script("proxy_before", times=40)

    assert {403, 429, 503} == {call("GET", "/admin/orders").status for _ in range(40)}


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("throttle_429", {"Retry-After": "2"}),
        ("throttle_429_bare", {}),
        ("throttle_long", {"Retry-After": "3600"}),
    ],
)
def test_throttles_say_how_long_to_wait_or_not(kind, headers, script, call):
    """One says two seconds, one nothing, one an hour."""
    script(kind)

    shown = call("GET", "/admin/orders").headers

    assert headers == {name: value for name, value in shown.items() if name == "Retry-After"}


def test_a_slow_reply_is_delayed_and_a_broken_one_cut(script, ship, parcel):
    """What the socket is to do stands with the reply."""
    script("slow", seconds=3)
    script("truncated_body")

    slow, broken = ship(parcel()), ship(parcel())

    assert (3, False) == (slow.delay_seconds, slow.is_truncated)
    assert (0, True) == (broken.delay_seconds, broken.is_truncated)


@pytest.mark.parametrize("gateway_timeout", [True, False])
def test_a_late_action_is_done_as_of_then(
    gateway_timeout, script, ship, parcel, state, shown, clock
):
    """The client hears nothing of use; the parcel moves twenty seconds later, and is dated so."""
    script("late_apply", seconds=20, gateway_timeout=gateway_timeout)
    ref = parcel()

    outcome = ship(ref)

    assert (504 if gateway_timeout else None) == getattr(outcome, "status", None)
    assert gateway_timeout is not isinstance(outcome, Dropped)
    assert "packed" == state(ref)
    clock.advance(300)
    assert "2026-01-05T08:00:20Z" == shown(ref)["shipped_on"]


def test_a_late_action_may_come_too_late(script, ship, parcel, act, state, shown, clock):
    """Meanwhile somebody cancelled: the ship is refused as of then, and nobody hears of it."""
    script("late_apply", seconds=20)
    ref = parcel()
    ship(ref)
    act(ref, "cancel")

    clock.advance(30)

    assert "cancelled" == shown(ref)["status"]
    assert "packed_cancelled" == state(ref)


def test_a_stale_read_shows_what_was(script, parcel, act, ask, clock):
    """As of seconds ago the parcel is not shipped yet, and before it was made there is no order."""
    clock.advance(5)
    ref = parcel()
    clock.advance(30)
    act(ref, "ship")
    clock.advance(5)
    for _ in range(2):
        script("stale_read", method="GET", seconds=10)
    script("stale_read", method="GET", seconds=60)

    single = ask("GET", f"/admin/orders/{ref.order_id}")[1]["order"]["fulfillments"][0]
    listed = ask("GET", "/admin/fulfillments")[1]["fulfillments"][0]
    assert ("packed", "packed") == (single["status"], listed["status"])
    assert 404 == ask("GET", f"/admin/orders/{ref.order_id}")[0]


def test_a_read_may_leave_orders_out(script, parcel, ask):
    """An order that is there is not in the list, and asked for by itself it does not exist."""
    gone, there = parcel(), parcel()
    for path in ("/orders$", r"/orders/\d+$", "/fulfillments$", r"/fulfillments/\d+$"):
        script("missing_ids", path=path, ids=(gone.order_id,))

    rows = ask("GET", "/admin/orders")[1]["orders"]
    parcels = ask("GET", "/admin/fulfillments")[1]["fulfillments"]
    assert [there.order_id] == [row["id"] for row in rows]
    assert [there.fulfillment_id] == [row["id"] for row in parcels]
    assert 404 == ask("GET", f"/admin/orders/{gone.order_id}")[0]
    assert 404 == ask("GET", f"/admin/fulfillments/{gone.fulfillment_id}")[0]
    assert 200 == ask("GET", f"/admin/orders/{gone.order_id}")[0]


def test_orders_may_be_left_out_by_chance(script, parcel, ask):
    """Without names, each is left out with the share's probability."""
    for _ in range(20):
        parcel()
    script("missing_ids", share=1.0)

    assert [] == ask("GET", "/admin/orders")[1]["orders"]
    assert 20 == len(ask("GET", "/admin/orders")[1]["orders"])


def test_orders_may_be_bare(script, parcel, ask):
    """An order is shown without any of its parcels."""
    ref = parcel()
    for _ in range(2):
        script("bare_orders")

    assert [] == ask("GET", f"/admin/orders/{ref.order_id}")[1]["order"]["fulfillments"]
    assert [[]] == [row["fulfillments"] for row in ask("GET", "/admin/orders")[1]["orders"]]


def test_ids_may_be_ignored(script, parcel, ask):
    """A list by numbers shows whatever there is."""
    one, other = parcel(), parcel()
    script("ids_ignored")

    rows = ask("GET", f"/admin/orders?ids={one.order_id}")[1]["orders"]
    assert {one.order_id, other.order_id} == {row["id"] for row in rows}


def test_a_word_may_be_nonsense(script, parcel, shown):
    """Both fields of the state show a word that nobody knows; afterwards the true one is back."""
    script("nonsense_word")
    script("nonsense_word", word="abducted")
    ref = parcel()

    words = [shown(ref) for _ in range(3)]

    assert ["teleported", "abducted", "packed"] == [row["status"] for row in words]
    assert ["teleported", "abducted", "packed"] == [
        row["composite_fulfillment_status"] for row in words
    ]


@pytest.mark.parametrize("path", ["/admin/orders", "/admin/fulfillments"])
def test_one_row_of_many_may_be_odd(path, script, parcel, ask):
    """Of all fulfillments exactly one is not what it is without the fault."""
    for _ in range(3):
        parcel()
    script("odd_row", times=30)
    rows_of = (
        (lambda body: [row for order in body["orders"] for row in order["fulfillments"]])
        if path.endswith("orders")
        else (lambda body: body["fulfillments"])
    )

    odd = [rows_of(ask("GET", path)[1]) for _ in range(30)]

    true = rows_of(ask("GET", path)[1])
    for rows in odd:
        assert 1 == sum(row != whole for row, whole in zip(rows, true, strict=True))
    assert 4 < len({json.dumps([row for row in rows if row not in true]) for rows in odd})


def test_one_row_read_alone_may_be_odd(script, parcel, ask):
    """Also the reply about one fulfillment."""
    ref = parcel()
    script("odd_row")
    path = f"/admin/fulfillments/{ref.fulfillment_id}"

    assert ask("GET", path) != ask("GET", path)


def test_one_date_may_be_of_the_year_one(script, parcel, ask):
    """A date that .NET or Java would print for none."""
    parcel()
    script("odd_date")

    (row,) = ask("GET", "/admin/fulfillments")[1]["fulfillments"]
    assert 1 == list(row.values()).count("0001-01-01T00:00:00Z")


@pytest.mark.parametrize("kind", ["odd_row", "odd_date", "bare_orders", "nonsense_word"])
def test_a_reply_without_rows_stays_as_it_is(kind, script, ask):
    """Where there is nothing to damage, nothing is."""
    script(kind)

    status, body = ask("GET", "/admin/orders")
    assert (200, []) == (status, body["orders"])


@pytest.mark.parametrize(
    ("kind", "status", "state_after"),
    [
        ("merchant_edit_before", 422, "packed_cancelled"),
        ("merchant_edit_after", 200, "fulfilled_cancelling"),
        ("merchant_cancel_before", 422, "packed_cancelled"),
        ("merchant_cancel_after", 200, "fulfilled_cancelling"),
    ],
)
def test_the_merchant_may_be_quicker_or_slower(
    kind, status, state_after, script, ship, parcel, state, world
):
    """What a person does between two of our requests counts as that person's, and is told so."""
    script(kind, word="cancel")
    ref = parcel()

    assert status == ship(ref).status
    assert state_after == state(ref)
    assert ["merchant"] == [touch.hand for touch in world.recorder.touches]


def test_sapos_own_link_may_say_that_nobody_was_at_home(script, parcel, act, shown, world):
    """The word of the fault may be the state that no action sets."""
    ref = parcel()
    act(ref, "ship")
    script("merchant_edit_before", method="GET", word="retry_delivery")

    assert "retry_delivery" == shown(ref)["composite_fulfillment_status"]
    assert ["carrier_link"] == [touch.hand for touch in world.recorder.touches]


def test_the_merchant_does_only_what_is_possible(script, parcel, ask, state):
    """Left to chance, it is an action that the state allows; on what is final there is none."""
    ref = parcel()
    script("merchant_edit_before", method="GET", times=8)

    for _ in range(8):
        assert 200 == ask("GET", f"/admin/orders?ids={ref.order_id}")[0]

    assert state(ref) in {"received", "packed_cancelled", "fulfilled_cancelled"}


def test_the_merchant_touches_what_the_request_is_about(world, script, ship, parcel, ask):
    """Of all parcels it is the one in the path, or one of an order that is asked for."""
    ref = parcel()
    for _ in range(8):
        world.add_parcel(shop="alpha", order_id=ref.order_id)
    asked, *_ = [parcel() for _ in range(8)]
    script("merchant_edit_before", word="cancel", path="ship")
    ship(ref)
    script("merchant_edit_before", word="cancel", path="orders$")
    ask("GET", f"/admin/orders?ids={asked.order_id}")

    assert [ref, asked] == [touch.ref for touch in world.recorder.touches]


def test_an_edit_without_a_parcel_is_none(script, call, world):
    """Where a request is about no parcel, nobody touches one."""
    script("merchant_edit_before")
    script("merchant_cancel_after")

    assert [200, 200] == [call("GET", "/admin/orders").status for _ in range(2)]
    assert [] == world.recorder.touches


def test_every_kind_has_an_effect_or_is_a_calls():
    """No kind of the shared list is unknown here; those of calls befall webhooks."""
    calls = {kind for kind in FaultKind if kind.startswith("call_")}

    assert set(FaultKind) - calls == set(EFFECTS)


def test_a_mix_is_the_same_for_the_same_seed(world, faults, call, parcel):
    """Under one seed the same requests get the same outcomes."""
    refs = [parcel() for _ in range(5)]

    def outcomes():
        kinds = [kind for kind in EFFECTS if kind is not FaultKind.HUGE_BODY]
        faults.plan(mix=FaultMix(rates=dict.fromkeys(kinds, 0.9 / len(kinds))), seed=11)
        replies = [call("GET", f"/admin/orders?ids={ref.order_id}") for ref in refs * 20]
        return [getattr(each, "status", None) for each in replies]

    assert outcomes() == outcomes()
    assert 4 < len(set(outcomes()))


def test_no_request_may_be_later_than_the_limit(script):
    """A client's assumption about the platform is not broken by a script."""
    with pytest.raises(BadInput):
        script("late_apply", seconds=31)
