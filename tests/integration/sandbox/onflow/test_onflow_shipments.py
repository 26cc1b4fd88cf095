from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.exchange import HttpRequest
from carrierflow.sandbox.onflow import (
    Onflow,
    OnflowNumbers,
    OnflowPaths,
    OnflowStage,
    OnflowWorld,
)
from carrierflow.sandbox.refusals import BadInput, NotFound, Unprocessable


NEW = {
    "warehouse_code": "ONF_WH_HN_LB",
    "platform": "lazada",
    "merchant_tracking_code_reference": "M-1",
    "items": [{"sku": "A"}],
}
CREATE = "/api/v1/shipments/b2c/create"


@pytest.fixture
def beta(world):
    """Open a second account with options, and a packed shipment in it."""

    def opened(**options):
        world.add_account(code="beta", token="token-beta", **options)
        return world.add_shipment(account="beta", stage="packed").tracking_code

    return opened


@pytest.mark.parametrize(
    ("stage", "value", "vietnamese", "english", "times"),
    [
        ("new", 100, "Mới", "New", []),
        ("picked", 200, "Đã nhặt hàng", "Picked", ["picked_time"]),
        ("packed", 250, "Đã đóng gói", "Packed", ["picked_time", "packed_time"]),
        (
            "handover",
            300,
            "Đã bàn giao",
            "Handed over",
            ["picked_time", "packed_time", "handover_time"],
        ),
    ],
)
def test_each_stage_is_shown(stage, value, vietnamese, english, times, world, ask):
    """A stage has its number, a label in the language asked for, and the times up to it."""
    code = world.add_shipment(account="alpha", stage=stage).tracking_code
    path = f"/api/v1/shipments/{code}/detail"

    shown = ask("GET", path)[1]["data"]

    dated = ("picked_time", "packed_time", "handover_time", "cancelled_time")
    assert (value, vietnamese) == (shown["status_info"]["value"], shown["status_info"]["label"])
    assert times == [name for name in dated if shown[name] is not None]
    assert english == ask("GET", path, language="en-US")[1]["data"]["status_info"]["label"]


@pytest.mark.parametrize(("stage", "value"), [("new", 450), ("picked", 450), ("packed", 500)])
def test_a_cancel_before_the_handover_is_done(stage, value, world, cancel, detail, clock):
    """The number tells whether the shipment had been packed; the time is in seconds."""
    code = world.add_shipment(account="alpha", stage=stage).tracking_code
    clock.advance(90.9)

    answered = json.loads(cancel(code).body)["data"]

    shown = detail(code)
    assert (True, value, 1767600090) == (
        answered["success"],
        answered["status_info"]["value"],
        answered["cancelled_time"],
    )
    assert (value, 1767600090) == (shown["status_info"]["value"], shown["cancelled_time"])


@pytest.mark.parametrize("status", [200, 400, 422])
def test_a_cancel_after_the_handover_is_refused(status, world, beta, cancel):
    """The error flag says no, in a 200 or in whichever 4xx the account's refusals have."""
    code = beta(refusal_status=status)
    world.hand_over(code)

    reply = cancel(code, token="token-beta")

    said = json.loads(reply.body)
    assert (status, True, "SHIPMENT_CANNOT_BE_CANCELLED", None) == (
        reply.status,
        said["error"],
        said["error_code"],
        said["data"],
    )
    assert 32 == len(said["log_id"])
    assert OnflowStage.HANDOVER is world.shipment(code).stage


@pytest.mark.parametrize("again", [True, False])
def test_a_second_cancel_changes_nothing(again, world, beta, cancel, clock):
    """It is answered like the first one or refused; the time stays that of the first."""
    code = beta(cancels_again=again)
    cancel(code, token="token-beta")
    first = world.shipment(code)
    clock.advance(60)

    said = json.loads(cancel(code, token="token-beta").body)

    assert again is not said["error"]
    assert first == world.shipment(code)


@pytest.mark.parametrize("status", [200, 404])
def test_an_unknown_code_is_not_found(status, world, beta, ask, code):
    """What is not there, or in another account, is a failure in a 200 or a 404."""
    beta(missing_status=status)

    for method, path in (
        ("GET", "/api/v1/shipments/OASC1/detail"),
        ("GET", f"/api/v1/shipments/b2c/{code}/detail"),
        ("PUT", f"/api/v1/shipments/b2c/{code}/cancel"),
        ("GET", "/api/v1/return-shipments/b2c/OARSC1/detail"),
    ):
        answered, said = ask(method, path, token="token-beta")
        assert (status, True, "NOT_FOUND", "Không tìm thấy tài nguyên") == (
            answered,
            said["error"],
            said["error_code"],
            said["messages"],
        )


def test_a_shipment_is_created_new(world, ask, detail):
    """A create answers with the shipment, which then is there."""
    status, said = ask("POST", CREATE, NEW)

    made = said["data"]
    assert (200, 100, "M-1") == (
        status,
        made["status_info"]["value"],
        made["merchant_tracking_code_reference"],
    )
    assert made["tracking_code"].startswith("OASC")
    assert made == detail(made["tracking_code"])


@pytest.mark.parametrize(
    "body",
    [
        {**NEW, "platform": "retail"},
        {**NEW, "warehouse_code": ""},
        {**NEW, "merchant_tracking_code_reference": 7},
        [],
    ],
)
def test_a_create_that_cannot_be_read_is_refused(body, world, ask):
    """Only marketplaces are served, and three fields must be there."""
    said = ask("POST", CREATE, body)[1]

    assert (True, "INVALID_PAYLOAD") == (said["error"], said["error_code"])
    assert {} == world.shipments


@pytest.mark.parametrize(("unique", "made"), [(False, 2), (True, 1)])
def test_a_reference_may_be_unique(unique, made, world, beta, ask):
    """Whether a second create of one reference makes a second shipment is the account's option."""
    beta(unique_references=unique)
    for _ in range(2):
        said = ask("POST", CREATE, NEW, token="token-beta")[1]

    assert unique is said["error"]
    assert made == sum(each.reference == "M-1" for each in world.shipments.values())


def test_the_list_is_paged_the_newest_first(world, beta, ask):
    """A page holds the account's own shipments, and `total` counts all of them."""
    codes = [world.add_shipment(account="alpha").tracking_code for _ in range(5)]
    beta()

    _, said = ask("GET", "/api/v1/shipments/b2c?page=2&page_size=2")

    assert ([codes[2], codes[1]], 5) == (
        [row["tracking_code"] for row in said["data"]],
        said["total"],
    )
    assert 5 == len(ask("GET", "/api/v1/shipments/b2c")[1]["data"])
    assert "INVALID_PAYLOAD" == ask("GET", "/api/v1/shipments/b2c?page=0")[1]["error_code"]


@pytest.mark.parametrize("token", ["", "wrong", "Bearer token-alpha"])
def test_only_the_bare_token_opens(token, ask, code):
    """A missing or wrong token, and a right one with a scheme before it, is a stranger's."""
    status, said = ask("GET", f"/api/v1/shipments/{code}/detail", token=token)

    assert (401, True, "UNAUTHORIZED") == (status, said["error"], said["error_code"])


def test_a_token_may_be_replaced(world, ask, code):
    """The old token is refused from then on."""
    world.replace_token("alpha", "token-new")
    path = f"/api/v1/shipments/{code}/detail"

    assert (401, 200) == (ask("GET", path)[0], ask("GET", path, token="token-new")[0])


def test_wrong_methods_and_paths_are_told_apart(ask, call, code):
    """A path that is not there gets a page, a method that does not fit gets an envelope."""
    assert 404 == call("GET", "/api/v2/anything").status
    assert (405, "METHOD_NOT_ALLOWED") == (
        ask("GET", f"/api/v1/shipments/b2c/{code}/cancel")[0],
        ask("POST", f"/api/v1/shipments/{code}/detail")[1]["error_code"],
    )


def test_paths_and_numbers_are_configurable(clock):
    """What the documents leave open is an option: the paths in doubt, and four of six numbers."""
    world = OnflowWorld(clock=clock)
    world.add_account(code="a", token="t", numbers=OnflowNumbers(packed=210))
    code = world.add_shipment(account="a", stage="packed").tracking_code
    onflow = Onflow(world, paths=OnflowPaths(details=("/v1/{code}",), listing="/v1/all"))

    def get(path):
        return onflow.handle(HttpRequest.of("GET", path, {"Authorization": "t"}))

    assert 210 == json.loads(get(f"/v1/{code}").body)["data"]["status_info"]["value"]
    assert 1 == json.loads(get("/v1/all").body)["total"]
    assert 404 == get(f"/api/v1/shipments/{code}/detail").status
    with pytest.raises(ValueError, match="same number"):
        OnflowNumbers(new=300)


def test_the_warehouse_goes_one_way(world, code):
    """A step out of turn, one after a cancel, and a cancel after the handover are refused."""
    with pytest.raises(Unprocessable):
        world.pick(code)
    world.hand_over(code)
    with pytest.raises(Unprocessable):
        world.cancel_by_hand(code)
    fresh = world.add_shipment(account="alpha").tracking_code
    world.cancel_by_hand(fresh)
    with pytest.raises(Unprocessable):
        world.pick(fresh)
    with pytest.raises(NotFound):
        world.pick("OASC1")


def test_names_are_given_once(world, code):
    """Neither a tracking code, nor an account's code, nor its token is given twice."""
    with pytest.raises(BadInput):
        world.add_shipment(account="alpha", tracking_code=code)
    with pytest.raises(BadInput):
        world.add_account(code="alpha", token="token-other")
    with pytest.raises(BadInput):
        world.add_account(code="other", token="token-alpha")


def test_a_paced_warehouse_moves_as_the_clock_does(world, clock):
    """Each step is done when it is due, and dated so, however late the world is looked at."""
    world.add_account(code="beta", token="token-beta", pace=(10, 20, 30))
    start = world.now()
    code = world.add_shipment(account="beta").tracking_code
    clock.advance(1_000)

    world.settle()

    shipment = world.shipment(code)
    dates = shipment.picked_at, shipment.packed_at, shipment.handed_over_at
    assert [10, 30, 60] == [(at - start) // 10_000_000 for at in dates]


@pytest.mark.parametrize("by", ["pick", "cancel_by_hand"])
def test_a_paced_warehouse_goes_on_from_where_a_hand_left_it(by, world, clock):
    """A step done by hand starts the pause before the next; a cancelled one is not moved."""
    world.add_account(code="beta", token="token-beta", pace=(10, 20, 30))
    code = world.add_shipment(account="beta").tracking_code
    clock.advance(5)
    getattr(world, by)(code)
    clock.advance(20)

    world.settle()

    expected = {"pick": "packed", "cancel_by_hand": "cancelled_before_packing"}[by]
    assert expected == world.shipment(code).stage


def test_the_budget_of_requests_is_the_accounts(world, beta, call, clock):
    """Requests beyond the bucket get 429 until it has leaked; the wait may be told or not."""
    code = beta(bucket_size=2, leak_per_second=1)
    path = f"/api/v1/shipments/{code}/detail"
    statuses = [call("GET", path, token="token-beta").status for _ in range(3)]
    told = call("GET", path, token="token-beta").headers["Retry-After"]
    clock.advance(1)

    assert ([200, 200, 429], "1") == (statuses, told)
    assert 200 == call("GET", path, token="token-beta").status


def test_reset_keeps_only_accounts(world, code, call):
    """Shipments and the record go; the token still opens, and codes begin anew."""
    world.reset()

    assert (0, 0) == (len(world.shipments), world.recorder.report().gets)
    assert 200 == call("GET", "/api/v1/shipments/b2c").status
    assert code == world.add_shipment(account="alpha").tracking_code
