"""A carrier whose shops are on Sapo, against its sandbox over real sockets."""

from __future__ import annotations

import random
from contextlib import contextmanager

import pytest
from carrier import START, carried, random_walk
from sapo_carrier import SapoCarrier, chain, state

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.sapo import SapoAction, SapoRef, SapoServer, SapoState, SapoWorld

from .bad_network import settle, wire_faults


COMING_BACK = ["picking", "delivering", "notmeetcustomer", "waitingforreturn"]


@contextmanager
def carrying(folder, *, faults=None):
    """Build a carrier and a Sapo in virtual time, and take them down again."""
    server = SapoServer(SapoWorld(clock=ManualClock(START)), faults=faults)
    with carried(SapoCarrier, f"sqlite:///{folder}/ledger.db", server) as made:
        made.connect("alpha")
        yield made


@pytest.fixture
def carrier(tmp_path):
    """A carrier and a Sapo."""
    with carrying(tmp_path) as made:
        yield made


def settled(carrier, shop="alpha"):
    """Run, and run again: the second finds nothing to do; return what the first wrote."""
    before = len(carrier.actions())
    (first,) = carrier.runs(shops=[shop])
    wrote = carrier.actions()[before:]
    carrier.clock.advance(120)
    (second,) = carrier.runs(shops=[shop])
    assert len(carrier.actions()) == before + len(wrote), "a second run writes nothing"
    assert {"done"} == {first.end_reason, second.end_reason}
    return wrote


@pytest.mark.parametrize(
    "walk",
    [
        ["picking"],
        ["picking", "delivering", "notmeetcustomer"],
        ["picking", "delivering", "notmeetcustomer", "delivering"],
        ["picking", "delivering", "notmeetcustomer", "delivering", "notmeetcustomer"],
    ],
)
def test_what_looks_alike_is_never_drift(carrier, walk):
    """Picking is packed and a failed attempt is shipped: no write, no incident, in sync."""
    carrier.parcel("alpha", cod=250_000, walk=walk)

    wrote = settled(carrier)

    assert ["ship"] * ("delivering" in walk) == wrote
    assert [] == carrier.app.incidents.all()
    (report,) = carrier.runs()
    assert (1, 0, 0) == (report.in_sync, report.left, report.awaiting)


def test_three_steps_are_told_with_a_look_between(carrier):
    """A parcel that came back while Sapo had it packed: shipped, cancelled, taken back."""
    ref = carrier.parcel("alpha", walk=[*COMING_BACK, "return"])

    for action, expected in (
        ("ship", SapoState.FULFILLED),
        ("cancel", SapoState.FULFILLED_CANCELLING),
        ("receive_after_cancellation", SapoState.FULFILLED_CANCELLED),
    ):
        looks = carrier.judged().gets
        (report,) = carrier.runs(max_writes=1)
        assert (action, expected) == (carrier.actions()[-1], carrier.shown(ref))
        assert 2 <= carrier.judged().gets - looks, "before it and after it"
        assert 1 == report.requests.put
    assert [] == settled(carrier)
    assert carrier.judged().is_clean


def test_one_run_tells_all_three_steps(carrier):
    """The same in one run, which looks before the first action and after each."""
    ref = carrier.parcel("alpha", walk=[*COMING_BACK, "return"])

    (report,) = carrier.runs()

    assert ["ship", "cancel", "receive_after_cancellation"] == carrier.actions()
    assert 4 <= carrier.judged().gets == report.requests.get
    assert SapoState.FULFILLED_CANCELLED == carrier.shown(ref)
    assert [] == settled(carrier)


def test_a_cancel_that_nothing_takes_back_is_held_and_shown_in_the_plan(carrier):
    """Until the parcel is back, or for good if it goes out again; by choice it is told at once."""
    ref = carrier.parcel("alpha", walk=COMING_BACK)

    assert ["ship"] == settled(carrier)
    (report,) = carrier.runs()
    assert (1, 0) == (report.awaiting, report.left)
    plan, _, _ = carrier.app.plan(["alpha"])
    (line,) = plan.lines
    assert ([], ["6b"]) == (line["puts"], [row for row in line["rows"] if row == "6b"])
    assert [{"machine": "delivery", "status": "waitingforreturn"}] == line["held"]
    carrier.app.shops.change("alpha", choices={"cancel_shipped": "now"})
    assert ["cancel"] == settled(carrier)
    assert SapoState.FULFILLED_CANCELLING == carrier.shown(ref)


def test_remitted_cash_never_loops(carrier):
    """Sapo has no word for cash that was remitted: it counts as shown with the receipt."""
    walk = ["picking", "delivering", "delivered", "codreceipt"]
    carrier.parcel("alpha", cod=250_000, walk=walk)

    assert ["ship", "receive"] == settled(carrier)
    (report,) = carrier.runs()
    assert (1, 0, 0) == (report.in_sync, report.left, report.incidents_opened)


def test_one_run_tells_everything_at_forty_requests_a_minute(carrier):
    """A reading costs a request and is old soon: no more is read than can be told meanwhile."""
    carrier.connect("beta", choices={}, bucket_size=40, leak_per_minute=40)
    for _ in range(60):
        carrier.parcel("beta", cod=250_000, walk=["picking", "delivering", "delivered"])
    for _ in range(60):
        carrier.parcel("beta", walk=["picking"])

    wrote = settled(carrier, shop="beta")

    assert ["receive"] * 60 + ["ship"] * 60 == sorted(wrote)
    assert carrier.judged().is_clean


def test_blank_replies_are_read_back(carrier):
    """The documents print nothing as the reply to two actions; a read tells what became of them."""
    carrier.connect("beta", blank_replies=True, says_cancelling=False)
    ref = carrier.parcel("beta", walk=[*COMING_BACK, "return"])

    carrier.runs()

    assert ["ship", "cancel", "receive_after_cancellation"] == carrier.actions()
    assert SapoState.FULFILLED_CANCELLED == carrier.shown(ref)


def test_a_parcel_cancelled_and_packed_anew_is_two_parcels(carrier):
    """The old one is adopted as cancelled; the new one, ours too, is reported once."""
    ref = carrier.parcel("alpha")
    sapo_ref = SapoRef("alpha", int(ref.order_id), int(ref.fulfillment_id))
    carrier.world.act_by_hand(sapo_ref, SapoAction.CANCEL)
    carrier.world.pack_anew(sapo_ref)

    carrier.runs()
    carrier.clock.advance(60)
    carrier.runs()

    assert "cancel" == carrier.known(ref)[0]
    assert ["unknown_here"] == [incident.kind for incident in carrier.app.incidents.all()]
    assert [] == carrier.actions()


def test_three_shops_end_in_agreement_with_exactly_the_missing_actions(carrier, capsys):
    """300 parcels, Sapo lagging at random: one run tells what is missing, and nothing else."""
    rng, shops = random.Random(11), ("alpha", "beta", "gamma")
    carrier.connect("beta", newest_first=False)
    carrier.connect("gamma", filters_modified=False, blank_replies=True)
    behind = []
    for shop in shops:
        for _ in range(100):
            cod = rng.choice([0, 250_000])
            walk = [str(step) for step in random_walk(rng, cod=cod)]
            cut = rng.randrange(len(walk) + 1)
            behind.append((carrier.parcel(shop, cod=cod, walk=walk[:cut]), walk[:cut], walk[cut:]))
    carrier.runs()
    carrier.clock.advance(60)
    missing = []
    for ref, told, rest in behind:
        carrier.record(ref, *rest)
        missing += chain(told, told + rest)
    before = len(carrier.actions())

    carrier.app.plan(list(shops))
    assert before == len(carrier.actions()), "a plan writes nothing"
    first = carrier.runs()
    wrote = carrier.actions()[before:]
    carrier.clock.advance(60)
    second = carrier.runs()

    assert sorted(missing) == sorted(wrote)
    assert before + len(wrote) == len(carrier.actions()), "a second run writes nothing"
    assert {"done"} == {report.end_reason for report in (*first, *second)}
    assert {0} == {report.left for report in second}
    assert [state(told + rest) for _, told, rest in behind] == [
        carrier.shown(ref) for ref, _, _ in behind
    ]
    assert carrier.judged().is_clean
    with capsys.disabled():
        print(f"\nSapo: 300 parcels, {len(missing)} actions missing, {len(wrote)} told, then 0")


@pytest.mark.parametrize("seed", range(3))
def test_repeated_runs_converge_on_a_bad_network(tmp_path, seed):
    """Under every fault of the wire nothing is lost; no action is illegal, or made twice heard."""
    faults = wire_faults(seed)
    rng = random.Random(seed)
    with carrying(tmp_path, faults=faults) as carrier:
        walks = [[str(step) for step in random_walk(rng, cod=0)] for _ in range(25)]
        refs = [carrier.parcel("alpha", walk=walk) for walk in walks]
        settle(carrier, faults)

        assert [state(walk) for walk in walks] == [carrier.shown(ref) for ref in refs]
        assert carrier.judged().is_clean
        assert [] == carrier.app.incidents.all(state=None)
        assert carrier.app.verify().ok


def test_parcels_that_exist_already_are_imported(carrier):
    """Ours come with the history that Sapo's dates tell; another carrier's stay where they are."""
    ours = [carrier.platform_parcel("alpha", cod=cod) for cod in (0, 250_000)]
    sapo_ref = SapoRef("alpha", int(ours[1].order_id), int(ours[1].fulfillment_id))
    carrier.clock.advance(3600)
    carrier.world.act_by_hand(sapo_ref, SapoAction.SHIP)
    carrier.clock.advance(3600)

    *_, done = carrier.app.import_shop("alpha")

    assert (2, (), True) == (done.imported, tuple(done.unopened), done.settled)
    assert ["readytopick", "delivering"] == [carrier.known(ref)[0] for ref in ours]
    assert [] == settled(carrier)
