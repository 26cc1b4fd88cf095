"""Each row of the decision table that concerns the cash: where it decides, and where no more."""

from dataclasses import replace

import pytest

from carrierflow.domain.model import Status
from carrierflow.reconcile.actions import (
    Adopt,
    Confirm,
    InSync,
    Observe,
    OpenIncident,
    ReadAgain,
    Wait,
)
from carrierflow.reconcile.evaluate import evaluate

from .making import (
    COD,
    DELTA,
    TICK,
    a_case,
    action,
    at,
    row,
    step_of,
    tell,
    told,
)


ROAD = "readytopick picking delivering delivered"
PAID = "codpending codpaid"


def delivered(seconds=-60.0):
    """Return the delivery's publication, confirmed so many seconds after T0."""
    return told(4, state="confirmed", confirmed_at=at(seconds))


def test_row_c1_leaves_the_cash_to_the_delivery_that_brings_it():
    """While the platform does not show the delivery, nothing is said of the cash."""
    made = a_case(ROAD, 3, cash=PAID, cash_confirmed=1)

    assert ("C1", Observe()) == (row(made, COD), action(made, COD))
    assert "C3" == row(a_case(ROAD, cash=PAID, cash_confirmed=1, tried=[delivered()]), COD)


def test_row_c1_holds_for_cash_that_is_counted_separately():
    """Cash recorded after a delivery is not told before it, whoever recorded it."""
    made = a_case(ROAD, 3, cash=PAID, cash_confirmed=1, caused=False)

    assert ("C1", Observe()) == (row(made, COD), action(made, COD))


def test_row_c1_ends_where_the_cash_rests_on_no_recorded_delivery():
    """A delivery that came too late for the history keeps no cash back."""
    road = "readytopick picking delivering notmeetcustomer"
    made = a_case(road, 3, cash=PAID, cash_confirmed=1, caused=False)

    assert ("6", tell(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))


def test_row_c2_confirms_cash_that_the_platform_lifted_by_itself():
    """The platform counts the cash on delivery, as the ledger does: no PUT is needed."""
    made = a_case(ROAD, cash=PAID, cash_confirmed=1, cash_shows="codpaid", tried=[delivered()])

    assert ("C2", Confirm(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))


def test_row_c2_needs_a_confirmed_delivery():
    """Cash that somebody counted before the delivery is a step of the path like any other."""
    made = a_case(ROAD, 3, cash=PAID, cash_confirmed=1, cash_shows="codpaid")

    assert "7" == row(made, COD)


def test_row_c2_notes_the_lift_where_the_carrier_counts_cash_separately():
    """A platform that counts the cash before the carrier does is in nobody's way."""
    made = a_case(ROAD, cash="codpending", cash_shows="codpaid", tried=[delivered()], caused=False)

    assert ("C2", Observe()) == (row(made, COD), action(made, COD))
    assert "13" == row(a_case(ROAD, 3, cash="codpending", cash_shows="codpaid"), COD)


def test_row_c2_decides_at_the_first_look_as_at_the_second():
    """A delivery that the platform is known to show, and nobody has looked at, was shown by now."""
    made = a_case(ROAD, cash="codpending", cash_shows="codpaid", looked=False, caused=False)
    again = evaluate(made).case

    assert ("C2", Observe()) == (row(made, COD), action(made, COD))
    assert ("C2", Observe()) == (row(again, COD), action(again, COD))


def test_row_c2_confirms_separately_counted_cash_without_a_put():
    """Once the carrier has counted the cash too, both sides agree already."""
    made = a_case(
        ROAD, cash=PAID, cash_confirmed=1, cash_shows="codpaid", tried=[delivered()], caused=False
    )

    assert ("C2", Confirm(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))


def test_row_c3_waits_for_the_platform_to_lift_the_cash():
    """The platform has until Δ after the delivery to count the cash by itself."""
    early = delivered(-DELTA + TICK)
    made = a_case(ROAD, cash=PAID, cash_confirmed=1, tried=[early])

    assert ("C3", Wait(at(TICK))) == (row(made, COD), action(made, COD))


def test_row_c3_puts_paid_after_the_settle_window():
    """Cash that the platform did not count by itself is told."""
    made = a_case(ROAD, cash=PAID, cash_confirmed=1, tried=[delivered(-DELTA)])

    assert ("C3", tell(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))
    assert ReadAgain() == action(replace(made, now=at(15)), COD)


def test_row_c3_ends_where_cash_is_counted_separately():
    """Cash with no delivery as its cause waits for nobody's lift."""
    made = a_case(ROAD, cash=PAID, cash_confirmed=1, tried=[delivered(0.0)], caused=False)

    assert ("6", tell(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))


@pytest.mark.parametrize("shown", ["waitingforreturn", "return"])
def test_row_c3_holds_for_a_delivery_that_was_subsumed(shown):
    """A parcel seen beyond its delivery was delivered: its cash is told too."""
    road = f"{ROAD} waitingforreturn return".split()
    road = " ".join(road[: road.index(shown) + 1])
    last = told(len(road.split()), state="confirmed", confirmed_at=at(-DELTA))
    subsumed = told(4, state="subsumed")
    made = a_case(
        road,
        cash=PAID,
        cash_confirmed=1,
        tried=[last, subsumed],
        groups=("return_after_delivery",),
    )

    assert ("C3", tell(step_of(made, 2, COD))) == (row(made, COD), action(made, COD))


@pytest.mark.parametrize("cash", ["codpending", PAID])
def test_row_c4_adopts_a_receipt_that_the_ledger_lacks(cash):
    """Money that reached the shop is recorded on the platform's word."""
    made = a_case(ROAD, cash=cash, cash_shows="codreceipt", tried=[delivered()])

    assert ("C4", Adopt(Status.CODRECEIPT)) == (row(made, COD), action(made, COD))


def test_row_c4_ends_where_the_receipt_is_recorded():
    """A receipt of our own is confirmed or agreed with, not adopted."""
    cash = f"{PAID} codreceipt"

    assert "7" == row(a_case(ROAD, cash=cash, cash_confirmed=2, cash_shows="codreceipt"), COD)
    assert InSync() == action(a_case(ROAD, cash=cash), COD)
    assert "16" == row(a_case(ROAD, cash="none", cash_shows="codreceipt"), COD)


@pytest.mark.parametrize("cash", ["codpending", PAID, f"{PAID} codreceipt"])
@pytest.mark.parametrize("shown", ["none", "codnotreceipt"])
def test_row_c5_reports_cash_that_the_platform_denies(cash, shown):
    """Cash that is due here and denied there is a person's matter, and stops nothing."""
    made = a_case(ROAD, 3, cash=cash, cash_shows=shown)

    assert ("C5", "cash_disputed") == (row(made, COD), action(made, COD).kind)
    assert isinstance(action(made, COD), OpenIncident)
    assert made.publication_log.steps[-1] == evaluate(made).write.step


def test_row_c5_ends_where_no_cash_is_due():
    """A parcel without cash is in sync with a platform that shows none."""
    assert "8" == row(a_case(ROAD, cash="none"), COD)
    assert "16" == row(a_case(ROAD, cash="none", cash_shows="codnotreceipt"), COD)


def test_cash_is_lifted_in_the_turn_that_sees_the_delivery():
    """One reply to `delivered` confirms the delivery and the cash, and needs no second PUT."""
    made = a_case(ROAD, 3, "delivered", cash=PAID, cash_confirmed=1, cash_shows="codpaid")
    evaluation = evaluate(made)

    assert ("7", "8", "C2", "8") == evaluation.rows
    assert evaluation.in_sync
