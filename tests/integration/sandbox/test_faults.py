from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.haravan import (
    BadInput,
    Dropped,
    Fault,
    FaultKind,
    FaultMix,
    Faults,
    HttpReply,
    Rule,
)


@pytest.fixture
def ids(world):
    """One parcel: the ids of its order and of itself."""
    return world.add_parcel(shop="alpha", cod_amount=20_000)


@pytest.fixture
def path(ids):
    """The path of that parcel."""
    return f"/com/orders/{ids[0]}/fulfillments/{ids[1]}"


@pytest.fixture
def script(faults):
    """Let the next request suffer one fault."""
    return lambda kind, **options: faults.add(Rule(fault=Fault(kind=FaultKind(kind), **options)))


@pytest.mark.parametrize(
    ("kind", "status", "is_applied"),
    [
        ("lost_request", None, False),
        ("lost_reply", None, True),
        ("error_500_before", 500, False),
        ("error_502_after", 502, True),
        ("refusal_before", 422, False),
        ("refusal_after", 422, True),
        ("throttle_429", 429, False),
        ("throttle_429_bare", 429, False),
        ("throttle_long", 429, False),
        ("odd_header", 200, True),
        ("slow", 200, True),
        ("html", 200, True),
        ("empty_body", 200, True),
        ("truncated_body", 200, True),
        ("huge_body", 200, True),
    ],
)
def test_faults_apply_or_not(kind, status, is_applied, script, call, path, ids, read):
    """Each fault leaves the PUT applied or not applied, exactly as its name says, and once."""
    script(kind)

    outcome = call("PUT", f"{path}/carrier_status/picking.json")

    assert status == (outcome.status if isinstance(outcome, HttpReply) else None)
    assert ("picking" if is_applied else "readytopick") == read(ids).carrier_status
    assert 200 == call("PUT", f"{path}/carrier_status/picking.json").status


def test_throttles_differ_in_their_headers(script, call, path):
    """One throttle says how long to wait and that the bucket is full, the other says neither."""
    script("throttle_429")
    script("throttle_429_bare")

    told, bare = (call("GET", f"{path}.json").headers for _ in range(2))

    assert ("2.0", "80/80") == (told["Retry-After"], told["X-Haravan-Api-Call-Limit"])
    assert (None, "1/80") == (bare.get("Retry-After"), bare["X-Haravan-Api-Call-Limit"])


@pytest.mark.parametrize(
    ("kind", "shown"), [("proxy_before", "readytopick"), ("proxy_after", "picking")]
)
def test_a_proxy_answers_in_the_platforms_place(kind, shown, script, call, path, ids, read):
    """What answers may be somebody else, before the platform was asked or after it acted."""
    script(kind, status=409)

    reply = call("PUT", f"{path}/carrier_status/picking.json")

    assert (409, False) == (reply.status, reply.is_usable)
    assert shown == read(ids).carrier_status


def test_headers_may_be_absurd(script, call, path):
    """A header counts far beyond the bucket, and another asks for an hour of silence."""
    script("odd_header")
    script("throttle_long")

    counted, told = (call("GET", f"{path}.json").headers for _ in range(2))

    assert ("999999/80", "3600") == (counted["X-Haravan-Api-Call-Limit"], told["Retry-After"])


@pytest.mark.parametrize("kind", ["html", "error_502_after"])
def test_pages_are_not_json(kind, script, call, path):
    """A page says that it is one and holds no JSON."""
    script(kind)

    reply = call("GET", f"{path}.json")

    assert reply.headers["Content-Type"].startswith("text/html")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(reply.body)


def test_slow_and_truncated_are_told_to_the_transport(script, call, path):
    """A slow or broken reply carries what its transport must do; the world does not sleep."""
    script("slow", seconds=7.5)
    script("truncated_body")
    script("empty_body")

    slow, broken, empty = (call("GET", f"{path}.json") for _ in range(3))

    assert (7.5, True, b"") == (slow.delay_seconds, broken.is_truncated, empty.body)


def test_huge_bodies_are_json(script, call, path):
    """A huge body is as long as asked for and still the right answer."""
    script("huge_body", size=300_000)

    reply = call("GET", f"{path}.json")

    assert len(reply.body) > 300_000
    assert "readytopick" == json.loads(reply.body)["fulfillment"]["carrier_status_code"]


@pytest.mark.parametrize("gateway_timeout", [True, False])
def test_late_requests_apply_when_due(gateway_timeout, script, call, path, ids, read, clock):
    """A late PUT is applied at its time, with that time's date, when the world is next touched."""
    script("late_apply", seconds=12, gateway_timeout=gateway_timeout)

    outcome = call("PUT", f"{path}/carrier_status/picking.json")

    assert (504 if gateway_timeout else None) == getattr(outcome, "status", None)
    clock.advance(11.9)
    call("GET", f"{path}.json")
    assert "readytopick" == read(ids).carrier_status
    clock.advance(50)
    call("GET", f"{path}.json")
    assert "picking" == read(ids).carrier_status
    assert 12 == round((read(ids).dates["picking_date"] - clock.ticks()) / 1e7 + 61.9)


def test_late_requests_keep_the_order_of_their_times(faults, call, path, ids, read, clock):
    """Of two late requests the one that is due later has the last word."""
    for segment, seconds in (("picking", 20), ("delivering", 10)):
        faults.add(Rule(fault=Fault(kind=FaultKind.LATE_APPLY, seconds=seconds)))
        call("PUT", f"{path}/carrier_status/{segment}.json")
    clock.advance(30)
    call("GET", f"{path}.json")

    assert "picking" == read(ids).carrier_status
    assert {"picking_date", "delivering_date"} <= set(read(ids).dates)


def test_nothing_is_later_than_the_limit():
    """A request later than the settle limit can be neither scripted nor drawn."""
    late = Fault(kind=FaultKind.LATE_APPLY, seconds=31)

    with pytest.raises(BadInput, match="30"):
        Faults(script=[Rule(fault=late)])
    with pytest.raises(BadInput, match="30"):
        Faults(mix=FaultMix(rates={FaultKind.LATE_APPLY: 0.1}, late_seconds=(1, 31)))
    assert Faults(script=[Rule(fault=late)], late_limit=40).choose("PUT", "/", "alpha") == late


def test_stale_reads_show_the_past(script, ask, put, path, ids, clock):
    """A stale read of parcel, order or list shows the parcel as it was, and only once."""
    clock.advance(100)
    put(ids, "picking")
    clock.advance(3)
    queries = [f"{path}.json", f"/com/orders/{ids[0]}.json", f"/com/orders.json?ids={ids[0]}"]
    for query in queries:
        script("stale_read", seconds=10)
        assert '"readytopick"' in json.dumps(ask("GET", query)[1])
        assert '"readytopick"' not in json.dumps(ask("GET", query)[1])


def test_stale_reads_know_no_later_order(script, ask, path):
    """An order made after the moment of a stale read is not there."""
    script("stale_read", seconds=10)

    assert 404 == ask("GET", f"{path}.json")[0]


def test_missing_ids_are_left_out(script, ask, world, ids):
    """The named orders are left out of one list and are back in the next."""
    other = world.add_parcel(shop="alpha")[0]
    script("missing_ids", ids=(ids[0],))

    first, second = (ask("GET", "/com/orders.json?status=any")[1]["orders"] for _ in range(2))

    assert [other] == [order["id"] for order in first]
    assert {ids[0], other} == {order["id"] for order in second}


@pytest.mark.parametrize("end", [".json", "/fulfillments.json", "/fulfillments/{}.json"])
def test_an_order_that_is_not_seen_is_404_under_every_address(script, ask, ids, end):
    """A GET that does not see an order sees nothing in it either."""
    script("missing_ids", ids=(ids[0],))
    path = f"/com/orders/{ids[0]}{end.format(ids[1])}"

    assert [404, 200] == [ask("GET", path)[0] for _ in range(2)]


def test_orders_can_be_bare(script, ask, ids):
    """Orders without their fulfillments show the rest; the order's own list shows them."""
    for path, name in (
        ("/com/orders.json?status=any", "orders"),
        (f"/com/orders/{ids[0]}.json", "order"),
    ):
        script("bare_orders")
        bare = ask("GET", path)[1][name]
        whole = ask("GET", path)[1][name]
        bare, whole = (bare[0], whole[0]) if name == "orders" else (bare, whole)
        assert ([], [ids[1]]) == (bare["fulfillments"], [f["id"] for f in whole["fulfillments"]])
    script("bare_orders")
    own = ask("GET", f"/com/orders/{ids[0]}/fulfillments.json")[1]["fulfillments"]
    assert [ids[1]] == [each["id"] for each in own]


def test_ids_can_be_ignored(script, ask, world, ids):
    """The answer to a question by ids holds other orders, too."""
    other = world.add_parcel(shop="alpha")[0]
    path = f"/com/orders.json?status=any&ids={ids[0]}"
    script("ids_ignored")

    first, second = ([o["id"] for o in ask("GET", path)[1]["orders"]] for _ in range(2))

    assert ({ids[0], other}, [ids[0]]) == (set(first), second)


def test_nonsense_words_are_shown_not_stored(script, ask, path, ids, read):
    """A nonsense word stands in one reply and never in the world."""
    script("nonsense_word", word="warp")

    assert "warp" == ask("GET", f"{path}.json")[1]["fulfillment"]["carrier_status_code"]
    assert "readytopick" == read(ids).carrier_status


@pytest.mark.parametrize("kind", ["odd_row", "odd_date"])
def test_one_row_of_a_list_is_odd(kind, script, ask, world, read):
    """One fulfillment of a list is not as it should be, the others and the world are."""
    made = [world.add_parcel(shop="alpha") for _ in range(5)]
    before = ask("GET", "/com/orders.json?status=any")[1]["orders"]
    for _ in range(20):
        script(kind)

        after = ask("GET", "/com/orders.json?status=any")[1]["orders"]

        assert 1 == sum(a != b for a, b in zip(before, after, strict=True))
    assert {"readytopick"} == {read(each).carrier_status for each in made}


@pytest.mark.parametrize(
    ("kind", "shown", "stored"),
    [
        ("merchant_edit_before", "returned by hand", "returned by hand"),
        ("merchant_edit_after", "readytopick", "returned by hand"),
        ("merchant_cancel_before", "cancel", "cancel"),
        ("merchant_cancel_after", "readytopick", "cancel"),
    ],
)
def test_merchants_act_in_between(kind, shown, stored, script, ask, path, ids, read):
    """A merchant acts just before or just after a request; the reply shows which."""
    script(kind, word="returned by hand")

    assert shown == ask("GET", f"{path}.json")[1]["fulfillment"]["carrier_status_code"]
    assert stored == read(ids).carrier_status


def test_merchants_find_a_parcel_in_a_list(script, ask, ids, read):
    """For a list by ids, the merchant acts on a parcel of one of these orders."""
    script("merchant_cancel_after")

    ask("GET", f"/com/orders.json?ids={ids[0]}")

    assert "cancel" == read(ids).carrier_status


def test_rules_match_and_run_out(faults, call, path, world):
    """A rule hits the requests that match method, path and shop, as often as it says."""
    world.add_shop(code="beta", token="token-beta")
    lost = Fault(kind=FaultKind.LOST_REQUEST)
    faults.add(Rule(fault=lost, method="PUT", path=r"/carrier_status/", shop="alpha", times=2))
    status = f"{path}/carrier_status/picking.json"

    assert isinstance(call("GET", f"{path}.json"), HttpReply)
    assert isinstance(call("PUT", f"{path}/cod_status/paid.json"), HttpReply)
    assert isinstance(call("PUT", status, shop="beta"), HttpReply)
    outcomes = [call("PUT", status) for _ in range(3)]

    assert [True, True, False] == [isinstance(each, Dropped) for each in outcomes]
    assert {FaultKind.LOST_REQUEST: 2} == faults.given


def test_first_matching_rule_goes_first(faults, call, path):
    """Of two rules that match, the earlier one is used up before the later one begins."""
    for kind in (FaultKind.ERROR_500_BEFORE, FaultKind.ERROR_502_AFTER):
        faults.add(Rule(fault=Fault(kind=kind)))

    assert [500, 502, 200] == [call("GET", f"{path}.json").status for _ in range(3)]


def test_mix_is_repeatable():
    """The same seed draws the same faults, another seed others."""

    def drawn(seed):
        mix = FaultMix(rates=dict.fromkeys(FaultKind, 1 / len(FaultKind)))
        faults = Faults(mix=mix, seed=seed)
        return [faults.choose(method, "/", "a") for method in ("GET", "PUT") * 200]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_mix_keeps_its_rates():
    """A kind comes about as often as its rate says."""
    faults = Faults(mix=FaultMix(rates={FaultKind.LOST_REPLY: 0.25}), seed=3)
    for _ in range(4_000):
        faults.choose("PUT", "/", "a")

    assert 1_000 == pytest.approx(faults.given[FaultKind.LOST_REPLY], abs=100)


def test_mix_gives_no_fault_that_does_not_fit():
    """Reads are never late and writes are never stale, drawn from a mix."""
    rates = {FaultKind.LATE_APPLY: 0.5, FaultKind.STALE_READ: 0.5}
    faults = Faults(mix=FaultMix(rates=rates))

    drawn = {(m, f.kind) for m in ("GET", "PUT") * 50 if (f := faults.choose(m, "/", "a"))}

    assert {("GET", FaultKind.STALE_READ), ("PUT", FaultKind.LATE_APPLY)} == drawn


@pytest.mark.parametrize("rates", [{FaultKind.SLOW: 1.1}, {FaultKind.SLOW: -0.1}])
def test_rates_are_probabilities(rates):
    """Rates below nothing or above everything are refused."""
    with pytest.raises(BadInput, match="probabilities"):
        FaultMix(rates=rates)


def test_patterns_are_checked_early():
    """A path that is no pattern is refused when the rule is added."""
    with pytest.raises(BadInput, match="pattern"):
        Faults(script=[Rule(fault=Fault(kind=FaultKind.SLOW), path="(")])


def test_an_empty_plan_ends_all_faults(faults, call, path):
    """After an empty plan nothing goes wrong any more."""
    faults.plan(mix=FaultMix(rates={FaultKind.LOST_REQUEST: 1.0}))
    assert isinstance(call("GET", f"{path}.json"), Dropped)

    faults.plan()

    assert 200 == call("GET", f"{path}.json").status
