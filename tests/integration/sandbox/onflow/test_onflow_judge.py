from __future__ import annotations

import pytest

from carrierflow.sandbox.onflow import OnflowResult, OnflowVerb


@pytest.fixture
def report(world):
    """Judge everything so far."""
    return world.recorder.report


def test_a_clean_run_is_clean(code, detail, cancel, report):
    """One cancel of a packed shipment is counted and blamed for nothing."""
    detail(code)
    cancel(code)

    found = report()

    assert found.is_clean
    assert (1, 1, 0, 0, 0, 1) == (
        found.writes_received,
        found.writes_applied,
        found.writes_refused,
        found.writes_lost,
        found.no_ops,
        found.gets,
    )


def test_a_cancel_after_a_handover_that_was_shown_is_illegal(code, detail, cancel, world, report):
    """Whoever has been shown the handover should not have asked."""
    world.hand_over(code)
    detail(code)
    cancel(code)

    found = report()

    assert [code] == [write.subject for write in found.illegal]
    assert (1, (), False) == (found.writes_refused, found.overtaken, found.is_clean)


def test_a_cancel_without_a_look_is_illegal_too(code, cancel, world, report):
    """A client that cancels what it never looked at takes its chance."""
    world.hand_over(code)
    cancel(code)

    assert (1, 0) == (len(report().illegal), len(report().overtaken))


@pytest.mark.parametrize("kind", [None, "empty_body", "stale_read"])
def test_a_cancel_that_was_overtaken_is_nobodys_mistake(
    kind, code, detail, call, cancel, world, report, script, clock
):
    """The handover happened after the client's last readable look; only a real look counts."""
    detail(code)
    clock.advance(60)
    world.hand_over(code)
    if kind is not None:
        script(kind, seconds=30)
        call("GET", f"/api/v1/shipments/{code}/detail")
    cancel(code)

    assert (0, 1, True) == (len(report().illegal), len(report().overtaken), report().is_clean)


def test_a_late_cancel_is_judged_by_when_it_was_sent(
    code, detail, cancel, world, report, script, clock
):
    """What the client saw after it had sent the cancel is not held against it."""
    detail(code)
    script("late_apply")
    cancel(code)
    world.hand_over(code)
    detail(code)
    clock.advance(30)
    world.settle()

    assert (1, 0, 1) == (
        report().writes_refused,
        len(report().illegal),
        len(report().overtaken),
    )


def test_a_repeated_cancel_is_a_duplicate(code, cancel, report):
    """The second is a no-op, and is listed."""
    cancel(code)
    cancel(code)

    found = report()

    assert (2, 1, 1, [OnflowResult.NO_OP], 2) == (
        found.writes_received,
        found.writes_applied,
        found.no_ops,
        [write.result for write in found.duplicates],
        found.max_writes_per_subject,
    )
    assert not found.is_clean


def test_a_cancel_after_one_by_hand_repeats_nothing(code, cancel, world, report):
    """What somebody else had cancelled is a no-op, and no duplicate."""
    world.cancel_by_hand(code)
    cancel(code)

    assert (1, ()) == (report().no_ops, report().duplicates)
    assert ["cancelled_after_packing"] == [move.stage for move in report().moves][-1:]


def test_creates_are_writes_too(ask, report):
    """A second create of one reference is a duplicate, whatever came of it."""
    body = {"warehouse_code": "W", "platform": "tiki", "merchant_tracking_code_reference": "M-1"}
    for _ in range(2):
        ask("POST", "/api/v1/shipments/b2c/create", body)

    assert [(OnflowVerb.CREATE, "M-1")] == [
        (write.verb, write.subject) for write in report().duplicates
    ]


@pytest.mark.parametrize(
    ("kind", "lost", "applied", "ambiguous"),
    [
        ("lost_request", 1, 0, 1),
        ("lost_reply", 0, 1, 1),
        ("error_500_before", 1, 0, 1),
        ("error_502_after", 0, 1, 1),
        ("refusal_before", 1, 0, 0),
        ("refusal_after", 0, 1, 0),
        ("html", 0, 1, 1),
        ("truncated_body", 0, 1, 1),
    ],
)
def test_ambiguous_cancels_are_counted(
    kind, lost, applied, ambiguous, script, cancel, code, report
):
    """A cancel without a usable answer is ambiguous; one that never arrived is lost."""
    script(kind)
    cancel(code)

    found = report()

    assert (lost, applied, ambiguous) == (
        found.writes_lost,
        found.writes_applied,
        len(found.ambiguous),
    )


def test_requests_are_counted_by_account(world, call, report):
    """GETs, throttled requests, and strangers apart."""
    world.add_account(code="beta", token="token-beta", bucket_size=1)
    for token in ("token-alpha", "token-beta", "token-beta", "nobody's"):
        call("GET", "/api/v1/shipments/b2c", token=token)

    assert (4, 1, {"alpha": 1, "beta": 2}) == (
        report().gets,
        report().throttled,
        report().requests_by_account,
    )
