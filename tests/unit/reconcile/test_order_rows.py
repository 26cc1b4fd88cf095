"""The rows of the second table, which concern orders; and that every row of both has its test."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import Machine, Source, Status
from carrierflow.reconcile.actions import Freeze, ReadAlone, Wait
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE, OrderCase, decide_order
from carrierflow.reconcile.evaluate import evaluate

from .making import POLICY, T0, TICK, a_case, at, cancelled_order, seen_as


HOUR = 3600.0
NUMBERS = [
    *("0", "1", "2", "3", "4", "5", "5a", "6a", "C1", "C2", "C3", "C4", "C5"),
    *("6", "6b", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"),
]


def case(*, known=True, seen=None, alone=True, **parcel):
    """Return what is to be decided about an order; by default it was asked for and is absent."""
    made = a_case("readytopick picking", **parcel)
    return OrderCase(
        parcel=made.parcel if known else None, seen=seen, asked_alone=alone, now=T0, policy=POLICY
    )


def absent(times, first):
    """Return what is decided at the next absence, after so many since some seconds after T0."""
    return decide_order(case(missing=times, missing_since=at(first))).action


def test_row_17_asks_alone_for_what_a_list_left_out():
    """A list without the order proves nothing yet."""
    decision = decide_order(case(alone=False))

    assert ("17", ReadAlone()) == (decision.row, decision.action)


def test_row_17_looks_again_after_the_settle_window():
    """An order that is absent once may come back, with steps to be told."""
    assert Wait(T0 + POLICY.settle) == decide_order(case()).action


def test_row_17_freezes_at_the_third_absence_over_an_hour():
    """Absent three times, the first an hour ago: the order is gone."""
    gone = absent(2, -HOUR)

    assert isinstance(gone, Freeze)
    assert "gone" == gone.kind


@pytest.mark.parametrize(("times", "first"), [(1, -HOUR), (2, -HOUR + TICK), (7, -1.0)])
def test_row_17_wants_both_the_three_times_and_the_hour(times, first):
    """Twice in an hour is too few, and three times in less than an hour too soon."""
    assert Wait(T0 + POLICY.settle) == absent(times, first)


def test_row_17_ends_where_the_order_is_there():
    """An order that is shown is not absent."""
    assert decide_order(case(seen=seen_as("picking"), missing=2, missing_since=at(-HOUR))) is None


@pytest.mark.parametrize("status", ["readytopick", "delivering", "waitingforreturn", "lost"])
def test_row_18_reports_a_cancelled_order_whose_parcel_is_under_way(status):
    """A cancelled order with a live parcel needs a person."""
    seen = seen_as(status, order_cancelled=True)

    assert "18" == decide_order(case(seen=seen)).row
    assert decide_order(case(seen=seen_as(status))) is None


@pytest.mark.parametrize("status", ["delivered", "return", "cancel"])
def test_row_18_ends_where_the_parcel_is_at_its_end(status):
    """A cancelled order with a finished parcel needs nobody."""
    assert decide_order(case(seen=seen_as(status, order_cancelled=True))) is None


def test_row_18_keeps_telling_the_truth():
    """The incident stops no PUT: the parcel is still on the road."""
    evaluation = evaluate(cancelled_order(a_case("readytopick picking", 1)))

    assert ["order_cancelled"] == [finding.kind for finding in evaluation.findings]
    assert evaluation.write is not None
    assert evaluation.case.parcel.frozen is None


def test_row_18_says_nothing_of_a_discarded_reading():
    """A reading that is too old to count opens no incident either."""
    stale = cancelled_order(a_case("readytopick picking", updated=-HOUR))
    evaluation = evaluate(stale)

    assert ("0",) == evaluation.rows
    assert () == evaluation.findings


def test_row_19_reports_a_parcel_of_ours_that_the_ledger_lacks():
    """A parcel that names this carrier and is not in the ledger needs a person."""
    decision = decide_order(case(known=False, seen=seen_as("picking")))

    assert ("19", "unknown_here") == (decision.row, decision.action.kind)
    assert decide_order(case(seen=seen_as("picking"))) is None


def reported(made, **seen):
    """Return what is reported of a fulfillment beside what its machines decide."""
    return evaluate(replace(made, seen=replace(made.seen, **seen))).findings


def test_row_20_reports_two_amounts_of_cash():
    """Cash that is to be collected twice as high or half as high is told with both amounts."""
    made = a_case("readytopick picking", 1, cash="codpending")
    evaluation = evaluate(replace(made, seen=replace(made.seen, cod_amount=50_000)))

    (finding,) = evaluation.findings
    assert "cod_amount_differs" == finding.kind
    assert {"ledger": 100_000, "platform": 50_000, "row": "20"} == finding.evidence
    assert evaluation.write is not None
    assert evaluation.case.parcel.frozen is None


@pytest.mark.parametrize(
    ("shown", "amount"),
    [("codpending", 100_000), ("codpending", None), ("none", 50_000), ("none", 0), ("lost", 1)],
)
def test_row_20_ends_where_the_amounts_are_equal_or_not_known(shown, amount):
    """An amount that cannot be read differs from nothing; no cash at all is row C5's."""
    made = a_case("readytopick picking", cash="codpending", cash_shows=shown)

    kinds = [finding.kind for finding in reported(made, cod_amount=amount)]

    assert "cod_amount_differs" not in kinds


def test_row_20_is_told_beside_row_18():
    """That an order is cancelled does not hide that its amount is another one."""
    made = cancelled_order(a_case("readytopick picking", cash="codpending"))

    kinds = [finding.kind for finding in reported(made, cod_amount=1)]

    assert ["order_cancelled", "cod_amount_differs"] == kinds


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_row_20_is_one_cause_however_often_it_is_seen(ledger, platform):
    """It tells two amounts apart exactly where they differ, and the same two are one incident."""
    made = a_case("readytopick picking", cash="codpending")
    made = replace(made, parcel=replace(made.parcel, cod_amount=ledger))

    first, later = reported(made, cod_amount=platform), reported(made, cod_amount=platform)

    assert (ledger != platform) == bool(first)
    assert [f.digest for f in first] == [f.digest for f in later]


def dated(platform, carrier=0.0, *, source=Source.CARRIER, word="picking", road=None, inferred=()):
    """Return what is reported of a parcel whose last step has two dates, in hours after T0.

    Steps of the numbers `inferred` were filled in.
    """
    made = a_case(road or f"readytopick {word}", groups=("return_after_delivery",))
    steps = tuple(
        replace(
            step,
            source=source if step.seq > 1 else step.source,
            occurred_at=at(carrier * HOUR),
            inferred=step.machine is Machine.DELIVERY and step.seq in inferred,
        )
        for step in made.publication_log.steps
    )
    made = replace(made, publication_log=replace(made.publication_log, steps=steps))
    dates = {Status(word): at(platform * HOUR)}
    return reported(made, dates=dates, dates_raw={Status(word): "printed"})


def test_row_21_reports_a_status_that_the_platform_had_before_it_happened():
    """A date of more than six hours before the carrier's is told with both, and freezes nothing."""
    (finding,) = dated(-6.001)

    assert ("timeline_differs", False) == (finding.kind, finding.freezes)
    assert {"status": "picking", "row": "21"} == {
        name: finding.evidence[name] for name in ("status", "row")
    }
    assert finding.evidence["platform"] < finding.evidence["ledger"]


@pytest.mark.parametrize("hours", [-6.0, -1.0, 0.0, 1.0, 1000.0])
def test_row_21_ends_within_six_hours_and_after(hours):
    """A platform dates what it is told when it is told: later is no difference."""
    assert () == dated(hours)


@pytest.mark.parametrize("source", [s for s in Source if s is not Source.CARRIER])
def test_row_21_compares_only_what_the_carrier_told(source):
    """What was adopted, imported, corrected or made by rule has no date of the carrier's."""
    assert () == dated(-100.0, source=source)


def test_row_21_does_not_compare_what_was_filled_in():
    """A missed scan has the date of the next one; a later visit of its status is another."""
    road = "readytopick picking delivering notmeetcustomer delivering"

    assert () == dated(-100.0, inferred={2})
    assert () == dated(-100.0, word="delivering", road=road, inferred={3})
    assert [] != dated(-100.0, word="delivering", road=road, inferred={2, 5})


def test_row_21_compares_with_the_first_of_two_visits():
    """In a redelivery loop the platform may still date the first visit of a status."""
    road = "readytopick picking delivering notmeetcustomer delivering"

    assert () == dated(-5.0, word="delivering", road=road)
    assert ["timeline_differs"] == [f.kind for f in dated(-7.0, word="delivering", road=road)]


def test_every_row_has_its_number_and_its_words_to_itself():
    """Numbers and texts are unique and none is empty, so that reports can name a row."""
    rows = [*TABLE, *ORDER_TABLE]

    assert [*NUMBERS, "17", "18", "19", "20", "21"] == [row.number for row in rows]
    for words in ([row.when for row in rows], [row.then for row in rows]):
        assert all(words)
    assert len(rows) == len({row.when for row in rows})
    assert len(rows) == len({row.then for row in rows})


def test_the_last_row_takes_whatever_is_left():
    """The table answers every case of both machines."""
    assert TABLE[-1].applies(a_case().on(Machine.DELIVERY))
    assert frozenset(Machine) == TABLE[-1].machines
