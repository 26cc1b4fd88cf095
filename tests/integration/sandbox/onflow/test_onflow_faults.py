from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.exchange import HttpReply
from carrierflow.sandbox.faults import FaultMix
from carrierflow.sandbox.refusals import BadInput


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
        ("refusal_before", 200, False),
        ("refusal_after", 200, True),
        ("slow", 200, True),
        ("html", 200, True),
        ("empty_body", 200, True),
        ("truncated_body", 200, True),
        ("huge_body", 200, True),
        ("merchant_edit_after", 200, True),
    ],
)
def test_a_fault_leaves_the_cancel_done_or_not(
    kind, status, is_applied, script, cancel, code, world
):
    """Each fault does what its name says, once, and the next cancel finds the world as it is."""
    script(kind)

    outcome = cancel(code)

    assert status == (outcome.status if isinstance(outcome, HttpReply) else None)
    assert is_applied is world.shipment(code).is_cancelled
    assert not json.loads(cancel(code).body)["error"]


@pytest.mark.parametrize("kind", ["refusal_before", "refusal_after"])
def test_a_false_refusal_looks_like_a_true_one(kind, script, cancel, code, world):
    """It is the platform's own envelope with the error flag, in a 200, and has a log id."""
    script(kind)
    false = json.loads(cancel(code).body)
    other = world.add_shipment(account="alpha", stage="handover").tracking_code
    true = json.loads(cancel(other).body)

    assert list(true) == list(false)
    assert (True, None, 32) == (false["error"], false["data"], len(false["log_id"]))


@pytest.mark.parametrize(("kind", "is_applied"), [("proxy_before", False), ("proxy_after", True)])
def test_a_proxy_answers_in_onflows_place(kind, is_applied, script, cancel, code, world):
    """What answers may be somebody else, before Onflow was asked or after it acted."""
    script(kind, status=409)

    reply = cancel(code)

    assert (409, False) == (reply.status, reply.is_usable)
    assert is_applied is world.shipment(code).is_cancelled


def test_throttles_may_tell_how_long_to_wait(script, cancel, code):
    """One says two seconds, one nothing, one an hour."""
    for kind in ("throttle_429", "throttle_429_bare", "throttle_long"):
        script(kind)

    waits = [cancel(code).headers.get("Retry-After") for _ in range(3)]

    assert ["2", None, "3600"] == waits


@pytest.mark.parametrize(("seconds", "stage"), [(5, "cancelled_after_packing"), (20, "handover")])
def test_a_late_cancel_meets_the_handover(seconds, stage, script, cancel, code, world, clock):
    """A cancel that arrives late is done as of then, and refused if the handover was quicker."""
    script("late_apply", seconds=seconds, gateway_timeout=True)

    assert 504 == cancel(code).status
    assert "packed" == world.shipment(code).stage
    clock.advance(10)
    world.settle()
    if stage == "handover":
        world.hand_over(code)
    clock.advance(20)
    world.settle()

    assert stage == world.shipment(code).stage


@pytest.mark.parametrize(
    ("kind", "value"), [("merchant_edit_before", 300), ("merchant_cancel_before", 500)]
)
def test_others_act_in_between(kind, value, script, detail, code):
    """The warehouse moves on, or somebody cancels in the portal, just before a read."""
    script(kind)

    assert value == detail(code)["status_info"]["value"]


def test_what_cannot_be_done_in_between_is_left(script, ask, code, world):
    """A list names no shipment, and one handed over can neither move on nor be cancelled."""
    script("merchant_cancel_before")
    assert 1 == ask("GET", "/api/v1/shipments/b2c")[1]["total"]
    world.hand_over(code)
    for kind in ("merchant_cancel_after", "merchant_edit_after"):
        script(kind)
        ask("GET", f"/api/v1/shipments/{code}/detail")

    assert "handover" == world.shipment(code).stage


def test_a_read_may_be_stale(script, detail, code, world, clock, ask):
    """It shows the stage and the times of a while ago, or nothing of what was not there yet."""
    clock.advance(60)
    world.hand_over(code)
    clock.advance(60)
    script("stale_read", seconds=90)
    script("stale_read", seconds=300)

    past = detail(code)

    assert (250, None, past["packed_time"]) == (
        past["status_info"]["value"],
        past["handover_time"],
        past["updated_time"],
    )
    assert 0 == ask("GET", "/api/v1/shipments/b2c")[1]["total"]
    assert 300 == detail(code)["status_info"]["value"]


def test_a_read_may_miss_what_is_there(script, ask, world, code):
    """A list leaves shipments out, and a detail knows nothing of its own."""
    script("missing_ids", share=1.0)
    script("missing_ids")

    assert [] == ask("GET", "/api/v1/shipments/b2c")[1]["data"]
    assert "NOT_FOUND" == ask("GET", f"/api/v1/shipments/{code}/detail")[1]["error_code"]


@pytest.mark.parametrize(("word", "value"), [(None, 777), ("400", 400)])
def test_a_read_may_show_a_number_that_nobody_knows(word, value, script, ask, world, code):
    """Every row then has it."""
    world.add_shipment(account="alpha")
    script("nonsense_word", word=word)

    rows = ask("GET", "/api/v1/shipments/b2c")[1]["data"]

    assert [value, value] == [row["status_info"]["value"] for row in rows]


@pytest.mark.parametrize("kind", ["odd_row", "odd_date"])
@pytest.mark.parametrize("path", ["/api/v1/shipments/b2c", "/api/v1/shipments/b2c/{code}/detail"])
def test_one_row_may_be_odd(kind, path, script, ask, world, code):
    """Each time another damage, always one row, and the next read is whole again."""
    world.add_shipment(account="alpha")
    target = path.format(code=code)
    whole = ask("GET", target)[1]["data"]
    for _ in range(20):
        script(kind)
    damaged = [ask("GET", target)[1]["data"] for _ in range(20)]

    assert whole == ask("GET", target)[1]["data"]
    assert all(each != whole for each in damaged)
    assert len({json.dumps(each) for each in damaged}) > 2
    if isinstance(whole, list):
        assert all(sum(a != b for a, b in zip(whole, each, strict=True)) == 1 for each in damaged)


def test_nothing_found_cannot_be_damaged(script, ask):
    """A failure stays one, and so does an empty list."""
    script("odd_row")
    script("odd_date")

    assert ask("GET", "/api/v1/shipments/OASC1/detail")[1]["error"]
    assert [] == ask("GET", "/api/v1/shipments/b2c")[1]["data"]


@pytest.mark.parametrize("kind", ["odd_header", "bare_orders", "ids_ignored"])
def test_what_onflow_does_not_have_cannot_go_wrong(kind, script, call):
    """A fault without a counterpart here is named, not passed over."""
    script(kind)

    with pytest.raises(BadInput, match=kind):
        call("GET", "/api/v1/shipments/b2c")


@pytest.mark.parametrize(("kind", "statuses"), [("slow", [200, 429]), ("proxy_before", [409, 200])])
def test_what_reaches_onflow_counts_in_the_budget(kind, statuses, script, call, world):
    """A request that somebody in between answered does not; one that Onflow answers does."""
    world.add_account(code="beta", token="token-beta", bucket_size=1)
    script(kind, status=409)

    answered = [call("GET", "/api/v1/shipments/b2c", token="token-beta") for _ in range(2)]

    assert statuses == [reply.status for reply in answered]


def test_a_mix_is_drawn_from_a_seed(faults, cancel, world):
    """A mix of probabilities does to cancels what a script does."""
    faults.plan(mix=FaultMix(rates={"lost_request": 0.5}), seed=4)
    codes = [world.add_shipment(account="alpha").tracking_code for _ in range(40)]
    for each in codes:
        cancel(each)

    untouched = [each for each in codes if not world.shipment(each).is_cancelled]
    assert len(untouched) == faults.given["lost_request"]
    assert 0 < len(untouched) < 40
