from __future__ import annotations

import pytest

from carrierflow.sandbox.haravan import Fault, FaultKind, ParcelRef, Rule


@pytest.fixture
def ids(world):
    """One parcel: the ids of its order and of itself."""
    return world.add_parcel(shop="alpha", cod_amount=20_000)


@pytest.fixture
def report(world, legal):
    """Judge everything so far."""
    return lambda: world.recorder.report(legal)


@pytest.fixture
def break_next_put(faults):
    """Let the next PUT suffer one fault."""
    return lambda kind: faults.add(Rule(fault=Fault(kind=FaultKind(kind)), method="PUT"))


def test_a_clean_run_is_clean(ids, put, report):
    """Legal steps, each once, are counted and blamed for nothing."""
    for segment in ("picking", "delivering", "delivered"):
        put(ids, segment)
    put(ids, "receipt", "cod")

    found = report()

    assert found.is_clean
    assert (4, 4, 0, 4) == (
        found.puts_received,
        found.puts_applied,
        found.no_ops,
        found.max_puts_per_fulfillment,
    )


def test_illegal_steps_are_named(ids, put, report):
    """A step that is not legal is reported with its parcel, and ends the cleanliness."""
    put(ids, "delivered")

    found = report()

    assert [(ParcelRef("alpha", *ids), "readytopick", "delivered")] == [
        (step.ref, step.from_status, step.to_status) for step in found.illegal
    ]
    assert not found.is_clean


def test_repeated_puts_are_duplicates_not_illegal(ids, put, report):
    """The same PUT twice is one step and one duplicate."""
    put(ids, "picking")
    put(ids, "picking")

    found = report()

    assert (2, 1, 1, 0) == (
        found.puts_received,
        found.puts_applied,
        len(found.duplicates),
        len(found.illegal),
    )
    assert 2 == found.max_puts_of_one_status


def test_confirming_a_lift_is_no_duplicate(ids, put, report):
    """A PUT of codpaid after the platform lifted it itself is a no-op, but repeats no PUT."""
    for segment in ("picking", "delivering", "delivered"):
        put(ids, segment)
    put(ids, "paid", "cod")

    found = report()

    assert (1, 0) == (found.no_ops, len(found.duplicates))


def test_a_lift_excuses_nothing(ids, put, report):
    """The platform's own lift is no edit: an illegal step after it is the client's."""
    put(ids, "delivered")
    put(ids, "picking")

    assert (2, 0) == (len(report().illegal), len(report().illegal_after_touch))


@pytest.mark.parametrize("by", ["merchant", "order"])
def test_steps_on_touched_parcels_are_listed_apart(by, ids, put, report, world, call):
    """An illegal step on a parcel that somebody else had moved is not held against the client."""
    if by == "merchant":
        world.edit(ParcelRef("alpha", *ids), carrier_status="return")
        put(ids, "picking")
    else:
        call("POST", f"/com/orders/{ids[0]}/cancel.json")
        call("PUT", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}/carrier_status/picking.json")

    found = report()

    assert () == found.illegal
    found_apart = len(found.illegal_after_touch), len(found.after_cancel)
    assert {"merchant": (1, 0), "order": (0, 1)}[by] == found_apart
    assert 1 == len(found.touches)


def test_puts_after_cancel_are_named(ids, put, call, report):
    """A PUT to a cancelled parcel is refused and reported."""
    put(ids, "cancel")
    call("PUT", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}/carrier_status/picking.json")

    found = report()

    assert (1, 1) == (found.puts_refused, len(found.after_cancel))


@pytest.mark.parametrize(
    ("kind", "lost", "applied"),
    [
        ("lost_request", 1, 0),
        ("lost_reply", 0, 1),
        ("error_500_before", 1, 0),
        ("error_502_after", 0, 1),
        ("html", 0, 1),
        ("empty_body", 0, 1),
        ("truncated_body", 0, 1),
        ("late_apply", 0, 1),
    ],
)
def test_ambiguous_puts_are_counted(
    kind, lost, applied, ids, break_next_put, call, report, clock, world
):
    """A PUT whose client saw no usable answer is ambiguous, whether it was applied or not."""
    break_next_put(kind)
    call("PUT", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}/carrier_status/picking.json")
    clock.advance(30)
    world.settle()

    found = report()

    assert (1, lost, applied) == (len(found.ambiguous), found.puts_lost, found.puts_applied)


def test_a_late_put_that_walks_back_is_illegal(ids, put, break_next_put, call, report, clock):
    """A late PUT that lands after its successor shows as an illegal step backwards."""
    break_next_put("late_apply")
    call("PUT", f"/com/orders/{ids[0]}/fulfillments/{ids[1]}/carrier_status/picking.json")
    put(ids, "delivering")
    clock.advance(30)
    call("GET", "/com/orders.json")

    assert [("readytopick", "delivering"), ("delivering", "picking")] == [
        (step.from_status, step.to_status) for step in report().illegal
    ]


def test_requests_are_counted_by_shop(ids, world, call, report):
    """GETs, throttled requests and the requests of each shop are counted."""
    world.add_shop(code="beta", token="token-beta", bucket_size=1)
    call("GET", f"/com/orders/{ids[0]}.json")
    for _ in range(2):
        call("GET", "/com/orders.json", shop="beta")

    found = report()

    assert (3, 1) == (found.gets, found.throttled)
    assert {"alpha": 1, "beta": 2} == found.requests_by_shop


def test_reset_forgets_everything_but_shops(ids, put, world, report, call):
    """After a reset the record, the orders and the ids begin anew; the token still works."""
    put(ids, "picking")

    world.reset()

    assert (0, 0) == (report().puts_received, report().gets)
    assert 200 == call("GET", "/com/orders.json").status
    assert ids == world.add_parcel(shop="alpha")
