"""Two amounts of cash for one parcel are told, stop nothing, and are over when they are one."""

from __future__ import annotations

import pytest
from carrier import carrying

from .test_faults import FAST
from .test_odd_rows import Between


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop that is in agreement, behind something that changes its replies."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        made.between = made.server.haravan = Between(made.server.haravan)
        made.connect("alpha")
        made.parcels = [made.parcel("alpha", cod=100_000) for _ in range(3)]
        made.app.reconcile(full=True)
        made.clock.advance(3600)
        yield made


def amounts(carrier, amount):
    """Let the platform show another amount for the first parcel, and change nothing else."""

    def change(order):
        for row in order["fulfillments"]:
            if str(row["id"]) == carrier.parcels[0].fulfillment_id:
                row["cod_amount"] = amount

    carrier.between.change = change


def seen(carrier):
    """Look at everything once more; return the report, and what is open with its evidence."""
    (report,) = carrier.app.reconcile(full=True)
    carrier.clock.advance(3600)
    return report, [(i.kind, i.fulfillment_id, i.evidence) for i in carrier.app.incidents.all()]


def test_two_amounts_are_one_incident_and_stop_nothing(carrier):
    """An amount that alone changed is told once, by both amounts, and the parcel goes on."""
    first = carrier.parcels[0]
    amounts(carrier, "50000.0000")
    carrier.record(first, "picking")

    (report, told), (again, still) = seen(carrier), seen(carrier)

    cause = {"ledger": 100_000, "platform": 50_000, "row": "20"}
    assert [("cod_amount_differs", first.fulfillment_id, cause)] == told == still
    assert ("done", 1, 1) == (report.end_reason, report.published, report.incidents_opened)
    assert (0, 0, 3) == (again.incidents_opened, again.frozen, again.in_sync)
    assert ("picking", "codpending") == carrier.shown(first)


def test_the_incident_closes_and_opens_with_its_cause(carrier):
    """Amounts that are equal again close it, and the same two amounts open the same one."""
    amounts(carrier, 50_000)
    (_, told) = seen(carrier)
    carrier.between.change = None

    (_, over) = seen(carrier)
    amounts(carrier, 50_000)
    (report, back) = seen(carrier)

    assert ([], 1, told) == (over, report.incidents_opened, back)
    assert 1 == len(carrier.app.incidents.all(state=None))


LAN = {"actor": "lan", "reason": "seller-lowered-it"}


def test_a_revision_to_what_the_platform_has_ends_it(carrier):
    """The seller lowers the amount over there, the desk here: the next run finds them equal."""
    amounts(carrier, 50_000)
    (_, told) = seen(carrier)
    revised = carrier.app.ledger.revise(carrier.parcels[0], cod_amount=50_000, **LAN)
    (report,) = carrier.app.reconcile()

    assert 1 == len(told)
    assert revised.changed
    assert ([], 0) == (carrier.app.incidents.all(), report.incidents_opened)


def test_an_amount_that_both_sides_changed_is_no_incident(carrier):
    """What was agreed here and there before a run looks differs nowhere."""
    carrier.app.ledger.revise(carrier.parcels[0], cod_amount=50_000, **LAN)
    amounts(carrier, 50_000)

    assert [] == seen(carrier)[1]


def test_a_revision_that_the_platform_does_not_follow_is_told(carrier):
    """The next run looks at what was agreed here alone, and at no more, and tells both amounts."""
    carrier.clock.advance(3600)
    carrier.parcel("alpha")
    carrier.app.reconcile()
    carrier.clock.advance(3600)
    (before,) = carrier.app.reconcile()
    carrier.app.ledger.revise(carrier.parcels[0], cod_amount=50_000, **LAN)
    (report,) = carrier.app.reconcile()

    (incident,) = carrier.app.incidents.all()
    assert ("cod_amount_differs", 50_000, 100_000) == (
        incident.kind,
        incident.evidence["ledger"],
        incident.evidence["platform"],
    )
    assert 1 == report.checked - before.checked


@pytest.mark.parametrize("amount", [None, "0.5", {}, "100000"])
def test_an_amount_that_is_not_known_differs_from_nothing(carrier, amount):
    """What the platform does not say, or not in whole đồng, is no other amount."""
    amounts(carrier, amount)

    assert [] == seen(carrier)[1]
