from __future__ import annotations

import pytest

from carrierflow.sandbox.faults import FaultKind


@pytest.fixture
def control(ask):
    """Make a control call, and return its status and what it says."""

    def send(name, body=None):
        method = "GET" if body is None else "POST"
        return ask(method, f"/_sandbox/{name}", body, token="")

    return send


def test_the_state_shows_accounts_and_shipments(control, code):
    """Without a token the sandbox says what it holds, and can be asked for one account."""
    status, state = control("state?shop=alpha")

    (shop,) = state["shops"]
    (row,) = shop["shipments"]
    assert (200, "alpha") == (status, shop["code"])
    assert (code, "packed") == (row["tracking_code"], row["stage"])
    assert "2026-01-05T08:00:00+00:00" == state["now"]


def test_accounts_and_shipments_are_made_over_http(control, ask, clock):
    """An account that was added answers to its token, and its warehouse works at its pace."""
    assert 200 == control("shops", {"code": "beta", "token": "t", "pace": [1, 1, 1]})[0]
    made = control("shipments", {"shop": "beta", "tracking_code": "OASC1", "stage": "picked"})
    assert (200, "picked") == (made[0], made[1]["stage"])

    clock.advance(10)
    _, body = ask("GET", "/api/v1/shipments/OASC1/detail", token="t")

    assert body["data"]["handover_time"] is not None


def test_a_shipment_is_moved_by_hand(control, detail):
    """It is picked, packed and handed over; each step is shown, and is nobody's call."""
    control("shipments", {"shop": "alpha", "tracking_code": "OASC1"})

    said = [
        control("edit", {"tracking_code": "OASC1", "action": action})
        for action in ("pick", "pack", "hand_over")
    ]

    assert ["picked", "packed", "handover"] == [body["stage"] for _, body in said]
    assert 300 == detail("OASC1")["status_info"]["value"]
    _, judged = control("judge")
    assert (0, 3) == (judged["writes_received"], len(judged["moves"]))


def test_a_shipment_is_cancelled_in_the_portal(control, code, detail):
    """A cancel by hand is shown like any other."""
    assert 200 == control("edit", {"tracking_code": code, "action": "cancel"})[0]
    assert detail(code)["cancelled_time"] is not None


def test_faults_are_planned_and_counted(control, cancel, code):
    """The next request that matches goes wrong, and the state says so."""
    rule = {"kind": "error_502_after", "path": "cancel"}
    assert (200, {"ok": True}) == control("faults", {"script": [rule]})

    assert 502 == cancel(code).status
    assert {"error_502_after": 1} == control("state")[1]["faults_given"]


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_fault_befalls_a_request_or_is_refused(control, call, code, kind):
    """What was planned never breaks the sandbox: there is an effect, or a sentence that says no."""
    status, said = control("faults", {"script": [{"kind": kind}]})

    assert (status == 200) != ("errors" in said)
    call("GET", f"/api/v1/shipments/{code}/detail")


def test_a_reset_forgets_all_but_accounts(control, code):
    """Shipments, faults and the record go; accounts go if asked."""
    control("reset", {})
    (shop,) = control("state")[1]["shops"]
    assert [] == shop["shipments"]
    control("reset", {"shops": True})
    assert [] == control("state")[1]["shops"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("edit", {"tracking_code": "OASC9", "action": "pick"}),
        ("edit", {"tracking_code": "OASC9", "action": "fly"}),
        ("edit", {"tracking_code": "OASC9"}),
        ("shipments", {"shop": "nowhere"}),
        ("shipments", {"shop": "alpha", "stage": "cancelled_before_packing"}),
        ("shipments", {"shop": "alpha", "stage": "lost"}),
        ("shops", {"code": "beta", "token": "t", "pace": [1]}),
        ("shops", {"code": "alpha", "token": "another"}),
        ("faults", {"script": [{"kind": "ids_ignored"}]}),
        ("faults", {"mix": {"rates": {"bare_orders": 0.5}}}),
    ],
)
def test_what_makes_no_sense_is_a_sentence(control, code, name, body):
    """Bad input gets 400 with one sentence, and nothing happens."""
    before = control("state")

    status, said = control(name, body)

    assert (400, True) == (status, bool(said["errors"]))
    assert before == control("state")
