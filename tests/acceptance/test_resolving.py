"""What a person decides about an incident, on each platform, against its sandbox."""

from __future__ import annotations

import pytest
from onflow_carrier import OnflowCarrier

from carrierflow import InvalidInput, ResolveAction
from carrierflow.cli.fulfillment_json import overview
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule
from carrierflow.sandbox.haravan import ParcelRef
from carrierflow.sandbox.onflow import OnflowStage
from carrierflow.sandbox.sapo import SapoAction, SapoRef
from carrierflow.storage.tables import shops

from .causes import carrying


@pytest.fixture
def faults():
    """The faults of a platform; none."""
    return Faults()


@pytest.fixture
def on(tmp_path, faults):
    """Build a carrier of a platform, with one shop."""
    opened = []

    def build(platform):
        opened.append(carrying(platform, tmp_path, faults))
        return opened[-1].__enter__()

    yield build
    for each in opened:
        each.__exit__(None, None, None)


def run(carrier):
    """Run twice, a while apart, and return what the second says."""
    for _ in range(2):
        carrier.clock.advance(120)
        (report,) = carrier.app.reconcile(full=True)
    assert "done" == report.end_reason
    return report


def handed_over(carrier, *walk):
    """Make a parcel that both sides know to have come so far."""
    if isinstance(carrier, OnflowCarrier):
        ref = carrier.shipment("alpha", OnflowStage.NEW, cod=250_000, walk=walk)
    else:
        ref = carrier.parcel("alpha", cod=250_000, walk=walk)
    run(carrier)
    return ref


def resolve(carrier, action):
    """Decide about the one open incident."""
    (incident,) = carrier.app.incidents.all()
    done = carrier.app.incidents.resolve(incident.id, action, actor="lan", reason="called-them")
    return carrier.app.incidents.approve(done.id, actor="mai") if done.proposal else done


def shown(carrier, ref):
    """Return what `show` says of a parcel."""
    return overview(carrier.app.parcel("alpha", ref.fulfillment_id), carrier.app.projection_of)


def edited(carrier, ref):
    """A merchant of Haravan's writes down a failed attempt."""
    place = ParcelRef("alpha", int(ref.order_id), int(ref.fulfillment_id))
    carrier.world.edit(place, carrier_status="notmeetcustomer")


def received(carrier, ref):
    """A merchant of Sapo's marks a parcel received, and so paid."""
    place = SapoRef("alpha", int(ref.order_id), int(ref.fulfillment_id))
    carrier.world.act_by_hand(place, SapoAction.RECEIVE)


def kept_back(carrier, ref):
    """Onflow's warehouse keeps a shipment back that was scanned on the road."""
    carrier.world.cancel_by_hand(ref.fulfillment_id)


MOVES = {
    "haravan": (edited, ("notmeetcustomer", "codpending"), ("notmeetcustomer", "codpending")),
    "sapo": (received, ("delivered", "codpaid"), ("received", "paid")),
    "onflow": (kept_back, ("cancel", "codpending"), ("450", "")),
}
"""What somebody does on each platform, what the ledger says of it then, and its own words."""


@pytest.mark.parametrize("platform", MOVES)
def test_what_somebody_did_there_is_adopted(on, platform):
    """The ledger takes it over under its own names; both sides are in agreement, and say so."""
    move, expected, words = MOVES[platform]
    carrier = on(platform)
    ref = handed_over(carrier, "picking", "delivering")
    move(carrier, ref)
    run(carrier)
    assert not shown(carrier, ref)["in_sync"]
    before = carrier.writes

    resolve(carrier, ResolveAction.ADOPT)

    report = run(carrier)
    assert (1, 0, before) == (report.in_sync, report.left, carrier.writes)
    assert [] == carrier.app.incidents.all()
    assert expected == carrier.known(ref)
    document = shown(carrier, ref)
    assert document["in_sync"]
    assert words == (document["remote"]["carrier_status"], document["remote"]["cod_status"])


def test_of_a_platform_that_is_not_known_here_nothing_is_claimed(on):
    """A shop on somebody's own platform is shown; whether it agrees is not known to `show`."""
    carrier = on("haravan")
    ref = handed_over(carrier, "picking")
    assert shown(carrier, ref)["in_sync"]

    with carrier.app.store.begin() as connection:
        connection.execute(shops.update().values(platform="postbox"))

    assert shown(carrier, ref)["in_sync"] is None


def test_what_the_ledger_says_is_told_again(on):
    """Haravan takes any status at any time: the ledger's word stands there again."""
    carrier = on("haravan")
    ref = handed_over(carrier, "picking", "delivering")
    edited(carrier, ref)
    run(carrier)

    resolve(carrier, ResolveAction.REASSERT)

    assert 1 == run(carrier).in_sync
    assert ("delivering", "codpending") == carrier.shown(ref) == carrier.known(ref)
    assert shown(carrier, ref)["in_sync"]


@pytest.mark.parametrize(
    ("platform", "sentence"),
    [("sapo", "shows delivered and cannot be told delivering any more"), ("onflow", "final there")],
)
def test_what_cannot_be_told_is_not_reasserted(on, platform, sentence):
    """Where no write leads back, a person hears so, and the incident stays theirs."""
    carrier = on(platform)
    ref = handed_over(carrier, "picking", "delivering")
    MOVES[platform][0](carrier, ref)
    run(carrier)

    refused(carrier, ref, ResolveAction.REASSERT, sentence)


def refused(carrier, ref, action, sentence):
    """Expect that a decision is refused, and that nothing at all was written."""
    before = carrier.rows()

    with pytest.raises(InvalidInput, match=sentence):
        resolve(carrier, action)

    assert before == carrier.rows()
    assert carrier.app.parcel("alpha", ref.fulfillment_id).frozen


UNKNOWN = [
    ("haravan", "teleported"),
    ("haravan", "codpaid"),  # a word of the cash, where one of the delivery is due
    ("sapo", "teleported"),
    ("sapo", "delivered"),  # a status of ours; there it is `received`
    ("onflow", "300"),  # handed over, of a shipment whose times deny it
]


def says(faults, word):
    """Let the platform show a word that nobody knows there, until its faults end."""
    fault = Fault(kind=FaultKind.NONSENSE_WORD, word=word)
    faults.add(Rule(fault=fault, method="GET", times=10))


@pytest.mark.parametrize(("platform", "word"), UNKNOWN)
def test_a_word_that_stands_for_no_status_is_not_adopted(on, faults, platform, word):
    """However it is spelled: the sentence names it, and nothing is written."""
    carrier = on(platform)
    ref = handed_over(carrier)
    says(faults, word)
    run(carrier)

    assert (word, False) == (
        shown(carrier, ref)["remote"]["carrier_status"],
        shown(carrier, ref)["in_sync"],
    )
    refused(carrier, ref, ResolveAction.ADOPT, f"'{word}' stands for no status")


@pytest.mark.parametrize(
    ("platform", "word", "walk"),
    [
        ("haravan", "teleported", ["picking"]),
        ("sapo", "teleported", ["picking", "delivering"]),
        ("onflow", "300", ["cancel"]),
    ],
)
def test_a_word_that_is_gone_is_overruled_by_what_is_due(on, faults, platform, word, walk):
    """Told to stand by the ledger against an unknown word, a run tells what is missing, once."""
    carrier = on(platform)
    ref = handed_over(carrier)
    says(faults, word)
    run(carrier)
    carrier.record(ref, *walk)

    resolve(carrier, ResolveAction.REASSERT)
    faults.plan()
    before = carrier.writes

    assert 1 == run(carrier).in_sync
    assert carrier.writes == before + 1
    assert carrier.agrees(ref)
