"""Turns as a whole: what one reading leads to, over both machines and over several decisions."""

from dataclasses import replace

from carrierflow.domain.model import Status
from carrierflow.domain.publication import PublicationState
from carrierflow.reconcile.evaluate import evaluate
from carrierflow.reconcile.policy import MerchantEdit, Policy

from .making import COD, DELIVERY, LOOP, a_case, at, attempt, step_of, told


ROAD = "readytopick picking delivering"
PAID = "codpending codpaid"


def test_confirms_and_goes_on_in_the_same_turn():
    """A reading that confirms one step is young enough to tell the next."""
    made = a_case(f"{ROAD} delivered", 1, shows="delivering")
    evaluation = evaluate(made)

    assert ("7", "6", "8") == evaluation.rows
    assert step_of(made, 4) == evaluation.write.step
    assert 3 == evaluation.case.parcel.delivery.confirmed


def test_what_was_passed_over_is_subsumed():
    """Steps that the platform went past count as shown, but nobody saw them."""
    evaluation = evaluate(a_case(ROAD, 1, shows="delivering"))
    states = {p.seq: (p.state, p.confirmed_at) for p in evaluation.publications}

    assert {
        2: (PublicationState.SUBSUMED, None),
        3: (PublicationState.CONFIRMED, at(0)),
    } == states


def test_two_redeliveries_are_told_one_by_one():
    """The reply to the first redelivery does not stand for the second one, too."""
    made = a_case(f"{LOOP} notmeetcustomer delivering", 4, shows="delivering", date=-1.0)
    evaluation = evaluate(made)

    assert 5 == evaluation.case.parcel.delivery.confirmed
    assert step_of(made, 6) == evaluation.write.step


def test_a_late_put_is_healed_step_by_step():
    """After a late PUT of our own the recorded path is told again from there."""
    made = a_case(ROAD, shows="picking", attempts=[attempt(2, "picking", -40.0)])
    evaluation = evaluate(made)

    assert ("14", "6", "8") == evaluation.rows
    assert step_of(made, 3) == evaluation.write.step
    assert 2 == evaluation.case.parcel.delivery.confirmed


def test_healing_does_not_use_up_the_one_reassertion():
    """A late PUT of our own is no edit by a merchant, so a later edit is still answered."""
    policy = Policy(merchant_edit=MerchantEdit.REASSERT)
    late = [attempt(2, "picking", -40.0)]
    healed = evaluate(a_case(ROAD, shows="picking", attempts=late)).publications
    moved = evaluate(a_case(ROAD, shows="picking", policy=policy)).publications

    assert [0] == [publication.reasserted for publication in healed]
    assert [1] == [publication.reasserted for publication in moved]
    assert "15" in evaluate(a_case(ROAD, shows="picking", policy=policy, tried=healed)).rows


def test_a_machine_is_compared_with_the_word_from_before_the_turn():
    """Confirming the delivery does not hide that somebody moved the cash back."""
    made = a_case(f"{ROAD} delivered", 3, "delivered", cash=PAID, cash_shows="codpending")
    kinds = [finding.kind for finding in evaluate(made).findings]

    assert ["merchant_edit"] == kinds


def test_a_confirmed_step_is_the_platforms_word_though_the_cash_still_waits():
    """A reading from before a confirmed step is old, whatever else is being waited for."""
    waiting = told(2, over=-1.0, machine=COD)
    made = a_case(f"{ROAD} delivered", 3, "delivered", cash=PAID, cash_confirmed=1, caused=False)
    made = replace(
        made, publication_log=replace(made.publication_log, publications={(COD, 2): waiting})
    )
    evaluation = evaluate(made)
    before = a_case(ROAD, cash="codpending").seen

    assert ("7", "8", "3") == evaluation.rows
    assert ("0",) == evaluate(replace(evaluation.case, seen=before)).rows


def test_a_reading_that_is_too_early_is_not_taken_for_true():
    """What is seen while an attempt settles is compared with later, so it is not kept."""
    made = a_case(ROAD, 1, shows="picking", tried=[told(2, over=-1.0)])
    evaluation = evaluate(made)

    assert made.parcel.remote == evaluation.case.parcel.remote
    assert at(44) == evaluation.wait_until == evaluation.case.parcel.not_before


def test_a_freeze_of_one_machine_stops_the_other():
    """Nothing is told of a parcel whose cash nobody understands."""
    evaluation = evaluate(a_case(ROAD, 1, cash_shows="bitcoin"))

    assert ("6", "2") == evaluation.rows
    assert evaluation.write is None
    assert "unknown_code" == evaluation.case.parcel.frozen


def test_the_cash_waits_for_its_delivery_while_that_is_unanswered():
    """Cash is not told before the delivery that it rests on is known to be shown."""
    made = a_case(
        f"{ROAD} delivered", 3, cash=PAID, cash_confirmed=1, caused=False, tried=[told(4, over=-1)]
    )
    evaluation = evaluate(made)

    assert ("3", "C1") == evaluation.rows
    assert evaluation.write is None


def test_a_parcel_is_closed_after_the_grace_and_opened_again_by_a_difference():
    """A finished parcel is looked at for 48 hours more, and for as long as something differs."""
    grace = Policy().grace.total_seconds()
    road = f"{ROAD} delivered"

    first = evaluate(a_case(road)).case.parcel
    assert (at(0), True) == (first.settled_at, first.open)
    last = evaluate(a_case(road, settled_at=at(-grace))).case.parcel
    assert not last.open
    edited = evaluate(a_case(road, shows="picking", settled_at=at(-1))).case.parcel
    assert edited.settled_at is None


def test_a_turn_notes_when_it_looked_and_what_it_saw():
    """Every look is written down with the moment at which the platform was asked."""
    made = a_case(ROAD, asked=-3.0, missing=2, missing_since=at(-60))
    parcel = evaluate(made).case.parcel

    assert (at(-3), at(-3), 0, None) == (
        parcel.verified_at,
        parcel.seen_at,
        parcel.missing,
        parcel.missing_since,
    )
    assert Status.DELIVERING == parcel.remote.carrier.status
    assert 3 == parcel.head(DELIVERY).confirmed
