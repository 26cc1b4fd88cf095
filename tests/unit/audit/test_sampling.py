"""Sampling: figures that exact arithmetic gives too, fair draws, and what is concluded."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import count
from math import ceil, comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.audit.sampling.draws import by_amount, number_of, random_units
from carrierflow.audit.sampling.evaluation import evaluated
from carrierflow.audit.sampling.factors import (
    confidence_factor,
    most_errors,
    planning_factor,
    size_for_rate,
)
from carrierflow.audit.sampling.population import SampleUnit, Stratum
from carrierflow.audit.sampling.sample_plan import SampleMethod, SamplePlan, drawn_by
from carrierflow.audit.sampling.sheet import differing_lines, read_sheet, sheet_of
from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.errors import InvalidInput


ROOT = "5a" * 32
LARGE = 10**7


def units(amounts, *, shops=("a", "b", "c")):
    """Return parcels with these amounts, of some shops in turn."""
    return [
        SampleUnit(
            ref=FulfillmentRef(
                shop=shops[place % len(shops)], order_id=f"o{place}", fulfillment_id=f"{place}"
            ),
            tracking_number=None,
            amount=amount,
            delivery=Status.DELIVERED,
            cash=Status.CODPAID,
            position=place,
        )
        for place, amount in enumerate(amounts)
    ]


def filled(sample, answer, *, comma=","):
    """Fill a sheet in as a spreadsheet would: `answer` gives the last cells of each line."""
    text = sheet_of(sample).decode("utf-8-sig").replace(",", comma)
    head, line, rest = text.partition(f"(remark){chr(13)}{chr(10)}")
    lines = [
        row.removesuffix(comma * 3) + comma + comma.join(answer(each)) + comma
        for row, each in zip(rest.splitlines(), sample.drawn, strict=True)
    ]
    return (head + line + "\r\n".join(lines)).encode()


def poisson_factor(errors, confidence):
    """Solve Poisson's sum for its mean: no more than so many errors, at the risk that is left.

    The risk is the sum of m^k e^-m / k! for k from 0 to `errors`; by halves, in forty digits.
    """
    with localcontext() as context:
        context.prec = 40
        low, high = Decimal(0), Decimal(60)
        for _ in range(110):
            mean = (low + high) / 2
            term = total = (-mean).exp()
            for k in range(1, errors + 1):
                term *= mean / k
                total += term
            low, high = (mean, high) if total > 1 - Decimal(confidence) else (low, mean)
        return float(high)


@pytest.mark.parametrize("confidence", ["0.99", "0.95", "0.90", "0.50"])
@pytest.mark.parametrize("errors", range(8))
def test_confidence_factors_solve_poisson_s_sum(confidence, errors):
    """They are the means at which so few errors are as unlikely as the risk."""
    wanted = poisson_factor(errors, confidence)
    assert wanted == pytest.approx(confidence_factor(errors, float(confidence)), rel=1e-9)


@pytest.mark.parametrize("confidence", ["0.95", "0.90"])
@pytest.mark.parametrize("errors", range(8))
def test_planning_factors_cover_the_errors_that_are_expected(confidence, errors):
    """Where as many are expected as the factor's share makes, it is Poisson's factor of these."""
    factor = poisson_factor(errors, confidence)
    found = planning_factor(errors / factor, float(confidence))
    assert factor == pytest.approx(found, rel=1e-6)


def at_most(errors, size, rate):
    """Sum the binomial probabilities of no more than so many errors, in whole numbers."""
    chances = (comb(size, k) * rate**k * (1 - rate) ** (size - k) for k in range(errors + 1))
    return sum(chances, Fraction(0))


@pytest.mark.parametrize("expected", ["0", "0.01", "0.0125", "0.0175", "0.02"])
def test_sizes_are_the_smallest_that_keep_the_risk(expected):
    """At 95 % with 5 % tolerable, of very many: by binomial sums, in fractions."""
    rate = risk = Fraction(1, 20)
    for allowed in count():
        size = next(n for n in count(allowed) if at_most(allowed, n, rate) <= risk)
        if ceil(size * Fraction(expected)) <= allowed:
            break

    found = size_for_rate(LARGE, tolerable=0.05, expected=float(expected), confidence=0.95)
    assert (size, allowed) == found


@pytest.mark.parametrize(
    ("size", "errors"), [(25, 0), (50, 0), (50, 1), (60, 1), (100, 0), (100, 3)]
)
def test_limits_are_the_largest_rates_that_the_sample_may_come_from(size, errors):
    """A little below the limit the sample is likelier than the risk, a little above it is not."""
    limit, risk = Fraction(most_errors(LARGE, size, errors, 0.95), LARGE), Fraction(1, 20)
    step = Fraction(1, 100_000)
    assert at_most(errors, size, limit + step) < risk < at_most(errors, size, limit - step)


def test_a_small_population_needs_fewer_and_all_of_it_leaves_no_doubt():
    """Of 400 parcels 52 tell what 59 tell of millions; who saw all knows the errors."""
    assert (52, 0) == size_for_rate(400, tolerable=0.05, expected=0, confidence=0.95)
    assert 3 == most_errors(40, 40, 3, 0.95)
    assert (0, 0) == size_for_rate(0, tolerable=0.05, expected=0, confidence=0.95)


def test_what_no_sample_can_tell_is_refused():
    """As much expected as is tolerable, or nearly, has no size."""
    with pytest.raises(InvalidInput):
        size_for_rate(100, tolerable=0.05, expected=0.05, confidence=0.95)
    with pytest.raises(InvalidInput):
        planning_factor(0.99, 0.95)


AMOUNTS = st.lists(st.integers(0, 3_000), min_size=1, max_size=40)


@given(AMOUNTS, st.integers(1, 4_000), st.text("abc", min_size=1))
def test_each_dong_at_the_interval_is_drawn(amounts, interval, seed):
    """From a start that seed and root decide on; so a parcel of an interval is always drawn."""
    start = number_of(seed, ROOT, 1) % interval
    owners = [place for place, amount in enumerate(amounts) for _ in range(amount)]
    hits = Counter(owners[start::interval])

    found = list(by_amount(units(amounts), interval, seed=seed, root=ROOT))
    assert hits == {unit.position: times for unit, times in found}
    assert {n for n, amount in enumerate(amounts) if amount >= interval} <= set(hits)


def test_each_start_is_as_likely_as_any_other():
    """Over many seeds each đồng of an interval begins about as often: chi square, 9 degrees."""
    starts = Counter(number_of(f"seed {n}", ROOT, 1) % 10 for n in range(5_000))
    assert sum((count - 500) ** 2 / 500 for count in starts.values()) < 27.9  # one in a thousand


@given(st.integers(1, 60), st.integers(1, 60), st.text("xyz", min_size=1))
def test_a_larger_sample_begins_with_the_smaller_one(population, size, seed):
    """The same seed and root draw the same; more of it only adds; no parcel comes twice."""
    some = units([1] * population)
    found = random_units(some, size, seed=seed, root=ROOT)

    assert found == random_units(some, size + 7, seed=seed, root=ROOT)[:size]
    assert min(size, population) == len({unit.position for unit in found}) == len(found)


@given(st.lists(st.integers(0, 6_000_000), min_size=1, max_size=80), st.sampled_from(Stratum))
def test_strata_add_up_and_none_is_left_out(amounts, by):
    """Each parcel is in one stratum, each stratum is looked at, the sizes are the sheet's."""
    plan = SamplePlan(method=SampleMethod.STRATA, by=by, seed="s", tolerable=20)
    sample = drawn_by(plan, units(amounts), size=9, root=ROOT)

    assert len(amounts) == sum(each.parcels for each in sample.strata)
    assert all(1 <= each.drawn <= each.parcels for each in sample.strata)
    counts = Counter(each.stratum for each in sample.drawn)
    assert {each.name: each.drawn for each in sample.strata} == counts


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_sheet_comes_back_as_it_went(comma):
    """Whatever a spreadsheet parts cells by, plan and lines are those that were drawn."""
    plan = SamplePlan(method=SampleMethod.AMOUNT, seed="xổ số 04-12", materiality=9_000)
    sample = drawn_by(plan, units([5_000, 700, 0, 4_321]), size=9, root=ROOT)
    sheet = read_sheet(
        filled(sample, lambda each: (f"{each.unit.amount:,}".replace(",", "."), ""), comma=comma)
    )

    assert (plan, 9, ROOT, 4, 10_021) == (
        sheet.plan,
        sheet.size,
        sheet.root,
        sheet.parcels,
        sheet.amount,
    )
    assert [] == list(differing_lines(sheet, sample))
    assert [False] * len(sample.drawn) == [line.deviates for line in sheet.lines]


def test_amounts_are_projected_as_stringer_does():
    """Two errors of 40 % and 10 % at an interval of 1,000, one known: the sum by hand."""
    plan = SamplePlan(method=SampleMethod.AMOUNT, seed="s", materiality=3_000)
    interval = plan.interval
    sample = drawn_by(plan, units([5_000, *[500] * 40]), size=9, root=ROOT)
    wrong = {2: 200, 3: 50}
    answers = {each.number: each.unit.amount - wrong.get(each.number, 0) for each in sample.drawn}
    assert 5_000 == sample.drawn[0].unit.amount
    answers[1] -= 30
    result = evaluated(read_sheet(filled(sample, lambda each: (str(answers[each.number]), ""))))

    over, under = result.amounts
    assert 1_001 == interval  # 3,000 by 2.9957
    assert (3, 30, round(30 + interval * 0.5)) == (over.errors, over.known, over.projected)
    limit = 30 + interval * (2.9957 + (4.7439 - 2.9957) * 0.4 + (6.2958 - 4.7439) * 0.1)
    assert limit == pytest.approx(over.upper_limit, abs=1)
    assert (0, 0, round(interval * 2.9957)) == (under.errors, under.projected, under.upper_limit)
    assert not result.accepted


@pytest.mark.parametrize(("wrong", "accepted"), [(0, True), (1, False)])
def test_a_rate_is_accepted_up_to_what_is_tolerable(wrong, accepted):
    """The 52 of 400 that allow for no error prove 5 % without one, and do not with one."""
    plan = SamplePlan(method=SampleMethod.PARCELS, seed="s")
    sample = drawn_by(plan, units([0] * 400), size=9, root=ROOT)
    sheet = filled(sample, lambda each: ("", "có" if each.number <= wrong else "no"))
    result = evaluated(read_sheet(sheet))

    assert 52 == result.rates[0].looked_at
    assert (accepted, wrong) == (result.accepted, result.rates[0].deviations)
    assert result.rates[0].upper_limit >= result.rates[0].projected


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (("", ""), "have no answer yet"),
        (("", "maybe"), "neither yes"),
        (("about 5", ""), "no amount"),
    ],
)
def test_what_an_auditor_has_not_said_is_not_guessed(answers, sentence):
    """An empty or unclear cell stops the evaluation and is named."""
    plan = SamplePlan(method=SampleMethod.PARCELS, seed="s", count=3)
    sample = drawn_by(plan, units([100] * 9), size=9, root=ROOT)
    with pytest.raises(InvalidInput, match=sentence):
        evaluated(read_sheet(filled(sample, lambda _each: answers)))


def test_a_sheet_that_was_changed_is_found_out():
    """A line less is refused; another parcel or amount in its place is named when drawn again."""
    plan = SamplePlan(method=SampleMethod.PARCELS, seed="s", count=3)
    sample = drawn_by(plan, units([100] * 9), size=9, root=ROOT)
    sheet = filled(sample, lambda _each: ("", "no"))
    with pytest.raises(InvalidInput, match="3 parcels were drawn, and the sheet has 2"):
        read_sheet(b"\r\n".join(sheet.splitlines()[:-1]))

    swapped = read_sheet(sheet.replace(b",100,", b",99,", 1))
    assert ["Number 1 on the sheet is not the parcel that was drawn."] == list(
        differing_lines(swapped, sample)
    )
